import type { PermittedObject } from "../permit.ts";
import { isStorageError } from "../storage/contract/storage.ts";
import type { OperationContext } from "./operation-context.ts";
import { conditionFailed, noSuchKey } from "./refusals.ts";
import { expectConditions, type WriteConditions } from "./write-conditions.ts";

export interface DeleteObject extends WriteConditions {
  readonly operation: "delete-object";
  readonly object: PermittedObject;
}

/**
 * Deletes an object. A missing object counts as deleted, unless a condition requires it.
 * @throws {Refusal} `PRECONDITION_FAILED`, `NO_SUCH_KEY`
 * @throws {StorageError} `NO_SUCH_BUCKET`, `UNAVAILABLE`
 */
export async function deleteObject(request: DeleteObject, context: OperationContext): Promise<void> {
  const { object, createOnly, ifMatch } = request;
  const { storage, signal } = context;
  // With If-None-Match: * either the condition fails, or there is no object to delete.
  if (createOnly) return expectConditions(object, request, context);
  try {
    await storage.delete(object, { ifMatch, signal });
  } catch (error) {
    if (!isStorageError(error) || error.code !== "PRECONDITION_FAILED") throw error;
    throw (await storage.head(object, { signal })) === undefined ? noSuchKey() : conditionFailed("If-Match");
  }
}
