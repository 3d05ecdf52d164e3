/** The conditions of a write, held against what is there: in the same words wherever objects are kept. */
import { type ObjectInfo, StorageError } from "./storage.ts";

/** Whether an `If-Match` value (an ETag without quotes, or `*`) names the object as it is. */
export function matches(ifMatch: string, current: ObjectInfo | undefined): boolean {
  return current !== undefined && (ifMatch === "*" || ifMatch === current.etag);
}

export function preconditionFailed(): StorageError {
  return new StorageError("PRECONDITION_FAILED", "the object is not in the state that the request asks for");
}
