/**
 * A row of the table of S3: how a request selects an operation, what the row reads, and how it presents the result. Whatever a row does
 * not name is refused by name, so a missing function is never answered as if it were another.
 * @module
 */
import type { S3Grant } from "daypass/s3";
import type { CreateHash } from "../../http/checksum.ts";
import type { OperationRequest, ResultOf } from "../../operations/operations.ts";
import type { Permit, PermittedBucket, PermittedObject } from "../../permit.ts";
import type { Limits } from "../../pipeline/limits.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import type { Received } from "../../pipeline/receive.ts";

/** The body of a request without its framing. */
export interface Payload {
  readonly body: AsyncIterable<Uint8Array>;
  /** Announced bytes without framing; `undefined` if the client did not announce any. */
  readonly length: number | undefined;
  /** Whether the body comes in chunks (`aws-chunked`). The verified signature decides. */
  readonly chunked: boolean;
  /** Names of the fields after the last chunk. */
  readonly trailers: readonly string[];
  /** A field after the last chunk. Call it when the body has been read. */
  trailer(name: string): string | undefined;
}

/** Headers that a gateway for tests accepts without effect. */
export type Tolerable = "encryption" | "acl";

/** Configuration that rows read. */
export interface S3RowOptions {
  readonly limits: Limits;
  readonly createHash: CreateHash;
  /** Where clients reach this gateway, `scheme://host[:port]`. */
  readonly origins: readonly string[];
  /** The region that answers name. */
  readonly region: string;
  /** Headers that are accepted without effect, for tests. */
  readonly tolerate: readonly Tolerable[] | undefined;
}

/** A permitted request as a row reads it. All `x-amz-*` headers and parameters in it were signed. */
export interface S3Call extends S3RowOptions {
  readonly permit: Permit<S3Grant>;
  readonly received: Received;
  readonly payload: Payload;
  /** User metadata without `x-amz-meta-`, lower-case names. */
  readonly metadata: Readonly<Record<string, string>>;
  /** `x-amz-checksum-*` by algorithm in lower case, base64 as sent. */
  readonly checksums: ReadonlyMap<string, string>;
  /** Other `x-amz-*` that the row reads, names in lower case. */
  readonly amz: ReadonlyMap<string, string>;
  /** The parameters that the row reads. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** The request that a result belongs to. */
export interface S3Exchange<R> {
  readonly call: S3Call;
  readonly asked: R;
  readonly requestId: string;
}

/** An action of Amazon's policies. */
export type S3Action = `s3:${string}`;

interface Described<R extends OperationRequest, Target> {
  /** Amazon's name of the operation. */
  readonly name: string;
  /** The action that a session policy must allow; by default `s3:` and the name. `read` permits further objects by further actions. */
  readonly action?: S3Action;
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Parameters that select the row if all of them are present. A row without selectors and header is selected by the method alone. */
  readonly selectors?: readonly string[];
  /** An `x-amz-*` header that selects the row, in lower case. */
  readonly header?: string;
  /** Further parameters that the row reads, apart from `response-*`. */
  readonly parameters?: readonly string[];
  /** `x-amz-*` headers that the row reads, apart from `x-amz-meta-*` and checksums, in lower case. */
  readonly amz?: readonly string[];
  /** Whether the row acts on `If-*` headers. Any other write refuses them, because it would ignore them. */
  readonly conditional?: boolean;
  /** Whether the row reads the body. Any other row accepts only the hash of an empty body. */
  readonly readsBody?: boolean;
  /**
   * Whether the operation may take minutes. S3 then answers 200 early and reports an error in the body, so no header may depend on
   * the result.
   */
  readonly mayTakeLong?: boolean;
  read(call: S3Call, target: Target): R | Promise<R>;
  present(result: ResultOf<R>, exchange: S3Exchange<R>): Answer;
}

type RowOn<On extends string, Target> = Described<OperationRequest, Target> & {
  readonly action: S3Action;
  readonly on: On;
};

/** `service` and `keys` rows permit what they touch themselves: the whole bucket is not permitted. */
export type S3Row =
  | RowOn<"object", PermittedObject>
  | RowOn<"bucket", PermittedBucket>
  | RowOn<"keys" | "service", undefined>;

/** A call on an object. */
export function onObject<R extends OperationRequest>(row: Described<R, PermittedObject>): S3Row {
  return { ...row, action: row.action ?? `s3:${row.name}`, on: "object" };
}

/** A call on a bucket as a whole. A key with a prefix cannot make it. */
export function onBucket<R extends OperationRequest>(row: Described<R, PermittedBucket>): S3Row {
  return { ...row, action: row.action ?? `s3:${row.name}`, on: "bucket" };
}

/** A call on a bucket about some of its keys. */
export function onKeys<R extends OperationRequest>(row: Described<R, undefined>): S3Row {
  return { ...row, action: row.action ?? `s3:${row.name}`, on: "keys" };
}

/** A call without a bucket. */
export function onService<R extends OperationRequest>(row: Described<R, undefined>): S3Row {
  return { ...row, action: row.action ?? `s3:${row.name}`, on: "service" };
}
