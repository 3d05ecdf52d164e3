/**
 * The one list of what a permit can be used for. An operation gets a typed request, never a header or a URL.
 * @module
 */
import { abortUpload } from "./abort-upload.ts";
import { completeUpload } from "./complete-upload.ts";
import { copyObject } from "./copy-object.ts";
import { copyPart } from "./copy-part.ts";
import { createBucket } from "./create-bucket.ts";
import { createUpload } from "./create-upload.ts";
import { deleteBucket } from "./delete-bucket.ts";
import { deleteObject } from "./delete-object.ts";
import { deleteObjects } from "./delete-objects.ts";
import { getBucketCors } from "./get-bucket-cors.ts";
import { getObject } from "./get-object.ts";
import { getObjectAttributes } from "./get-object-attributes.ts";
import { headBucket } from "./head-bucket.ts";
import { headObject } from "./head-object.ts";
import { issueSession } from "./issue-session.ts";
import { listBuckets } from "./list-buckets.ts";
import { listObjects } from "./list-objects.ts";
import { listParts } from "./list-parts.ts";
import { listUploads } from "./list-uploads.ts";
import type { OperationContext } from "./operation-context.ts";
import { putObject } from "./put-object.ts";
import { putPart } from "./put-part.ts";
import { setBucketCors } from "./set-bucket-cors.ts";
import { setObjectTags } from "./set-object-tags.ts";

// The assertions change nothing: they are how declarations can be written for one file at a time.
const operations = {
  "get-object": getObject as typeof getObject,
  "head-object": headObject as typeof headObject,
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
  "get-object-attributes": getObjectAttributes as typeof getObjectAttributes,
  "set-object-tags": setObjectTags as typeof setObjectTags,
  "create-upload": createUpload as typeof createUpload,
  "put-part": putPart as typeof putPart,
  "copy-part": copyPart as typeof copyPart,
  "list-parts": listParts as typeof listParts,
  "list-uploads": listUploads as typeof listUploads,
  "complete-upload": completeUpload as typeof completeUpload,
  "abort-upload": abortUpload as typeof abortUpload,
  "issue-session": issueSession as typeof issueSession,
};

type Operations = typeof operations;
export type OperationName = keyof Operations;

/** Every request names its operation, and holds what a permit covers: there is no other way to make one. */
export type OperationRequest = { [N in OperationName]: RequestOf<N> }[OperationName];

type RequestOf<N extends OperationName> = Parameters<Operations[N]>[0] & { readonly operation: N };

/** What came of a request. */
export type ResultOf<R extends OperationRequest> = Awaited<ReturnType<Operations[R["operation"]]>>;
export type OperationResult = ResultOf<OperationRequest>;

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
