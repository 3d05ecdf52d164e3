/**
 * Checks which requests a key's scope permits, without the rest of the gateway: for programs that sign.
 *
 * @module
 */
export type { KeyScope } from "./pipeline/key-scope.ts";
export { type Resource, scopeBreach } from "./pipeline/scope-match.ts";
