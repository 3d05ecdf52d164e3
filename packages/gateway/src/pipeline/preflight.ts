import { type CorsPolicy, preflight, VARY } from "../http/cors.ts";
import { type CorsRule, preflightByRules } from "../http/cors-rules.ts";
import type { Answer } from "./outcome.ts";
import type { Received } from "./receive.ts";
import { Refusal } from "./refusal.ts";

/**
 * Answers OPTIONS from the operator's policy and the bucket's rules alone, before and without authentication: a browser sends no
 * signature with it. The answer is the same whether the object exists or not, and a bucket that does not exist has no rules.
 *
 * @throws {Refusal} `PREFLIGHT_REFUSED`, `PREFLIGHT_INCOMPLETE`
 */
export function answerPreflight(policy: CorsPolicy, rules: readonly CorsRule[], { request, fields }: Received): Answer {
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
    throw new Refusal("PREFLIGHT_INCOMPLETE", `expected ${missing} on OPTIONS, found none: send it`, { missing });
  }
  const allowed = preflight(policy, asked) ?? preflightByRules(rules, asked);
  if (allowed === undefined) {
    throw new Refusal("PREFLIGHT_REFUSED", "expected a request that a cross-origin rule allows, found another");
  }
  return { status: 204, headers: allowed.flat(), body: undefined };
}

/** The refusal of a preflight, kept apart by what it depends on like the answer that allows one. */
export function refusedPreflight(refused: Answer): Answer {
  return { ...refused, headers: [...refused.headers, "vary", VARY] };
}
