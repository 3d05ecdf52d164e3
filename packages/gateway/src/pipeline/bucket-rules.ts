import type { WireRequest } from "daypass";
import type { CorsRule } from "../http/cors-rules.ts";
import type { Storage } from "../storage/contract/storage.ts";
import { unlessGone } from "./abandon-on-disconnect.ts";
import { addressedBucket } from "./addressed-bucket.ts";

export const NO_RULES: readonly CorsRule[] = [];

/**
 * Looks up the cross-origin rules of the bucket that a request is addressed to. Without its rules the bucket allows nothing; whether its
 * storage fails, or the client is gone, the request itself finds out.
 */
export function bucketRules(
  storage: Storage,
  origins: readonly string[],
): (request: WireRequest, signal: AbortSignal | (() => AbortSignal) | undefined) => Promise<readonly CorsRule[]> {
  const bucketOf = addressedBucket(origins);
  return async (request, signal) => {
    try {
      return (await unlessGone(storage.corsRules(bucketOf(request)), signal)) ?? NO_RULES;
    } catch {
      return NO_RULES;
    }
  };
}
