/**
 * The contract between the pipeline and a dialect: how its requests are recognised and verified, what they ask for, and in
 * which words they are answered.
 * @module
 */
import type { Grant, KeyResolver, Verifier, WireRequest } from "daypass";
import type { OperationRequest, ResultOf } from "../operations/operations.ts";
import type { Permit } from "../pipeline/authorize.ts";
import type { Answer } from "../pipeline/outcome.ts";
import type { Refusal } from "../pipeline/refusal.ts";
import type { Received } from "../pipeline/target.ts";

/** What the gateway speaks: `s3` is all of S3, forms and the Security Token Service included; `url` are Daypass URLs. */
export type Dialect = "s3" | "url";

/** What the operator lets a key grant; a signature cannot reach further. */
export interface KeyScope {
  /** Any bucket if left out. */
  readonly buckets?: readonly string[] | undefined;
  /** Keys below this prefix, on whole segments: `merchants/12` does not admit `merchants/123`. */
  readonly prefix?: string | undefined;
  readonly methods?: readonly string[] | undefined;
  /** Longest life of a URL, seconds. */
  readonly maxLife?: number | undefined;
  /** First instant at which the key is no longer good; as text with its zone, `2030-01-02T03:04:05Z`. */
  readonly until?: Date | string | undefined;
  /** Of a session that came with a policy: what is in none of the statements is not allowed. */
  readonly allow?: readonly Allowance[] | undefined;
}

/** A scope that was found to limit what it says. Only `readScope` makes one. */
export interface ReadScope extends KeyScope {
  readonly until?: Date | undefined;
}

/** What one statement of a session policy allows. */
export interface Allowance {
  /** Actions in Amazon's words, such as `s3:GetObject`. A `*` at the end stands for any text. */
  readonly actions: readonly string[];
  /** `bucket` for the bucket itself, `bucket/key`, or `*` for all there is. A `*` at the end of a key stands for any text. */
  readonly resources: readonly string[];
}

/** Bucket and key in the words of the dialect; no key means the bucket itself. Decoded once, by the dialect's own rule. */
export interface Resource {
  readonly bucket: string;
  readonly key: string | undefined;
}

/** What an answer needs to know besides what was done. */
export interface Exchange {
  readonly requestId: string;
  readonly request: WireRequest;
  /** There once the request was let through. */
  readonly permit: Permit | undefined;
}

/** What a dialect makes of a permitted request: a typed request, and the words for what comes of it. */
export interface Task<G extends Grant = Grant, R extends OperationRequest = OperationRequest> {
  readonly request: R;
  present(result: ResultOf<R>, permit: Permit<G>, exchange: Exchange): Answer;
  /**
   * For work that may take minutes: the answer as far as it is the same whatever comes of the work, in bytes with which every later
   * answer begins, be it one of `refuse`. Left out where an answer cannot be begun.
   */
  begin?: ((exchange: Exchange) => Answer) | undefined;
}

/**
 * Verifies by what the body begins with: a form with its signed policy, or a call whose signature covers a hash that nobody has
 * sent. It reads as little as it can, and never more than a limit of its own.
 */
export interface BodyVerifier<G extends Grant = Grant> {
  /** By the head, and nothing is verified by it. */
  detects(request: WireRequest): boolean;
  /** The grant, and the body that is left for the operation. */
  verify(request: WireRequest, body: AsyncIterable<Uint8Array>): Promise<VerifiedBody<G>>;
}

export interface VerifiedBody<G extends Grant = Grant> {
  readonly grant: G;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * One dialect. The pipeline calls the functions in the order in which they stand here; none but `refuse` runs for a request
 * that was not verified.
 */
export interface Protocol<G extends Grant = Grant> {
  readonly dialect: Dialect;
  /** The forms a signature takes in this dialect; exactly one of them, over all dialects, has to recognise a request. */
  readonly verifiers: readonly Verifier<G>[];
  /** The object or bucket that the grant is for. */
  resource(grant: G): Resource;
  /** The forms a signature takes of which the head alone does not tell enough. */
  readonly bodyVerifiers?: readonly BodyVerifier<G>[];
  /** The key behind a session that signed; for the audit. */
  parentKeyId?(grant: G): string | undefined;
  /** Scopes of the key that signed, all of which hold; left out when the verifier applies them itself. */
  scopes?(grant: G): ReturnType<KeyResolver<ReadScope>>;
  /** Seconds that the URL was given to live, as far as the dialect tells; 0 for a request that is no URL to pass on. */
  life(grant: G, now: number): number;
  /**
   * What a permit and the head ask for: the last place that sees a header. A promise where it takes the body to know, such as
   * a list of parts.
   */
  task(permit: Permit<G>, received: Received, body: AsyncIterable<Uint8Array>): Task<G> | Promise<Task<G>>;
  /** The refusal of what was permitted, named by what the grant asked; left out where that makes no difference. */
  attributed?(refusal: Refusal, permit: Permit<G>): Refusal;
  /** The answer of the dialect to a request that is not served. */
  refuse(refusal: Refusal, exchange: Exchange): Answer;
}
