/**
 * Requests and guards for servers that speak the Fetch API (Workers, Deno, Bun, Next, Hono): {@link requestToWire} and
 * {@link guardFetch}.
 *
 * @module
 */
export type { FetchResponse, GlobalRequest, GlobalResponse } from "./globals.ts";
export { type GuardFetchOptions, guardFetch } from "./guard.ts";
export { type FetchRequest, type RequestFacts, requestToWire } from "./request.ts";
