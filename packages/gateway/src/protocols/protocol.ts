/**
 * The contract between the pipeline and a dialect: how its requests are recognised and verified, what they ask for, and in
 * which words they are answered.
 * @module
 */
import type { Grant, Verifier, WireRequest } from "daypass";
import type { OperationRequest, ResultOf } from "../operations/operations.ts";
import type { GrantPolicy, Permit } from "../permit.ts";
import type { Answer } from "../pipeline/outcome.ts";
import type { Received } from "../pipeline/receive.ts";
import type { Refusal } from "../pipeline/refusal.ts";

/** The dialects of the gateway: `s3` is all of S3, including forms and the Security Token Service; `url` are Daypass URLs. */
export type Dialect = "s3" | "url";

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
export interface Protocol<G extends Grant = Grant> extends GrantPolicy<G> {
  readonly dialect: Dialect;
  /** The forms a signature takes in this dialect; exactly one of them, over all dialects, has to recognise a request. */
  readonly verifiers: readonly Verifier<G>[];
  /** The forms a signature takes of which the head alone does not tell enough. */
  readonly bodyVerifiers?: readonly BodyVerifier<G>[];
  /** The key behind a session that signed; for the audit. */
  parentKeyId?(grant: G): string | undefined;
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
