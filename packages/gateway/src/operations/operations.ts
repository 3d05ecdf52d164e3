/**
 * The one list of what a permit can be used for. An operation gets a typed request, never a header or a URL.
 * @module
 */
import type { Storage } from "../storage/storage.ts";
import { deleteObject } from "./delete-object.ts";
import { getObject } from "./get-object.ts";
import { headObject } from "./head-object.ts";
import { putObject } from "./put-object.ts";

// The assertions change nothing: they are how declarations can be written for one file at a time.
const operations = {
  "get-object": getObject as typeof getObject,
  "head-object": headObject as typeof headObject,
  "put-object": putObject as typeof putObject,
  "delete-object": deleteObject as typeof deleteObject,
};

type Operations = typeof operations;
export type OperationName = keyof Operations;

/** Every request names its operation, and holds what a permit covers: there is no other way to make one. */
export type OperationRequest = { [N in OperationName]: RequestOf<N> }[OperationName];

type RequestOf<N extends OperationName> = Parameters<Operations[N]>[0] & { readonly operation: N };

/** What came of a request. */
export type ResultOf<R extends OperationRequest> = Awaited<ReturnType<Operations[R["operation"]]>>;
export type OperationResult = ResultOf<OperationRequest>;

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
  const operation = operations[request.operation] as (
    request: OperationRequest,
    context: OperationContext,
  ) => OperationResult | Promise<OperationResult>;
  return operation(request, context);
}
