import type { Grant, Verifier } from "../../core/contracts.ts";
import { DaypassError } from "../../core/errors.ts";
import { admit, bodyRefusalOf, type GuardOptions, type Refusal, refusalOf, reportFault } from "../guard.ts";
import {
  checkHops,
  checkRequest,
  headerFields,
  isWholeHead,
  type NodeRequest,
  toWireRequest,
  type WireOptions,
} from "./request.ts";

/** The arguments of `writeHead`: an object, pairs, or alternating names and values. */
type GivenHeaders = Readonly<Record<string, unknown>> | readonly (readonly [string, unknown])[] | readonly unknown[];

type WriteHead = (status: number, ...rest: readonly unknown[]) => unknown;

/**
 * Sets headers of an answer at once, where what compresses or guesses a type sees them, and again as its head is
 * written, over what the handler has set: it is that late that Node calls `writeHead`, by itself, too. An error keeps
 * its own headers, as what was signed was said of the resource.
 */
export function overrideHeaders(res: NodeResponse, headers: Readonly<Record<string, string>>): void {
  const { writeHead, getHeader, removeHeader } = res as Written;
  const entries = Object.entries(headers);
  const set = (): void => {
    for (const [name, value] of entries) res.setHeader(name, value);
  };
  set();
  // A response of another make.
  if (writeHead === undefined) return;
  const names = new Set(entries.map(([name]) => name.toLowerCase()));
  const replaced: WriteHead = function (this: unknown, status, ...rest) {
    const isError = status >= 400;
    if (!isError) set();
    else for (const [name, value] of entries) if (getHeader?.call(res, name) === value) removeHeader?.call(res, name);
    const given = rest.map((part) => (isHeaders(part) ? without(part, isError ? NONE : names) : part));
    return writeHead.call(this, status, ...given);
  };
  Object.assign(res, { writeHead: replaced });
}

interface Written {
  readonly writeHead?: WriteHead;
  readonly getHeader?: (name: string) => unknown;
  readonly removeHeader?: (name: string) => unknown;
}

const NONE: ReadonlySet<string> = new Set();

// The other argument is the reason phrase.
function isHeaders(given: unknown): given is GivenHeaders {
  return typeof given === "object" && given !== null;
}

function without(given: GivenHeaders, names: ReadonlySet<string>): GivenHeaders {
  const keeps = (name: unknown): boolean => !names.has(String(name).toLowerCase());
  if (!Array.isArray(given)) return Object.fromEntries(Object.entries(given).filter(([name]) => keeps(name)));
  // Flat, because Node accepts pairs only if no header was set before.
  if (Array.isArray(given[0])) return given.filter(([name]) => keeps(name)).flat();
  return given.filter((_, at) => keeps(given[at - (at % 2)]));
}

/** The parts of an `http.ServerResponse`, an `http2.Http2ServerResponse` or an Express response that are used. */
export interface NodeResponse {
  /** The HTTP status that is sent. */
  statusCode: number;
  /** `true` once nothing but the body can still be sent. */
  readonly headersSent: boolean;
  /** Sets a header of the answer. */
  setHeader(name: string, value: string): unknown;
  /** Whether a header of the answer has been set. */
  hasHeader?(name: string): boolean;
  /** Takes a header of the answer back. */
  removeHeader?(name: string): unknown;
  /** Breaks off an answer that has begun. */
  destroy?(): unknown;
  /** Sends a part of the answer. */
  write?(body: string): unknown;
  /** Sends the answer, without a body. */
  end(): unknown;
  /** Sends the answer. */
  end(body: string): unknown;
}

/** Passes the request on, as in Express, Connect and Fastify's hooks. */
// Declared as a method, so that Fastify's `done`, which accepts only an `Error`, fits, too.
export type Next = { next(error?: unknown): void }["next"];

/** Receives the grant, so a request that was not verified cannot reach the handler. */
export type GuardedHandler<G extends Grant, Req, Res> = (grant: G, req: Req, res: Res, next: Next) => unknown;

/** Options of {@link guardNode}. */
export interface GuardNodeOptions<Req, Res> extends GuardOptions, WireOptions {
  /** The identity that the sender proved by other means, e.g. a session. A grant's subject is compared with it. */
  readonly subject?: ((req: Req) => string | undefined | Promise<string | undefined>) | undefined;
  /** Answers a refused request instead of the guard. The error's message is for the operator, its code for anyone. */
  readonly onRefusal?: ((error: DaypassError, req: Req, res: Res) => unknown) | undefined;
  /**
   * Without a `next`, called with an error that prevented a request from reaching its handler, e.g. a failed key lookup, or a
   * signed response header that cannot be sent. The guard answers it with 500 in any case, so that no stranger's request can
   * end the process; by default, it writes the error to the console. Also called with what a handler throws because its client disconnected during the body, or sent a body
   * that was not granted after the response had started.
   */
  readonly onFault?: ((error: unknown, req: Req) => void) | undefined;
}

