import type { FetchRequest } from "./request.ts";

/** The parts of a Fetch API `Response` that are used. */
export interface FetchResponse {
  /** The HTTP status. */
  readonly status: number;
  readonly headers: { set(name: string, value: string): void };
}

// The library is compiled without the DOM's types and must type-check without them: where a program has them (from the
// DOM, from Node's or from a host's types), its own `Request` and `Response` are meant.
/** The `Request` of the program's own types, or {@link FetchRequest} if it has none. */
export type GlobalRequest = typeof globalThis extends { Request: { prototype: infer R extends FetchRequest } }
  ? R
  : FetchRequest;
/** The `Response` of the program's own types, or {@link FetchResponse} if it has none. */
export type GlobalResponse = typeof globalThis extends { Response: { prototype: infer R extends FetchResponse } }
  ? R
  : FetchResponse;
