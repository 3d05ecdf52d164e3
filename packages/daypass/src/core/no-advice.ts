import type * as advice from "./advice.ts";

// What `advice.ts` has, left out of bundles for production: docs/decisions/0002-bundle-sizes.md.
export const didYouMean = (): string => "";
export const looksLikeMilliseconds: typeof advice.looksLikeMilliseconds = didYouMean;
export const secretFault = (): undefined => undefined;
export const optionText: typeof advice.optionText = (message) => message;
const NONE: readonly string[] = [];
export const lifetimeWarnings = (): readonly string[] => NONE;
export const adviser: typeof advice.adviser = () => (warnings) => warnings;
