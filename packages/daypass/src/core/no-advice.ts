import type * as advice from "./advice.ts";

// What `advice.ts` has, left out of bundles for production: docs/decisions/0002-bundle-sizes.md. Function declarations where bundlers
// inline them: those that are empty or return their only argument.
export const didYouMean = (): string => "";
export const looksLikeMilliseconds: typeof advice.looksLikeMilliseconds = didYouMean;
export function endFault(): undefined {}
export function dateText(value: unknown): unknown {
  return value;
}
export function secretFault(): undefined {}
export function keyAdvice(): undefined {}
export function expectAwait<P>(promise: P): P {
  return promise;
}
export const optionText: typeof advice.optionText = (message) => message;
const NONE: readonly string[] = [];
export const lifetimeWarnings = (): readonly string[] => NONE;
export const adviser: typeof advice.adviser = () => (warnings) => warnings;
