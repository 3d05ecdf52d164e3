/**
 * The table of all operations. An operation receives a typed request, never a header or a URL.
 * @module
 */
import type { Storage } from "../storage/contract/storage.ts";
import { createBucket, deleteBucket, getBucketCors, headBucket, listBuckets, setBucketCors } from "./buckets.ts";
import { claimLink } from "./claim-link.ts";
import { completeUpload } from "./complete-upload.ts";
import { copyObject } from "./copy-object.ts";
import { copyPart } from "./copy-part.ts";
import { deleteObject } from "./delete-object.ts";
import { deleteObjects } from "./delete-objects.ts";
import { deliverLink } from "./deliver-link.ts";
import { forwardRequest } from "./forward-request.ts";
import { describeObject, getObject, headObject } from "./get-object.ts";
import { getThumbnail } from "./get-thumbnail.ts";
import { listFolder } from "./list-folder.ts";
import { listObjects } from "./list-objects.ts";
import { listSet } from "./list-set.ts";
import type { OperationContext } from "./operation-context.ts";
import { putObject, setObjectTags } from "./put-object.ts";
import { abortUpload, createUpload, listParts, listUploads, putPart } from "./uploads.ts";
import { zipTargets } from "./zip-targets.ts";

// The assertions change no type: declarations that are written file by file need a type for each member.
const operations = {
  "get-object": getObject as typeof getObject,
  "head-object": headObject as typeof headObject,
  "get-thumbnail": getThumbnail as typeof getThumbnail,
  "describe-object": describeObject as typeof describeObject,
  "put-object": putObject as typeof putObject,
  "delete-object": deleteObject as typeof deleteObject,
  "delete-objects": deleteObjects as typeof deleteObjects,
  "list-objects": listObjects as typeof listObjects,
  "list-buckets": listBuckets as typeof listBuckets,
  "head-bucket": headBucket as typeof headBucket,
  "create-bucket": createBucket as typeof createBucket,
  "delete-bucket": deleteBucket as typeof deleteBucket,
  "get-bucket-cors": getBucketCors as typeof getBucketCors,
  "set-bucket-cors": setBucketCors as typeof setBucketCors,
  "copy-object": copyObject as typeof copyObject,
  "set-object-tags": setObjectTags as typeof setObjectTags,
  "create-upload": createUpload as typeof createUpload,
  "put-part": putPart as typeof putPart,
  "copy-part": copyPart as typeof copyPart,
  "list-parts": listParts as typeof listParts,
  "list-uploads": listUploads as typeof listUploads,
  "complete-upload": completeUpload as typeof completeUpload,
  "abort-upload": abortUpload as typeof abortUpload,
  "claim-link": claimLink as typeof claimLink,
  "deliver-link": deliverLink as typeof deliverLink,
  "forward-request": forwardRequest as typeof forwardRequest,
  "list-folder": listFolder as typeof listFolder,
  "list-set": listSet as typeof listSet,
  "zip-targets": zipTargets as typeof zipTargets,
};

type Operations = typeof operations;
export type OperationName = keyof Operations;

/** A request names its operation and holds permitted resources, which only a permit can create. */
export type OperationRequest = { [N in OperationName]: RequestOf<N> }[OperationName];

type RequestOf<N extends OperationName> = Parameters<Operations[N]>[0] & { readonly operation: N };

/** The result of a request. `undefined` if only success matters. */
export type ResultOf<R extends OperationRequest | undefined> = R extends OperationRequest
  ? Awaited<ReturnType<Operations[R["operation"]]>>
  : undefined;
export type OperationResult = ResultOf<OperationRequest>;

/** The signal of a request, or a function that creates it. */
export type SignalSource = AbortSignal | (() => AbortSignal) | undefined;

interface ContextParts extends Omit<OperationContext, "signal"> {
  readonly signal: SignalSource;
}

/** Carries out a request; `undefined` asks for nothing. Synchronous if the storage answers synchronously. */
export function perform(
  request: OperationRequest | undefined,
  parts: ContextParts,
): OperationResult | Promise<OperationResult> {
  if (request === undefined) return undefined;
  const operation = operations[request.operation] as (
    request: OperationRequest,
    context: OperationContext,
  ) => OperationResult | Promise<OperationResult>;
  return operation(request, new LazyContext(parts));
}

/** Creates the signal on first use. A class: a getter in an object literal is defined again for each request, which cost a third of the rate. */
class LazyContext implements OperationContext {
  readonly storage: Storage;
  readonly now: number;
  readonly journal: OperationContext["journal"];
  readonly links: OperationContext["links"];
  readonly #signal: SignalSource;

  constructor({ storage, now, signal, journal, links }: ContextParts) {
    this.storage = storage;
    this.now = now;
    this.journal = journal;
    this.links = links;
    this.#signal = signal;
  }

  get signal(): AbortSignal | undefined {
    return typeof this.#signal === "function" ? this.#signal() : this.#signal;
  }
}
