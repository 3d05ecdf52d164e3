/** The only socket code of the driver: one request with a streamed body, and one answer. */
import { once } from "node:events";
import { type Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { S3Timeouts } from "./options.ts";

export interface WireCall {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** In whole, or a stream of the announced length. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface WireOptions {
  readonly agents: { readonly http: Agent; readonly https: Agent };
  readonly timeouts: Required<{ [name in keyof S3Timeouts]: number }>;
}

export interface WireAnswer {
  readonly answer: IncomingMessage;
  /** Whether the whole body was sent before the answer came. An earlier answer does not confirm the rest. */
  readonly sent: boolean;
}

/** An error of the body itself. The client caused it, not the upstream. */
export class BodyError extends Error {
  override readonly name = "BodyError";
}

/**
 * Enough for all headers of an object and of the server. With Node's default of 16 KB, an object that was stored with large headers
 * could be neither read nor deleted.
 */
const MAX_HEAD = 64 * 1024;

// The target is sent as it was signed: a URL parser would remove dot segments.
const URL_PARTS = /^(https?):\/\/(\[[^\]]+\]|[^/:]+)(?::(\d+))?(\/.*)$/;

/**
 * Resolves to the head of the answer. If the answer comes before the end of the body, the rest is not sent. An error of `body` becomes
 * the cause of a `BodyError`, and the connection is destroyed, so the upstream never gets a complete request.
 */
export async function send(call: WireCall, options: WireOptions): Promise<WireAnswer> {
  for (let attempt = 0; ; attempt++) {
    const sent = open(call, options);
    try {
      return await sent.answer;
    } catch (error) {
      // The upstream may have closed the idle connection at the same moment. A streamed body was not read yet.
      const stale = sent.request.reusedSocket && attempt === 0 && !sent.begun() && isIdempotent(call);
      if (!stale || !isBroken(error) || call.signal?.aborted === true) throw error;
      // A load balancer or a restarted upstream that dropped this connection silently has dropped the other idle ones too.
      for (const agent of [options.agents.http, options.agents.https]) closeUnused(agent);
    }
  }
}

function closeUnused({ freeSockets }: Agent): void {
  for (const socket of Object.values(freeSockets).flatMap((sockets) => sockets ?? [])) socket.destroy();
}

/** A timeout does not count: an overloaded upstream would get every request twice. */
function isBroken(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
}

function isIdempotent({ method, headers }: WireCall): boolean {
  return method !== "POST" && !("if-none-match" in headers) && !("if-match" in headers);
}

/** If Node knows the length of the body, it reads a later Content-Disposition as UTF-8 and changes letters of Latin-1. */
function dispositionFirst(headers: WireCall["headers"]): WireCall["headers"] {
  const { "content-disposition": disposition, ...others } = headers;
  return disposition === undefined ? headers : { "content-disposition": disposition, ...others };
}

/** Whether a value contains a character beyond ASCII. Each character stands for one byte. */
function hasBytes(headers: WireCall["headers"]): boolean {
  return Object.values(headers).some((value) => /[\x80-\xff]/.test(value));
}

interface Sent {
  readonly request: ClientRequest;
  readonly answer: Promise<WireAnswer>;
  /** Whether a streamed body was read from. */
  begun(): boolean;
}

function open(call: WireCall, { agents, timeouts }: WireOptions): Sent {
  const [, scheme, host = "", port, path] = URL_PARTS.exec(call.url) ?? [];
  const secure = scheme === "https";
  const streams = call.body !== undefined && !(call.body instanceof Uint8Array);
  const request = (secure ? httpsRequest : httpRequest)({
    host: host.replace(/^\[|\]$/g, ""),
    port,
    path,
    method: call.method,
    // An upstream can refuse before a long body is sent, and the connection stays usable.
    headers: { ...dispositionFirst(call.headers), ...(streams ? { expect: "100-continue" } : {}) },
    agent: secure ? agents.https : agents.http,
    maxHeaderSize: MAX_HEAD,
    signal: call.signal,
  });
  let begun = false;
  let answered = false;
  let limit: NodeJS.Timeout | undefined;
  const within = (ms: number, what: string): void => {
    clearTimeout(limit);
    limit = setTimeout(() => request.destroy(timeout(what)), ms);
  };
  // Counted here: the answer may arrive before the event `finish`.
  let unsent = streams ? Number(call.headers["content-length"]) : 0;
  const answer = new Promise<WireAnswer>((resolve, reject) => {
    // `on`, not `once`: a write may fail again after an early answer, and would be an unhandled error.
    request.on("error", (error) => {
      clearTimeout(limit);
      reject(error);
    });
    // After a protocol upgrade by the upstream, Node reports neither an error nor an answer.
    request.once("close", () => {
      clearTimeout(limit);
      reject(Object.assign(new Error("the connection ended without an answer"), { code: "EPROTO" }));
    });
    request.once("response", (response) => {
      answered = true;
      clearTimeout(limit);
      watch(response, timeouts.idleMs);
      // The upstream would read the rest of the body as the next request.
      response.once("close", () => {
        if (!request.writableFinished) request.destroy();
      });
      resolve({ answer: response, sent: unsent === 0 });
    });
    const onConnection = (connected: () => void): void =>
      void request.once("socket", (socket) => {
        if (socket.connecting) socket.once(secure ? "secureConnect" : "connect", connected);
        else connected();
      });
    request.once("socket", ({ connecting }) => {
      if (connecting) within(timeouts.connectMs, "connection");
    });
    onConnection(() => within(timeouts.answerMs, "answer"));
    within(timeouts.answerMs, "answer");
    if (!streams) {
      // Passed to `end`, the body's length would be known before the head is written: see `dispositionFirst`.
      const apart = call.body !== undefined && hasBytes(call.headers);
      if (apart) request.write(call.body);
      request.end(apart ? undefined : call.body);
      return;
    }
    const body = call.body;
    let started = false;
    const start = (): void => {
      if (started || answered || request.destroyed) return;
      started = true;
      begun = true;
      clearTimeout(limit);
      const onSent = (bytes: number): void => {
        unsent -= bytes;
      };
      pump(request, body, { idleMs: timeouts.idleMs, onSent })
        .then((whole) => {
          if (whole) within(timeouts.answerMs, "answer");
        })
        .catch((error: unknown) => {
          reject(new BodyError("the body ended with an error", { cause: error }));
          request.destroy();
        });
    };
    // Node writes an early head in the encoding of the socket. In UTF-8, one byte of a header would become two.
    request.once("socket", (socket) => socket.setDefaultEncoding("latin1"));
    request.once("continue", start);
    // RFC 9110 §10.1.1: a client "SHOULD NOT wait for an indefinite period before sending the content". The wait starts when the
    // connection is established: a body that was read earlier would be lost to a second attempt.
    let patience: NodeJS.Timeout | undefined;
    onConnection(() => {
      patience = setTimeout(start, 1000);
    });
    request.once("continue", () => clearTimeout(patience));
    request.once("close", () => clearTimeout(patience));
    request.flushHeaders();
  });
  return { request, answer, begun: () => begun };
}

/** Sends a body with back-pressure. Resolves to whether it was sent in whole: an early answer ends it. */
async function pump(
  request: ClientRequest,
  body: AsyncIterable<Uint8Array>,
  { idleMs, onSent }: { readonly idleMs: number; readonly onSent: (bytes: number) => void },
): Promise<boolean> {
  let over = false;
  const ended = new AbortController();
  const end = (): void => {
    over = true;
    ended.abort();
  };
  request.once("response", end);
  request.once("close", end);
  for await (const piece of body) {
    if (over) return false;
    onSent(piece.length);
    if (request.write(piece)) continue;
    const stuck = setTimeout(() => request.destroy(timeout("drain")), idleMs);
    try {
      await once(request, "drain", { signal: ended.signal });
    } catch {
      return false;
    } finally {
      clearTimeout(stuck);
    }
  }
  if (over) return false;
  request.end();
  return true;
}

/** Destroys an answer that stalls. An answer that waits for its reader, and a complete one, do not count. */
function watch(response: IncomingMessage, idleMs: number): void {
  let last = response.socket.bytesRead;
  const timer = setInterval(() => {
    const { bytesRead } = response.socket;
    const waits = response.complete || response.readableFlowing === null || response.readableLength > 0;
    if (bytesRead === last && !waits) response.destroy(timeout("data"));
    last = bytesRead;
  }, idleMs);
  timer.unref();
  response.once("close", () => clearInterval(timer));
}

/** An unwanted answer up to this size is read to its end, so that its connection can be reused. */
export const WORTH_READING: number = 64 * 1024;
const END_MS = 5000;

/** Releases an answer whose body is not needed. */
export function drop(answer: IncomingMessage | undefined): void {
  if (answer === undefined) return;
  let size = 0;
  const late = setTimeout(() => answer.destroy(), END_MS).unref();
  answer.once("close", () => clearTimeout(late));
  answer.on("data", (piece: Buffer) => {
    size += piece.length;
    if (size > WORTH_READING) answer.destroy();
  });
}

export function timeout(what: string): Error {
  return Object.assign(new Error(`no ${what} in time`), { code: "ETIMEDOUT" });
}
