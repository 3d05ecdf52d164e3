/**
 * Cross-origin requests, by the operator's policy and by the rules of a bucket. Both are rules; the policy is the first. A preflight carries
 * no signature, so it is answered before authentication, and reveals nothing about objects. Credentials are never allowed: a presigned URL is
 * the credential.
 * @module
 */
import type { HeaderList } from "./content-headers.ts";

/** Which pages of other origins may use the gateway: the same for every path. */
export interface CorsPolicy {
  /** `https://app.example.com`, compared as a whole and case-sensitively, or `*`. Without any, no cross-origin request is allowed. */
  readonly origins?: readonly string[] | undefined;
  /** Methods a page may use. */
  readonly methods?: readonly string[] | undefined;
  /** Request headers that a page may send, in any letter case; one `*` at the end matches anything (`x-amz-meta-*`). */
  readonly headers?: readonly string[] | undefined;
  /** Seconds a browser may remember a preflight. */
  readonly maxAge?: number | undefined;
}

/** Which pages of other origins may use a bucket: one of the rules that its owner has set. */
export interface CorsRule {
  /** The name that its owner gave it. */
  readonly id?: string | undefined;
  /** Each with at most one `*`, which matches any characters. */
  readonly origins: readonly string[];
  /** Any of `GET`, `HEAD`, `PUT`, `POST`, `DELETE`. */
  readonly methods: readonly string[];
  /** Request headers a page may send, in any case, each with one `*` at most. */
  readonly headers: readonly string[];
  /** Response headers a page may read. */
  readonly exposeHeaders: readonly string[];
  /** Seconds a browser may remember a preflight. */
  readonly maxAge?: number | undefined;
}

/** The three headers of a preflight, as they came. */
export interface PreflightRequest {
  readonly origin: string | undefined;
  /** `Access-Control-Request-Method` */
  readonly method: string | undefined;
  /** `Access-Control-Request-Headers` */
  readonly headers?: string | undefined;
}

/** The methods of the gateway. */
export const METHODS: readonly string[] = ["GET", "HEAD", "PUT", "POST", "DELETE"];
const REQUEST_HEADERS =
  "content-type content-md5 content-disposition content-encoding content-language cache-control expires if-match if-none-match if-modified-since if-unmodified-since if-range range authorization x-amz-*";
const EXPOSED =
  "etag content-length content-range content-disposition accept-ranges last-modified x-request-id x-amz-request-id x-amz-id-2 x-amz-version-id";

/** A preflight's answer depends on these headers, so caches keep the answers apart. */
export const VARY = "origin, access-control-request-method, access-control-request-headers";

/** As many headers as a request may have. Each is compared with each pattern before authentication. */
const MAX_NAMES = 100;

/** Returns the operator's policy as a rule. */
export function policyRule({ origins = [], methods, headers, maxAge = 600 }: CorsPolicy): CorsRule {
  return {
    origins,
    methods: methods ?? METHODS,
    headers: headers ?? REQUEST_HEADERS.split(" "),
    exposeHeaders: EXPOSED.split(" "),
    maxAge,
  };
}

/**
 * Returns the headers of a 204 to a preflight, by the first rule that allows all of it: "Amazon S3 … uses the first CORSRule rule that
 * matches". Returns `undefined` if no rule does: then the answer is 403, without a reason.
 */
export function preflight(rules: readonly CorsRule[], request: PreflightRequest): HeaderList | undefined {
  const { origin, method } = request;
  if (origin === undefined || method === undefined) return undefined;
  const names = requestedHeaders(request);
  if (names.length > MAX_NAMES || !names.every(isHeaderName)) return undefined;
  const rule = rules.find((candidate) => {
    if (!allows(candidate, origin) || !candidate.methods.includes(method)) return false;
    const patterns = candidate.headers.map((pattern) => pattern.toLowerCase());
    return names.every((name) => patterns.some((pattern) => matches(pattern, name)));
  });
  if (rule === undefined) return undefined;
  return [
    ...corsHeaders(rule, origin).slice(0, -1),
    ["access-control-allow-methods", rule.methods.join(", ")],
    ...(names.length === 0 ? [] : [["access-control-allow-headers", names.join(", ")] as const]),
    ...(rule.maxAge === undefined ? [] : [["access-control-max-age", String(rule.maxAge)] as const]),
    ["vary", VARY],
  ];
}

/**
 * Returns the headers that every other response carries for a request with this `Origin`; `undefined` if no rule allows the page to read it.
 * The policy applies to every method.
 */
export function responseHeaders(
  policy: CorsRule,
  rules: readonly CorsRule[],
  { origin, method }: { readonly origin: string; readonly method: string },
): HeaderList | undefined {
  const rule = allows(policy, origin)
    ? policy
    : rules.find((candidate) => allows(candidate, origin) && candidate.methods.includes(method));
  return rule === undefined ? undefined : corsHeaders(rule, origin);
}

function corsHeaders({ origins, exposeHeaders }: CorsRule, origin: string): HeaderList {
  const exposed =
    exposeHeaders.length === 0 ? [] : [["access-control-expose-headers", exposeHeaders.join(", ")] as const];
  return [["access-control-allow-origin", origins.includes("*") ? "*" : origin], ...exposed, ["vary", "origin"]];
}

function requestedHeaders({ headers = "" }: PreflightRequest): readonly string[] {
  return headers
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
}

function allows({ origins }: CorsRule, origin: string): boolean {
  // The origin is sent back, so it must be a valid header value.
  return /^[\x21-\x7e]+$/.test(origin) && origins.some((pattern) => matches(pattern, origin));
}

/** Whether the text, in lower case, is the name of a header. */
export function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name);
}

/** Compares a text with a pattern that has one `*` at most, without a regular expression. */
function matches(pattern: string, text: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return pattern === text;
  const start = pattern.slice(0, star);
  const end = pattern.slice(star + 1);
  return text.length >= start.length + end.length && text.startsWith(start) && text.endsWith(end);
}
