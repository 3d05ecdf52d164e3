/** Which headers pass a route: an allow-list to the upstream, a deny-list to the client. */
import { cacheControl } from "../http/content-headers.ts";
import type { Route } from "./contract.ts";

/** Describe the client and its request, and say nothing about who the client is. */
const ALLOWED: ReadonlySet<string> = new Set([
  "accept",
  "accept-charset",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "pragma",
  "prefer",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-md5",
  "content-range",
  "content-type",
  "digest",
  "repr-digest",
  "content-digest",
  "want-repr-digest",
  "want-content-digest",
  "idempotency-key",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "range",
  "last-event-id",
  "traceparent",
  "tracestate",
  "user-agent",
]);

const HANDSHAKE: ReadonlySet<string> = new Set(
  ["extensions", "key", "protocol", "version"].map((name) => `sec-websocket-${name}`),
);

// RFC 9110 §7.6.1, and the fields that frame a message.
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "content-length",
  "host",
  "expect",
  "via",
  "max-forwards",
]);

// Servers believe these because a proxy wrote them. A name with `_` would become another name in WSGI and CGI.
const CLAIMED = /_|^(?:x-forwarded|forwarded$|x-original|x-rewrite|x-real-ip$|x-client-ip$|true-client-ip$|x-remote-)/;
const OVERRIDE = /^x-(?:http-)?method|^x-method-override$|^(?:daypass|dp|proxy|x-accel|x-sendfile)(?:-|$)/;

/** Whether a header of a client may never reach an upstream, even if the URL binds it or the operator allows it. */
export function isNeverForwarded(name: string): boolean {
  return HOP_BY_HOP.has(name) || name === "cookie" || CLAIMED.test(name) || OVERRIDE.test(name);
}

/** The identity that the upstream receives. */
export interface ForwardedIdentity {
  readonly grant: string;
  readonly key: string;
  readonly subject: string | undefined;
  readonly remoteAddress: string | undefined;
}

export interface HeadersUp {
  readonly route: Pick<Route, "cookies" | "headers" | "host" | "origin">;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Names of headers that the signature binds, without those that are never forwarded. */
  readonly bound: readonly string[];
  readonly contentLength: string | undefined;
  readonly isUpgrade: boolean;
  readonly identity: ForwardedIdentity;
}

/** The headers of a request to an upstream, alternating names and values. */
export function headersUp({ route, headers, bound, contentLength, isUpgrade, identity }: HeadersUp): string[] {
  const up = ["host", route.host];
  for (const [given, value] of headers) {
    const name = given.toLowerCase();
    if (ALLOWED.has(name) || bound.includes(name) || route.headers.has(name) || (isUpgrade && HANDSHAKE.has(name)))
      up.push(name, value);
    else if (name === "cookie" && route.cookies) {
      const kept = withoutOwnCookies(value);
      if (kept !== "") up.push(name, kept);
    }
  }
  if (contentLength !== undefined) up.push("content-length", contentLength);
  const { origin } = route;
  const mark = origin.indexOf("://");
  up.push("x-forwarded-proto", origin.slice(0, mark), "x-forwarded-host", origin.slice(mark + 3));
  if (identity.remoteAddress !== undefined) up.push("x-forwarded-for", identity.remoteAddress);
  return [...up, ...identityHeaders(identity)];
}

/** Who was permitted, for the server behind. A subject is percent-encoded. */
export function identityHeaders({ grant, key, subject }: Omit<ForwardedIdentity, "remoteAddress">): string[] {
  const headers = ["daypass-grant", asValue(grant), "daypass-key", asValue(key)];
  if (subject !== undefined) headers.push("daypass-subject", encodeURIComponent(subject));
  return headers;
}

function asValue(text: string): string {
  return /^[!-~]*$/.test(text) ? text : encodeURIComponent(text);
}

function withoutOwnCookies(value: string): string {
  const kept = value.split(";").filter((pair) => !isOwnCookie(pair.trimStart()));
  return kept.join(";").trim();
}

function isOwnCookie(pair: string): boolean {
  return /^(?:__secure-|__host-)?dp-/i.test(pair);
}

// A proxy in front of the gateway would act on the second group: it could be made to send any file.
const NOT_DOWN =
  /^(?:access-control-.*|alt-svc|refresh|set-cookie2|daypass-.*|x-accel-.*|x-sendfile.*|x-lighttpd-send-file|x-lighttpd-send-tempfile|x-reproxy-.*)$/;

