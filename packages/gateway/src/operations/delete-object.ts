import type { PermittedObject } from "../permit.ts";
import { isStorageError } from "../storage/contract/storage.ts";
import type { OperationContext } from "./operation-context.ts";
import { noSuchKey } from "./refusals.ts";
import { conditionFailed, expectConditions, type WriteConditions } from "./write-conditions.ts";

export interface DeleteObject extends WriteConditions {
  readonly operation: "delete-object";
  readonly object: PermittedObject;
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
export async function deleteObject(request: DeleteObject, context: OperationContext): Promise<DeletedObject> {
  const { object, createOnly, ifMatch } = request;
  const { storage, signal } = context;
  // What must not be there cannot be deleted: either the condition fails, or there is nothing to do.
  if (createOnly) {
    await expectConditions(object, request, context);
    return { kind: "deleted", existed: false };
  }
  try {
    return { kind: "deleted", existed: await storage.delete(object, { ifMatch, signal }) };
  } catch (error) {
    if (!isStorageError(error) || error.code !== "PRECONDITION_FAILED") throw error;
    throw (await storage.head(object, { signal })) === undefined ? noSuchKey() : conditionFailed("If-Match");
  }
}
