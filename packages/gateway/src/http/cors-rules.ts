/**
 * The cross-origin rules of a bucket, as its owner has set them.
 * @module
 */
import type { HeaderList } from "./content-headers.ts";
import { isHeaderName, type PreflightRequest, requestedHeaders, VARY } from "./cors.ts";

/** Which pages of other origins may use a bucket: one of the rules that its owner has set. */
export interface CorsRule {
  /** The name that its owner gave it. */
  readonly id?: string | undefined;
  /** Each with at most one `*`, which matches any characters. */
  readonly origins: readonly string[];
  /** Of `GET`, `HEAD`, `PUT`, `POST`, `DELETE`. */
  readonly methods: readonly string[];
  /** Request headers a page may send, in any case, each with one `*` at most. */
  readonly headers: readonly string[];
  /** Response headers a page may read. */
  readonly exposeHeaders: readonly string[];
  /** Seconds a browser may remember a preflight. */
  readonly maxAge?: number | undefined;
}

/** As many headers as a request may have at all. Each is held against each pattern, before anybody has signed anything. */
const MAX_NAMES = 100;

/**
 * Answers a preflight by the first rule that allows all of it: "Amazon S3 … uses the first CORSRule rule that matches". Never allows
 * credentials, which Amazon does: here the URL is the credential.
 */
export function preflightByRules(rules: readonly CorsRule[], request: PreflightRequest): HeaderList | undefined {
  const { origin, method } = request;
  if (origin === undefined || method === undefined) return undefined;
  const names = requestedHeaders(request);
  if (names.length > MAX_NAMES || !names.every(isHeaderName)) return undefined;
  const rule = rules.find((candidate) => {
    if (!allows(candidate, origin, method)) return false;
    const patterns = candidate.headers.map((pattern) => pattern.toLowerCase());
    return names.every((name) => patterns.some((pattern) => matches(pattern, name)));
  });
  if (rule === undefined) return undefined;
  return [
    ["access-control-allow-origin", allowedOrigin(rule, origin)],
    ["access-control-allow-methods", rule.methods.join(", ")],
    ...(names.length === 0 ? [] : [["access-control-allow-headers", names.join(", ")] as const]),
    ...exposed(rule),
    ...(rule.maxAge === undefined ? [] : [["access-control-max-age", String(rule.maxAge)] as const]),
    ["vary", VARY],
  ];
}

/** The headers that every other response carries for a request with this `Origin`; `undefined` when no rule allows it. */
export function corsHeadersByRules(
  rules: readonly CorsRule[],
  { origin, method }: { readonly origin: string | undefined; readonly method: string },
): HeaderList | undefined {
  const rule = origin === undefined ? undefined : rules.find((candidate) => allows(candidate, origin, method));
  if (origin === undefined || rule === undefined) return undefined;
  return [["access-control-allow-origin", allowedOrigin(rule, origin)], ...exposed(rule), ["vary", "origin"]];
}

function allows({ origins, methods }: CorsRule, origin: string, method: string): boolean {
  // It is sent back, so it has to be something that a header can hold.
  return /^[\x21-\x7e]+$/.test(origin) && methods.includes(method) && origins.some((it) => matches(it, origin));
}

function allowedOrigin({ origins }: CorsRule, origin: string): string {
  return origins.includes("*") ? "*" : origin;
}

function exposed({ exposeHeaders }: CorsRule): HeaderList {
  return exposeHeaders.length === 0 ? [] : [["access-control-expose-headers", exposeHeaders.join(", ")]];
}

/** One `*` at most, so this is two comparisons and no pattern. */
function matches(pattern: string, text: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return pattern === text;
  const start = pattern.slice(0, star);
  const end = pattern.slice(star + 1);
  return text.length >= start.length + end.length && text.startsWith(start) && text.endsWith(end);
}
