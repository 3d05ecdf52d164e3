import { type CorsPolicy, preflight } from "../http/cors.ts";
import type { Answer } from "./outcome.ts";
import type { Received } from "./target.ts";

/**
 * Answers OPTIONS from configuration alone, before and without authentication: a browser sends no signature with it, and the
 * answer is the same whether the object exists or not.
 */
export function answerPreflight(policy: CorsPolicy, { request, fields }: Received): Answer {
  const value = (wanted: string): string | undefined =>
    request.headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const allowed = preflight(policy, {
    origin: fields.origin,
    method: value("access-control-request-method"),
    headers: value("access-control-request-headers"),
  });
  if (allowed === undefined)
    return { status: 403, headers: ["content-length", "0", "cache-control", "no-store"], body: undefined };
  return { status: 204, headers: allowed.flat(), body: undefined };
}