/**
 * Runs a handler only with the grant of a verified request. Works with `createServer` and, because it takes a `next`, with
 * Express, Connect and similar frameworks.
 *
 * Refuses a path that a router could read differently from the verifier (dot segments, empty segments, needless
 * percent-encoding, and `;` unless allowed), and a request whose routed path is no longer the one on the wire. A refusal is answered with a
 * page if a browser opened the link, else with RFC 9457 problem details that contain only the error's code. Other errors go to `next`. Without a `next`, an error before the
 * handler is answered with 500 and passed to `onFault`; so is the error of a body that its client aborted, or that is refused
 * after the response has started, in which case the response is aborted. The handler's own errors reject the returned promise.
 *
 * Enforces `response` (sets the headers of every response that is not an error, overriding the handler's), `strip`
 * (removes the parameters that may vary from `req.url`), and with a store `uses`. It does not read the
 * body: list `body-length` and `body-sha256` in the verifier's `enforces` only if the handler reads through `grant.limitBody(req)`. What that throws is
 * answered as a refusal, and so is what `openBody` of `daypass/s3/header` throws for chunks.
 *
 * TypeScript does not infer `req` and `res` through a generic `app.get` or `createServer`: there they are `any`. To have them
 * checked, annotate them in the handler, or call the guard inside the route's own listener:
 * `(req, res, next) => guardNode(verifier, (grant) => …)(req, res, next)`.
 *
 * @throws {DaypassError} `INVALID_INPUT` if `trustedHops` is not a number of proxies. The returned function rejects with a
 * `TypeError`, or passes it to `next`, if it does not get a Node request
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { guardNode } from "daypass/node";
 * import { urlVerifier } from "daypass/url";
 *
 * const key = { kty: "oct", kid: "k1", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
 * const verifier = urlVerifier({ keys: [key], origins: ["http://127.0.0.1:8080"] });
 * createServer(guardNode(verifier, (grant, _req, res) => res.end(`until ${grant.expiresAt.toISOString()}`)));
 * ```
 */
// What a framework puts on them (`params`, `json()`) is no business of this module, and forbidden by any other default.
// biome-ignore lint/suspicious/noExplicitAny: only `any` compiles in `app.get(path, guardNode(verifier, (grant, req, res) => …))`
export function guardNode<G extends Grant, Req extends NodeRequest = any, Res extends NodeResponse = any>(
  verifier: Verifier<G>,
  handler: GuardedHandler<G, Req, Res>,
  options: GuardNodeOptions<Req, Res> = {},
): (req: Req, res: Res, next?: Next) => Promise<void> {
  // Here, or every request would be answered with 500.
  checkHops(options.trustedHops ?? 0);
  const refuse = async ({ error, answer }: Refusal, req: Req, res: Res): Promise<void> => {
    if (options.onRefusal !== undefined) {
      await options.onRefusal(error, req, res);
      return;
    }
    res.statusCode = answer.status;
    for (const [name, value] of Object.entries(answer.headers)) res.setHeader(name, value);
    // Closes the connection instead of reading an unwanted body. HTTP/2 forbids the header and does not need it.
    const closes = req.httpVersionMajor < 2 && mayHaveBody(req, options);
    if (closes) res.setHeader("connection", "close");
    // A server of Node may be set to throw at a body of an answer to HEAD, which any stranger can send.
    if (req.method === "HEAD") res.end();
    // Awaited, because Koa writes its own answer to a response that has not ended.
    else if (closes && isComing(req, res) && res.write) await endLate(req, res, answer.body);
    else res.end(answer.body);
  };

  const run = async (req: Req, res: Res, next?: Next): Promise<void> => {
    // First, because the response of another framework may have no `end`.
    checkRequest(req);
    let grant: G;
    try {
      const request = toWireRequest(req, options);
      checkRouted(req, request.target);
      const { uses, semicolons } = options;
      const enforces = ["response", "strip"] as const;
      grant = await admit(verifier, request, { subject: await options.subject?.(req), uses, semicolons, enforces });
      present(grant, req, res);
    } catch (error) {
      const refusal = refusalOf(error, acceptOf(req));
      if (refusal !== undefined) return refuse(refusal, req, res);
      if (next !== undefined) throw error;
      (options.onFault ?? reportFault)(error, req);
      res.statusCode = 500;
      res.end();
      return;
    }
    try {
      await handler(grant, req, res, next ?? noNext);
    } catch (error) {
      const refusal = bodyRefusalOf(error, acceptOf(req));
      if (refusal === undefined || res.headersSent) throw error;
      for (const name of OF_THE_BODY) if (res.hasHeader?.(name)) res.removeHeader?.(name);
      // Node adds no length to a response whose content-length was removed. The body is ASCII.
      if (!options.onRefusal) res.setHeader("content-length", String(refusal.answer.body.length));
      return refuse(refusal, req, res);
    }
  };

  // Not `async` itself: restify refuses an async handler with a `next`.
  return (req, res, next) =>
    run(req, res, next).catch((error) => {
      if (next) next(error);
      // A client that goes away in the middle of its body, or sends too long a one, must not end the process. HTTP/1 calls it a reset, HTTP/2 a
      // premature close, and what reads bodies an abort.
      else if (bodyRefusalOf(error, undefined) || (req.aborted && /RESET|CLOSE|ABORT/.test(error?.code))) {
        res.destroy?.();
        options.onFault?.(error, req);
      } else throw error;
    });
}

