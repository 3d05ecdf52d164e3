/**
 * The contract between the pipeline and a dialect: how the dialect recognises and verifies requests, which operations they ask for,
 * and how it presents results and refusals.
 * @module
 */
import type { Grant, ImmediateVerifier, WireRequest } from "daypass";
import type { OperationRequest, ResultOf } from "../operations/operations.ts";
import type { GrantPolicy, Permit } from "../permit.ts";
import type { Answer } from "../pipeline/outcome.ts";
import type { Received } from "../pipeline/receive.ts";
import type { Refusal } from "../pipeline/refusal.ts";

/** Counts the uses of Daypass URLs. */
export interface UseCounter {
  /** Counts one of `limit` uses; `false` if none is left. */
  claim(grant: Grant, limit: number): Promise<boolean>;
}

/** The request that an answer belongs to. */
export interface Exchange {
  readonly requestId: string;
  readonly request: WireRequest;
  /** `undefined` until the request is permitted. */
  readonly permit: Permit | undefined;
}

/** The typed request that a dialect reads from a permitted request, and the presentation of its result. */
export interface Task<R extends OperationRequest | undefined = OperationRequest | undefined> {
  /** `undefined` if the answer needs nothing but the permit. */
  readonly request: R;
  present(result: ResultOf<R>, exchange: Exchange): Answer;
  /**
   * For work that may take minutes: the beginning of every possible answer, including refusals. Absent if the answer cannot begin
   * before the result is known.
   */
  begin?: ((exchange: Exchange) => Answer) | undefined;
}

/**
 * Verifies by the beginning of the body: a form with its signed policy, or a call whose signature covers a body hash that the head
 * does not contain. It reads as little as possible, and never more than its own limit.
 */
export interface BodyVerifier<G extends Grant = Grant> {
  /** Decides by the head. Verifies nothing. */
  detects(request: WireRequest): boolean;
  /** Returns the grant, and the rest of the body for the operation. */
  verify(request: WireRequest, body: AsyncIterable<Uint8Array>): Promise<VerifiedBody<G>>;
}

export interface VerifiedBody<G extends Grant = Grant> {
  readonly grant: G;
  readonly body: AsyncIterable<Uint8Array>;
}

/** One dialect up to the permit of a request. Only `refuse` runs for a request that was not verified. */
export interface PermittingProtocol<G extends Grant = Grant> extends GrantPolicy<G> {
  /** The name of its front in the registry; of links and of routes, `link` and `route`. */
  readonly dialect: string;
  /** The kinds of signature in this dialect. Exactly one verifier of all dialects must recognise a request. */
  readonly verifiers: readonly ImmediateVerifier<G>[];
  /** The kinds of signature that the head alone cannot prove. */
  readonly bodyVerifiers?: readonly BodyVerifier<G>[];
  /** Whether a request carries a mark of this dialect, which is ambiguous beside another signature. Absent if its verifiers detect every mark. */
  marks?(request: WireRequest): boolean;
  /** The key that requested the session which signed; for the access log. */
  parentKeyId?(grant: G): string | undefined;
  /** Translates the refusal of a permitted request into the terms of its grant. Absent if there is nothing to translate. */
  attributed?(refusal: Refusal, permit: Permit<G>): Refusal;
  /** Presents a refusal. */
  refuse(refusal: Refusal, exchange: Exchange): Answer;
}

/** One dialect of the gateway. */
export interface Protocol<G extends Grant = Grant> extends PermittingProtocol<G> {
  /** Reads the task of a permitted request. No later step sees a header. A promise if the task depends on the body, such as a list of parts. */
  task(permit: Permit<G>, received: Received, body: AsyncIterable<Uint8Array>): Task | Promise<Task>;
}