/** Caches obey these before `Cache-Control` (RFC 9213, section 2.2), or age a response by them. */
const FOR_CACHES = /^(?:age|expires|surrogate-control|edge-control|.*cdn-cache-control)$/;

/** What happens to a response header. */
type Fate = "drop" | "pass" | "look";

/** Decided once for each name: the patterns cost more than the rest of a small answer. An upstream that invents names must not fill the memory. */
const fates = new Map<string, Fate>();
const MAX_FATES = 1000;
const LOOKED_AT: ReadonlySet<string> = new Set([
  "set-cookie",
  "referrer-policy",
  "location",
  "content-location",
  "cache-control",
]);

function fateOf(name: string): Fate {
  const known = fates.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  const isDropped = (lower !== "content-length" && HOP_BY_HOP.has(lower)) || NOT_DOWN.test(lower);
  const fate = isDropped ? "drop" : LOOKED_AT.has(lower) || FOR_CACHES.test(lower) ? "look" : "pass";
  if (fates.size < MAX_FATES) fates.set(name, fate);
  return fate;
}

export interface HeadersDown {
  readonly route: Pick<Route, "cookies" | "origin" | "sharedCaches" | "upstream">;
  /** The path that was asked for. */
  readonly path: string;
  /** Response headers that the signature sets; they replace the upstream's. */
  readonly overrides: Readonly<Record<string, string>>;
  /** Seconds until the grant expires. */
  readonly secondsLeft: number;
  readonly isUpgrade: boolean;
}

/** The headers of an answer to the client, alternating names and values. */
export function headersDown(given: readonly string[], options: HeadersDown): string[] {
  const { route, path, overrides, secondsLeft, isUpgrade } = options;
  const down: string[] = [];
  const caching: string[] = [];
  const named = connectionOptions(given);
  const hasOverrides = Object.keys(overrides).length > 0;
  for (let i = 0; i + 1 < given.length; i += 2) {
    const name = given[i] as string;
    let value: string | undefined = given[i + 1] as string;
    const fate = fateOf(name);
    if (fate === "drop") continue;
    if (named.size > 0 || hasOverrides || fate === "look") {
      const lower = name.toLowerCase();
      if (named.has(lower) || Object.hasOwn(overrides, lower) || lower === "referrer-policy") continue;
      if (lower === "set-cookie" && (!route.cookies || isOwnCookie(value.trimStart()))) continue;
      if (lower === "location" || lower === "content-location") value = ownLocation(value, route, path);
      if (lower === "cache-control") caching.push(value ?? "");
      if (lower === "cache-control" || (FOR_CACHES.test(lower) && !route.sharedCaches)) continue;
    }
    if (value !== undefined) down.push(name, value);
  }
  for (const [name, value] of Object.entries(overrides)) if (name !== "cache-control") down.push(name, value);
  // The address of this page is a secret: it carries a signature.
  down.push("referrer-policy", "no-referrer");
  const wish = overrides["cache-control"] ?? (caching.length > 0 ? caching.join(", ") : undefined);
  down.push("cache-control", route.sharedCaches ? (wish ?? "private") : cacheControl(wish, secondsLeft, 0));
  if (isUpgrade) down.push("connection", "upgrade", "upgrade", "websocket");
  return down;
}

const NO_OPTIONS: ReadonlySet<string> = new Set();

/** Names of further fields that belong to the connection alone; empty for the usual `keep-alive` and `close`. */
function connectionOptions(given: readonly string[]): ReadonlySet<string> {
  let options: Set<string> | undefined;
  for (let i = 0; i + 1 < given.length; i += 2) {
    const [name = "", value = ""] = [given[i], given[i + 1]];
    if (name.length !== 10 || name.toLowerCase() !== "connection" || value === "keep-alive" || value === "close")
      continue;
    options ??= new Set();
    for (const option of value.split(",")) options.add(option.trim().toLowerCase());
  }
  return options ?? NO_OPTIONS;
}

/** A location on the route's own origin; `undefined` for every other one. */
function ownLocation(value: string, { origin, upstream }: HeadersDown["route"], path: string): string | undefined {
  const base = `${origin}${path}`;
  if (!URL.canParse(value, base)) return undefined;
  const url = new URL(value, base);
  if (url.username !== "" || url.password !== "") return undefined;
  if (url.origin !== origin && url.origin !== upstream) return undefined;
  return `${origin}${url.pathname}${url.search}${url.hash}`;
}
