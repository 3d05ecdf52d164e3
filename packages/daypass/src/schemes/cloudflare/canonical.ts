import { invalidInput } from "../../core/errors.ts";
import { macBase64 } from "../../wire/encoding.ts";

/** Options that signer and verifier must share with the Cloudflare rule. */
export interface CloudflareOptions {
  /** The third argument of `is_timed_hmac_valid_v0`: seconds from the token's timestamp to its expiry. */
  readonly ttl: number;
  /** Name of the query parameter, `"verify"` by default. */
  readonly parameter?: string | undefined;
  /** `true` if the rule has the flag `'s'`: the MAC is then base64url. `false` by default: percent-encoded base64. */
  readonly urlSafe?: boolean | undefined;
}

/** A century at most: what ends beyond the last instant of a Date would never end. */
export function checkTtl(ttl: number): void {
  if (!(Number.isInteger(ttl) && ttl > 0 && ttl <= 3_153_600_000)) {
    throw invalidInput("ttl", "whole seconds, from 1 to a century", ttl);
  }
}

/**
 * The message, and the timestamp in ten digits, with nothing between. "(.+)(.*)(\d{10})-(.{43,})": the timestamp has a
 * fixed length, so one text stands for one request. The separator (`?verify=`) is not signed.
 */
export function cloudflareStringToSign(message: string, timestamp: string): string {
  return message + timestamp;
}

/** A MAC as the token has it: "When you do not set the value of flags to 's', you must URL encode the base64 value for mac". */
export function cloudflareMac(mac: string, urlSafe: boolean): string {
  return urlSafe ? mac : encodeURIComponent(macBase64(mac));
}
