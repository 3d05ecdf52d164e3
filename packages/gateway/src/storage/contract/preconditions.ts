/** The conditions of a write, for all drivers. */
import { type ObjectInfo, StorageError } from "./storage.ts";

/** Whether an `If-Match` value (an ETag without quotes, or `*`) matches the present object. */
export function matches(ifMatch: string, current: ObjectInfo | undefined): boolean {
  return current !== undefined && (ifMatch === "*" || ifMatch === current.etag);
}

export function preconditionFailed(): StorageError {
  return new StorageError("PRECONDITION_FAILED", "the object is not in the state that the request asks for");
}
