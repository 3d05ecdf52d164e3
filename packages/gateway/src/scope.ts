/**
 * Checks what a key's scope lets it grant, without the rest of the gateway: for programs that sign and want to check beforehand.
 *
 * @module
 */
export type { KeyScope } from "./pipeline/key-scope.ts";
export { type Resource, scopeBreach } from "./pipeline/scope-match.ts";
