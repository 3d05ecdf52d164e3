import type { PermittedObject } from "../pipeline/authorize.ts";
import { isStorageError } from "../storage/storage.ts";
import { noSuchKey } from "./get-object.ts";
import type { OperationContext } from "./operations.ts";
import { conditionFailed } from "./write-conditions.ts";

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
 * Deletes an object. One that is not there counts as deleted, unless a condition says that it has to be.
 * @throws {Refusal} `PRECONDITION_FAILED`, `NO_SUCH_KEY`
 * @throws {StorageError} `NO_SUCH_BUCKET`, `UNAVAILABLE`
 */
export async function deleteObject(
  { object, ifMatch }: DeleteObject,
  { storage, signal }: OperationContext,
): Promise<DeletedObject> {
  try {
    return { kind: "deleted", existed: await storage.delete(object, { ifMatch, signal }) };
  } catch (error) {
    if (!isStorageError(error) || error.code !== "PRECONDITION_FAILED") throw error;
    throw (await storage.head(object, { signal })) === undefined ? noSuchKey() : conditionFailed("If-Match");
  }
}
