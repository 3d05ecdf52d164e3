/**
 * What a key's scope lets it grant, without the rest of the gateway: for programs that sign and want to know beforehand.
 *
 * @module
 */
export { scopeBreach } from "./pipeline/reach.ts";
export type { KeyScope, Resource } from "./protocols/protocol.ts";
