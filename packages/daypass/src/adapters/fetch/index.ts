/**
 * Requests and guards for servers that speak the Fetch API (Workers, Deno, Bun, Next, Hono): {@link requestToWire} and
 * {@link guardFetch}.
 *
 * @module
 */

export type { GuardOptions } from "../guard.ts";
export { type GuardFetchOptions, guardFetch } from "./guard.ts";
export {
  type FetchRequest,
  type FetchResponse,
  type GlobalRequest,
  type GlobalResponse,
  type RequestFacts,
  requestToWire,
} from "./request.ts";
