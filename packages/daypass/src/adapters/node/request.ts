import type { WireRequest } from "../../core/contracts.ts";
import { DaypassError } from "../../core/errors.ts";
import { wireRequest } from "../../wire/request-head.ts";

/** The parts of an `http.IncomingMessage`, an `http2.Http2ServerRequest` or an Express request that are read. */
export interface NodeRequest {
  readonly method?: string | undefined;
  /** Rewritten by middleware that mounts one router in another. */
  url?: string | undefined;
  /** The target as it was before any mount, which Express, Connect and similar frameworks provide. */
  readonly originalUrl?: string | undefined;
  /** The part of the path that a mount removed from `url`, if the framework provides it. */
  readonly baseUrl?: string | undefined;
  /** Names and values by turns, as received. */
  readonly rawHeaders: readonly string[];
  /** Read where {@link rawHeaders} is empty: adapters that run Express on an event, such as serverless-http, fill only these. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>> | undefined;
  /** 1 or 2: HTTP/2 has `:authority` in the place of `Host`. */
  readonly httpVersionMajor: number;
  readonly socket: { readonly remoteAddress?: string | undefined };
  /** Whether the client aborted the request, as reported by Node. */
  readonly aborted?: boolean | undefined;
}

/** Options of {@link toWireRequest}. */
export interface WireOptions {
  /**
   * How many proxies in front are yours. Each appends the peer that it saw to `X-Forwarded-For`, so the client's address
   * is that many entries from the right. 0 by default: the address of the socket. Further left anyone may write.
   */
  readonly trustedHops?: number | undefined;
  /** The client's address, if it is known from elsewhere. Overrides `trustedHops`. */
  readonly remoteAddress?: string | undefined;
  /**
   * The server's `maxHeadersCount`, 1000 by default, as in Node. Node drops further headers silently, so a
   * request that reaches it is refused.
   */
  readonly maxHeadersCount?: number | undefined;
}

/**
 * Returns the request as it was on the wire, from Node's raw headers and the target before any mount. Verifies nothing and
 * normalises no path.
 *
 * Refuses what two parsers could read differently: several `Host`, `Content-Type` or `Content-Length` headers, no
 * `Host`, a target in absolute form for another authority, a `Transfer-Encoding` other than `chunked` or combined with a
 * length, `#` and `\` in the target, and so many headers that Node may have dropped some.
 *
 * Source: RFC 9112 sections 3.2 and 6.1, RFC 9113 section 8.3.1
 *
 * @throws {TypeError} if it is not a Node request
 * @throws {DaypassError} `MALFORMED`; `INVALID_INPUT` if `trustedHops` is not a number of proxies
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { toWireRequest } from "daypass/node";
 *
 * createServer((req, res) => res.end(toWireRequest(req).target));
 * ```
 */
export function toWireRequest(req: NodeRequest, options: WireOptions = {}): WireRequest {
  const rawHeaders = headerFields(req);
  if (!isWholeHead(rawHeaders, options)) {
    throw new DaypassError(
      "MALFORMED",
      "the request has so many headers that the server may have dropped some. Send fewer",
      { details: { part: "headers" } },
    );
  }
  const headers: [string, string][] = [];
  let authority: string | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const value = rawHeaders[i + 1] as string;
    // Node lists HTTP/2's pseudo-headers among the others. No HTTP/1 header name can start with a colon.
    if (name.charCodeAt(0) !== COLON) headers.push([name, value]);
    else if (name === ":authority") authority = value;
  }
  return wireRequest({
    method: req.method ?? "",
    target: req.originalUrl ?? req.url ?? "",
    authority,
    headers,
    remoteAddress: options.remoteAddress ?? clientAddress(req, headers, options.trustedHops ?? 0),
  });
}

// Node documents 2000 as the default and counts names and values: seen on Node 20 to drop from 1000 headers on.
const NODE_MAX_HEADERS_COUNT = 1000;

/** Whether Node cannot have dropped a header. Returns `false` if the limit is not a number. */
export function isWholeHead(
  fields: readonly string[],
  { maxHeadersCount = NODE_MAX_HEADERS_COUNT }: WireOptions,
): boolean {
  return fields.length / 2 < maxHeadersCount;
}

const COLON = 58;

/**
 * Refuses an object that is not a request of Node. A framework's own request has other methods, and
 * only the headers that Node has kept.
 *
 * @throws {TypeError}
 */
export function checkRequest({ rawHeaders }: NodeRequest): void {
  if (Array.isArray(rawHeaders)) return;
  throw new TypeError(
    "the request is not Node's own. Pass request.raw and reply.raw of Fastify, ctx.req and ctx.res of Koa",
  );
}

/** Names and values by turns. A request that Node has read has at least a Host there. */
export function headerFields(req: NodeRequest): readonly string[] {
  checkRequest(req);
  const { rawHeaders, headers } = req;
  if (rawHeaders.length > 0) return rawHeaders;
  // serverless-http has the length of a body as a number.
  return Object.entries(headers ?? {}).flatMap(([name, given]) =>
    [given ?? []].flat().flatMap((value) => [name, String(value)]),
  );
}

/** Throws `INVALID_INPUT` where this is no number of proxies. */
export function checkHops(trustedHops: number): void {
  if (!Number.isSafeInteger(trustedHops) || trustedHops < 0) {
    throw new DaypassError("INVALID_INPUT", `trustedHops is ${trustedHops}. Pass the number of your proxies`);
  }
}

/** The entry that the outermost trusted proxy wrote; unknown if the chain is shorter than configured. */
function clientAddress(
  req: NodeRequest,
  headers: readonly (readonly [string, string])[],
  trustedHops: number,
): string | undefined {
  if (trustedHops === 0) return req.socket.remoteAddress;
  checkHops(trustedHops);
  const chain = headers
    .filter(([name]) => name.toLowerCase() === "x-forwarded-for")
    .flatMap(([, value]) => value.split(","))
    .map((entry) => entry.trim());
  return chain.at(-trustedHops) || undefined;
}