function acceptOf({ headers }: NodeRequest): string | undefined {
  return headers?.["accept"]?.toString();
}

// A handler may have set them before it read a body that is refused: they would be said of the refusal, and the length cut it short.
// A trailer would need chunks.
const OF_THE_BODY = [
  "content-length",
  "transfer-encoding",
  "trailer",
  "content-encoding",
  "content-language",
  "content-range",
];

/** Discharges the obligations that need no body. */
function present(grant: Grant, req: NodeRequest, res: NodeResponse): void {
  for (const obligation of grant.obligations) {
    if (obligation.kind === "response") overrideHeaders(res, obligation.headers);
    else if (obligation.kind === "strip") {
      // Only the query differs from the raw target. Under a mount, `url` has a shorter path than the target.
      const [path = ""] = (req.url ?? "").split("?", 1);
      const mark = grant.target.indexOf("?");
      req.url = mark < 0 ? path : path + grant.target.slice(mark);
    }
  }
}

/** A mount removes a prefix from `url`. Anything else that middleware did to the path is a path that was not verified. */
function checkRouted(req: NodeRequest, target: string): void {
  if (req.originalUrl === undefined || req.originalUrl === req.url) return;
  const path = pathOf(target);
  const routed = pathOf(req.url ?? "");
  // A mount that removes the whole path leaves a `/` that was not on the wire; h3 leaves an empty path.
  if (
    req.baseUrl === undefined
      ? ["", "/"].includes(routed) || endsWithPath(path, routed)
      : isMounted(path, req.baseUrl, routed)
  )
    return;
  throw new DaypassError("MALFORMED", "middleware rewrote the path before the guard. Put the guard before it", {
    details: { part: "path" },
  });
}

function endsWithPath(path: string, routed: string): boolean {
  return routed.startsWith("/") && path.endsWith(routed);
}

function isMounted(path: string, baseUrl: string, routed: string): boolean {
  return path === baseUrl + routed || (routed === "/" && path === baseUrl);
}

function pathOf(target: string): string {
  const mark = target.indexOf("?");
  return mark < 0 ? target : target.slice(0, mark);
}

function mayHaveBody(req: NodeRequest, options: WireOptions): boolean {
  const fields = headerFields(req);
  // The length may be among the headers that were dropped; Node has read it all the same, and waits for the body.
  if (!isWholeHead(fields, options)) return true;
  return fields.some((text, i) => i % 2 === 0 && /^(?:content-length|transfer-encoding)$/i.test(text));
}

/** The used members of a body that is still arriving. It is destroyed if a handler has read a part of it. */
interface ComingBody {
  readonly complete: boolean;
  readonly destroyed: boolean;
  on(event: "data" | "end" | "close", listener: (chunk: Uint8Array) => void): ComingBody;
  pause(): unknown;
  resume(): unknown;
}

function isComing(req: object, res: object): req is ComingBody {
  const { complete, destroyed } = req as Partial<ComingBody>;
  return complete === false && destroyed !== undefined && !(res as { destroyed?: boolean }).destroyed;
}

/**
 * Sends a refusal whole, throws a little of the body away, leaves the rest with the client, and then ends. To close at once
 * would make the kernel answer what is still coming with a reset, which can overtake the refusal (RFC 9112 §9.6): the client
 * would not learn the reason, and a proxy would answer 502.
 */
async function endLate(req: ComingBody, res: NodeResponse, body: string): Promise<void> {
  let left = 256 * 1024;
  const count = ({ length }: Uint8Array): void => {
    left -= length;
    if (left < 0) req.pause();
  };
  // In ASCII. With its length it is whole to the client before it ends. A trailer, which middleware may have announced, wants chunks.
  if (!res.hasHeader?.("trailer")) res.setHeader("content-length", String(body.length));
  res.write?.(body);
  let timer: unknown;
  await new Promise<void>((resolve) => {
    const done = (): void => resolve();
    timer = setTimeout(done, 500);
    // Node does not read a destroyed stream further, and emits no more events.
    if (!req.destroyed) req.on("data", count).on("end", done).on("close", done).resume();
  });
  clearTimeout(timer);
  // Not in the listeners: what middleware throws here would end the process.
  res.end();
}

declare function setTimeout(run: () => void, milliseconds: number): unknown;
declare function clearTimeout(timer: unknown): void;

const noNext: Next = (error) => {
  throw error ?? new TypeError("there is no next handler: guardNode was called without one");
};
