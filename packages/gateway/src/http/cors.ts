/**
 * Cross-origin requests by the operator's policy, which is the same for every path; what a bucket's own rules allow besides is in
 * `cors-rules.ts`. A preflight carries no signature, so it is answered before authentication, and tells nothing about objects.
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

/** The three headers of a preflight, as they came. */
export interface PreflightRequest {
  readonly origin: string | undefined;
  /** `Access-Control-Request-Method` */
  readonly method: string | undefined;
  /** `Access-Control-Request-Headers` */
  readonly headers?: string | undefined;
}

/** Those that anything here is asked for by. */
export const METHODS: readonly string[] = ["GET", "HEAD", "PUT", "POST", "DELETE"];
const REQUEST_HEADERS = [
  "content-type",
  "content-md5",
  "content-disposition",
  "content-encoding",
  "content-language",
  "cache-control",
  "expires",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "if-range",
  "range",
  "authorization",
  "x-amz-*",
];
const EXPOSED =
  "etag, content-length, content-range, content-disposition, accept-ranges, last-modified, x-request-id, x-amz-request-id, x-amz-id-2, x-amz-version-id";

/** The answer depends on these, so a cache must keep the answers apart. */
export const VARY = "origin, access-control-request-method, access-control-request-headers";

/**
 * Answers a preflight with the headers of a 204, or `undefined` when the policy allows no such request (answer 403, and
 * nothing more). Never allows credentials: a presigned URL is the credential.
 */
export function preflight(policy: CorsPolicy, request: PreflightRequest): HeaderList | undefined {
  const origin = allowedOrigin(policy, request.origin);
  const method = request.method;
  if (origin === undefined || method === undefined || !(policy.methods ?? METHODS).includes(method)) return undefined;
  const names = requestedHeaders(request);
  const patterns = (policy.headers ?? REQUEST_HEADERS).map((pattern) => pattern.toLowerCase());
  if (!names.every((name) => patterns.some((pattern) => covers(pattern, name)))) return undefined;
  return [
    ["access-control-allow-origin", origin],
    ["access-control-allow-methods", method],
    ...(names.length === 0 ? [] : [["access-control-allow-headers", names.join(", ")] as const]),
    ["access-control-max-age", String(policy.maxAge ?? 600)],
    ["vary", VARY],
  ];
}

/** The headers that every other response carries for a request with this `Origin`; `undefined` when the policy does not allow it. */
export function corsHeaders(policy: CorsPolicy, origin: string | undefined): HeaderList | undefined {
  const allowed = allowedOrigin(policy, origin);
  if (allowed === undefined) return undefined;
  return [
    ["access-control-allow-origin", allowed],
    ["access-control-expose-headers", EXPOSED],
    ["vary", "origin"],
  ];
}

/** The names in `Access-Control-Request-Headers`, in lower case. What is no name is sent back to nobody. */
export function requestedHeaders({ headers = "" }: PreflightRequest): readonly string[] {
  return headers
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
}

function allowedOrigin(policy: CorsPolicy, origin: string | undefined): string | undefined {
  if (origin === undefined) return undefined;
  if (policy.origins?.includes("*") === true) return "*";
  return policy.origins?.includes(origin) === true ? origin : undefined;
}

export function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name);
}

function covers(pattern: string, name: string): boolean {
  if (!isHeaderName(name)) return false;
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}
