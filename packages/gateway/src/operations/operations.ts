/**
 * The one list of what a permit can be used for. An operation gets a typed request, never a header or a URL.
 * @module
 */
import type { Storage } from "../storage/storage.ts";
import { type DeletedObject, type DeleteObject, deleteObject } from "./delete-object.ts";
import { type GetObject, getObject, type ObjectRead } from "./get-object.ts";
import { type HeadObject, headObject } from "./head-object.ts";
import { type PutObject, putObject, type StoredObject } from "./put-object.ts";

/** Every request names its operation and the {@link PermittedObject} that it is about. */
export type OperationRequest = GetObject | HeadObject | PutObject | DeleteObject;

export type OperationResult = ObjectRead | StoredObject | DeletedObject;

export interface OperationContext {
  readonly storage: Storage;
  /** Milliseconds. */
  readonly now: number;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal | undefined;
}

/** Carries out a request. Answers at once where the storage can. */
export function perform(
  request: OperationRequest,
  context: OperationContext,
): OperationResult | Promise<OperationResult> {
  switch (request.operation) {
    case "get-object":
      return getObject(request, context);
    case "head-object":
      return headObject(request, context);
    case "put-object":
      return putObject(request, context);
    case "delete-object":
      return deleteObject(request, context);
  }
}
