import type { PermittedObject } from "../pipeline/authorize.ts";
import type { OperationContext } from "./operations.ts";

export interface DeleteObject {
  readonly operation: "delete-object";
  readonly object: PermittedObject;
  /** ETag without quotes, or `*`. */
  readonly ifMatch: string | undefined;
}

export interface DeletedObject {
  readonly kind: "deleted";
  readonly existed: boolean;
}

/**
 * Deletes an object. One that is not there counts as deleted.
 * @throws {StorageError} `NO_SUCH_BUCKET`, `PRECONDITION_FAILED`, `UNAVAILABLE`
 */
export async function deleteObject(
  { object, ifMatch }: DeleteObject,
  { storage, signal }: OperationContext,
): Promise<DeletedObject> {
  return { kind: "deleted", existed: await storage.delete(object, { ifMatch, signal }) };
}
