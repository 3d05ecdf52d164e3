/** Which pages of other origins may send a request, and read its response. */
import type { WireRequest } from "daypass";
import { type CorsRule, preflight, VARY } from "../http/cors.ts";
import type { Storage } from "../storage/contract/storage.ts";
import { addressedBucket } from "./addressed-bucket.ts";
import { within } from "./early-response.ts";
import type { Answer } from "./outcome.ts";
import type { Received } from "./receive.ts";
import { Refusal } from "./refusal.ts";

export type SignalSource = AbortSignal | (() => AbortSignal) | undefined;

export const NO_RULES: readonly CorsRule[] = [];

/**
 * Looks up the cross-origin rules of the bucket that a request is addressed to. Returns none if the storage fails or the client disconnects:
 * the request itself reports that.
 */
export function bucketRules(
  storage: Storage,
  origins: readonly string[],
): (request: WireRequest, signal: SignalSource) => Promise<readonly CorsRule[]> {
  const bucketOf = addressedBucket(origins);
  return async (request, signal) => {
    try {
      return (await unlessDisconnected(storage.corsRules(bucketOf(request)), signal)) ?? NO_RULES;
    } catch {
      return NO_RULES;
    }
  };
}

/** Most lookups finish before this, and a signal costs more than a lookup. */
const SOON_MS = 100;

/** Returns the result of a shared lookup, or `undefined` if the client disconnects first. The lookup continues for other requests. */
async function unlessDisconnected<T>(lookup: Promise<T>, source: SignalSource): Promise<T | undefined> {
  const soon = await within(lookup, SOON_MS);
  if (soon !== undefined) return soon.value;
  const signal = typeof source === "function" ? source() : source;
  if (signal === undefined) return lookup;
  let stop = (): void => {};
  const disconnected = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([lookup, disconnected]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/**
 * Answers OPTIONS by the rules alone, without authentication: a browser sends no signature with it. The answer is the same for every object;
 * a bucket that does not exist has no rules.
 *
 * @throws {Refusal} `PREFLIGHT_REFUSED`, `PREFLIGHT_INCOMPLETE`
 */
export function answerPreflight(rules: readonly CorsRule[], { request, fields }: Received): Answer {
  const value = (wanted: string): string | undefined =>
    request.headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const asked = {
    origin: fields.origin,
    method: value("access-control-request-method"),
    headers: value("access-control-request-headers"),
  };
  const missing =
    asked.origin === undefined ? "origin" : asked.method === undefined ? "access-control-request-method" : undefined;
  if (missing !== undefined) {
    throw new Refusal("PREFLIGHT_INCOMPLETE", `the preflight has no ${missing} header. Send it`, { missing });
  }
  const allowed = preflight(rules, asked);
  if (allowed === undefined) {
    throw new Refusal("PREFLIGHT_REFUSED", "no CORS rule allows this origin, method and headers. Add one");
  }
  return { status: 200, headers: [...allowed.flat(), "content-length", "0"], body: undefined };
}

/** Adds the headers that a preflight's refusal depends on. */
export function refusedPreflight(refused: Answer): Answer {
  return { ...refused, headers: [...refused.headers, "vary", VARY] };
}
