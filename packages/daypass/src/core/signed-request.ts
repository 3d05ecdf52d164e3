import { expectAwait } from "#advice";
import type { SignedRequest } from "./contracts.ts";
import { grantId } from "./grant.ts";

/** The warnings of a result, or what computes them when they are first read: few callers read them. */
export type Warnings = readonly string[] | (() => readonly string[]);

/** The list of {@link Warnings}. */
export function warningList(warnings: Warnings): readonly string[] {
  return typeof warnings === "function" ? warnings() : warnings;
}

/** The facts of a signed request that a scheme fills in. */
export type SignedFields = Omit<SignedRequest, "id" | "warnings"> & { readonly warnings: Warnings };

/**
 * What every signer returns. A class for the same reason as the grant: `id` costs a fourth hash, a third of the whole
 * signature, and most callers want the URL alone.
 */
export class SignedResult implements SignedRequest {
  declare readonly url: string;
  declare readonly method: string;
  declare readonly headers: Readonly<Record<string, string>>;
  declare readonly expiresAt: Date;
  declare readonly bound: readonly string[];
  declare readonly unbound: readonly string[];
  readonly #stringToSign: string;
  #warnings: Warnings;

  constructor(fields: SignedFields, stringToSign: string) {
    this.url = fields.url;
    this.method = fields.method;
    this.headers = fields.headers;
    this.expiresAt = fields.expiresAt;
    this.bound = fields.bound;
    this.unbound = fields.unbound;
    this.#warnings = fields.warnings;
    this.#stringToSign = stringToSign;
  }

  get id(): string {
    return grantId(this.#stringToSign);
  }

  get warnings(): readonly string[] {
    this.#warnings = warningList(this.#warnings);
    return this.#warnings;
  }

  /** A getter on a prototype is invisible to `JSON.stringify`, which this mends. */
  toJSON(): SignedRequest {
    return { ...this, warnings: this.warnings, id: this.id };
  }
}

/** The item instead of a signature. A clock or a credentials provider may throw a value that is not an Error. */
export function failed(thrown: unknown): { readonly error: Error } {
  return { error: thrown instanceof Error ? thrown : new Error(String(thrown)) };
}

/** A signer of requests or of forms from its `sign`. */
export function signer<R, S = SignedRequest>(
  sign: (request: R) => S,
): {
  sign(request: R): S;
  signMany(requests: Iterable<R>): Iterable<S | { readonly error: Error }>;
} {
  return {
    // A call without a request is refused for what it lacks.
    sign: (request) => sign(request ?? ({} as R)),
    *signMany(requests) {
      for (const request of requests) {
        // Not yielded inside the try: an error that the caller throws into the iteration does not belong to the request.
        let item: S | { readonly error: Error };
        try {
          item = sign(request ?? ({} as R));
        } catch (error) {
          item = failed(error);
        }
        yield item;
      }
    },
  };
}

/** A signer with promises from its `sign`. */
export function asyncSigner<R, S = SignedRequest>(
  given: (request: R) => Promise<S>,
): {
  sign(request: R): Promise<S>;
  signMany(requests: Iterable<R>): AsyncIterable<S | { readonly error: Error }>;
} {
  const sign = (request: R): Promise<S> => given(request ?? ({} as R));
  return { sign: (request) => expectAwait(sign(request)), signMany: (requests) => signAhead(requests, sign) };
}

/** Enough for the four threads that Node lends to crypto, and for the round trips to a remote signer. */
export const AHEAD = 16;

/**
 * Signs with several signatures under way and yields them in order. Takes at most {@link AHEAD} requests that have not
 * been yielded. If the caller stops the iteration, results in progress are dropped.
 */
async function* signAhead<R, S>(
  requests: Iterable<R>,
  sign: (request: R) => Promise<S>,
): AsyncGenerator<S | { readonly error: Error }> {
  const underWay: Promise<S | { readonly error: Error }>[] = [];
  let broken: { readonly reason: unknown } | undefined;
  try {
    for (const request of requests) {
      underWay.push(sign(request).catch(failed));
      if (underWay.length === AHEAD) yield underWay.shift() as Promise<S>;
    }
  } catch (reason) {
    // The iterable's own fault: what came before it is signed all the same.
    broken = { reason };
  }
  yield* underWay;
  if (broken) throw broken.reason;
}
