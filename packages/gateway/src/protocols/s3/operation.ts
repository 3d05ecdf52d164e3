/**
 * What an operation of S3 is on the wire: how it is asked for, what it reads of a request, and how it is answered. Everything
 * that is not in its row is refused by name, so a function that is not there is never answered as if it were another.
 * @module
 */
import type { S3Grant } from "daypass/s3";
import type { CreateHash } from "../../http/checksum.ts";
import type { OperationRequest, ResultOf } from "../../operations/operations.ts";
import type { Permit, PermittedBucket, PermittedObject } from "../../permit.ts";
import type { Limits } from "../../pipeline/limits.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import type { Received } from "../../pipeline/receive.ts";
import type { Exchange } from "../protocol.ts";
import type { AmzFields } from "./amz.ts";
import type { Payload } from "./payload.ts";

/** A permitted request as an operation reads it. */
export interface S3Call extends AmzFields {
  readonly permit: Permit<S3Grant>;
  readonly received: Received;
  readonly payload: Payload;
  readonly limits: Limits;
  readonly createHash: CreateHash;
  /** Where clients reach this gateway, `scheme://host[:port]`. */
  readonly origins: readonly string[];
  /** Where the gateway says that its buckets are. */
  readonly region: string;
}

/** An action of Amazon's policies. */
export type S3Action = `s3:${string}`;

interface Row<R extends OperationRequest> {
  /** Amazon's name for it. */
  readonly name: string;
  /**
   * What a session policy has to allow for it, on the object, the bucket or, of a row on keys, on what its `read` permits. What it touches
   * besides its `read` permits by further actions.
   */
  readonly action: S3Action;
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Parameters that select it when all of them are there. Without any it is what the method alone asks for. */
  readonly selectors?: readonly string[];
  /** An `x-amz-*` header that selects it, in lower case. */
  readonly header?: string;
  /** Further parameters that it reads, besides `response-*`. */
  readonly parameters?: readonly string[];
  /** `x-amz-*` headers that it reads besides `x-amz-meta-*` and checksums, in lower case. */
  readonly amz?: readonly string[];
  /** Whether it acts on `If-*` headers. A write that does not refuses them: it would happen all the same. */
  readonly conditional?: boolean;
  /** Whether it reads the body. One that does not accepts only the hash of an empty one. */
  readonly readsBody: boolean;
  /**
   * Whether it may take minutes. S3 then answers 200 before it is done, and an error comes in the body: so there may be no header
   * that only the result tells.
   */
  readonly mayTakeLong?: boolean;
  present(result: ResultOf<R>, permit: Permit<S3Grant>, exchange: Exchange): Answer;
}

export interface S3ObjectOperation<R extends OperationRequest = OperationRequest> extends Row<R> {
  readonly on: "object";
  read(call: S3Call, object: PermittedObject): R | Promise<R>;
}

/** A call on a bucket as a whole, which a key with a prefix cannot make. */
export interface S3BucketOperation<R extends OperationRequest = OperationRequest> extends Row<R> {
  readonly on: "bucket";
  read(call: S3Call, bucket: PermittedBucket): R | Promise<R>;
}

/** A call on no bucket, or one on a bucket about keys in it. It permits what it touches by itself: nothing else has been. */
export interface S3PartialOperation<R extends OperationRequest = OperationRequest> extends Row<R> {
  readonly on: "service" | "keys";
  read(call: S3Call): R | Promise<R>;
}

/** A row of the list in `operations.ts`. */
export type S3Operation = S3ObjectOperation | S3BucketOperation | S3PartialOperation;
