import { type CorsPolicy, preflight } from "../http/cors.ts";
import { type CorsRule, preflightByRules } from "../http/cors-rules.ts";
import type { Answer } from "./outcome.ts";
import type { Received } from "./target.ts";

/**
 * Answers OPTIONS from the operator's policy and the bucket's rules alone, before and without authentication: a browser sends no
 * signature with it. The answer is the same whether the object exists or not, and a bucket that does not exist has no rules.
 */
export function answerPreflight(policy: CorsPolicy, rules: readonly CorsRule[], { request, fields }: Received): Answer {
  const value = (wanted: string): string | undefined =>
    request.headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const asked = {
    origin: fields.origin,
    method: value("access-control-request-method"),
    headers: value("access-control-request-headers"),
  };
  const allowed = preflight(policy, asked) ?? preflightByRules(rules, asked);
  if (allowed === undefined)
    return { status: 403, headers: ["content-length", "0", "cache-control", "no-store"], body: undefined };
  return { status: 204, headers: allowed.flat(), body: undefined };
}
