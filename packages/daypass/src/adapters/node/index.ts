/**
 * Requests and guards for servers on Node's `http` and `http2`, Express and their kin: {@link toWireRequest} and
 * {@link guardNode}.
 *
 * @module
 */
export type { GuardOptions } from "../guard.ts";
export { type GuardedHandler, type GuardNodeOptions, guardNode, type Next, type NodeResponse } from "./guard.ts";
export { type NodeRequest, toWireRequest, type WireOptions } from "./request.ts";
