/** The one place of the driver that opens sockets: one request, its body as it comes, one answer. */
import { once } from "node:events";
import { type Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { S3Timeouts } from "./options.ts";

export interface WireCall {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** In whole, or as it comes, of the length that the headers announce. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface WireOptions {
  readonly agents: { readonly http: Agent; readonly https: Agent };
  readonly timeouts: Required<{ [name in keyof S3Timeouts]: number }>;
}

export interface WireAnswer {
  readonly answer: IncomingMessage;
  /** Whether the whole body was on its way by then: an answer that came before says nothing about the rest. */
  readonly sent: boolean;
}

/** An error of the body itself, which is the uploader's and not the upstream's. */
export class BodyError extends Error {
  override readonly name = "BodyError";
}

/**
 * An object's headers came in one head, or in a form of 20 KB, and come back with the server's own: by Node's 16 KB one of them could be neither
 * read nor deleted.
 */
const MAX_HEAD = 64 * 1024;

// The target goes out as it was signed: a URL parser would take dot segments away.
const URL_PARTS = /^(https?):\/\/(\[[^\]]+\]|[^/:]+)(?::(\d+))?(\/.*)$/;

/**
 * Resolves to the head of the answer, which may come before the body is out; it then ends, and the rest is not sent. What `body` throws
 * is thrown as the cause of a `BodyError`, with the connection destroyed, so that the upstream has no whole request.
 */
export async function send(call: WireCall, options: WireOptions): Promise<WireAnswer> {
  for (let attempt = 0; ; attempt++) {
    const sent = open(call, options);
    try {
      return await sent.answer;
    } catch (error) {
      // A kept connection may have been closed by the other side at that very moment. Nothing was read of a body that comes as it does.
      const stale = sent.request.reusedSocket && attempt === 0 && !sent.begun() && isIdempotent(call);
      if (!stale || !isBroken(error) || call.signal?.aborted === true) throw error;
      // What has dropped this one without a word, a load balancer or an upstream that began anew, has dropped the others of its age.
      for (const agent of [options.agents.http, options.agents.https]) closeUnused(agent);
    }
  }
}

function closeUnused({ freeSockets }: Agent): void {
  for (const socket of Object.values(freeSockets).flatMap((sockets) => sockets ?? [])) socket.destroy();
}

/** Not one that is slow: an upstream that cannot keep up would get everything twice. */
function isBroken(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
}

function isIdempotent({ method, headers }: WireCall): boolean {
  return method !== "POST" && !("if-none-match" in headers) && !("if-match" in headers);
}

/** Node takes a Content-Disposition for UTF-8 where it knows the length of the body by then, and makes another letter of one in Latin-1. */
function dispositionFirst(headers: WireCall["headers"]): WireCall["headers"] {
  const { "content-disposition": disposition, ...others } = headers;
  return disposition === undefined ? headers : { "content-disposition": disposition, ...others };
}

/** Whether there are values beyond ASCII, each character of which stands for a byte as it came. */
function hasBytes(headers: WireCall["headers"]): boolean {
  return Object.values(headers).some((value) => /[\x80-\xff]/.test(value));
}

interface Sent {
  readonly request: ClientRequest;
  readonly answer: Promise<WireAnswer>;
  /** Whether bytes of a body that comes only once are gone. */
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
    // An upstream that refuses says so before a long body is sent, and the connection stays whole.
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
  // Until a body that comes as it does has come, which `end` may tell later than the upstream.
  let unsent = streams ? Number(call.headers["content-length"]) : 0;
  const answer = new Promise<WireAnswer>((resolve, reject) => {
    // Not once: a write that fails behind an early answer is an error as well, and is nobody's.
    request.on("error", (error) => {
      clearTimeout(limit);
      reject(error);
    });
    // Node tells of no error where the other side changes to another protocol, and of no answer.
    request.once("close", () => {
      clearTimeout(limit);
      reject(Object.assign(new Error("the connection ended without an answer"), { code: "EPROTO" }));
    });
    request.once("response", (response) => {
      answered = true;
      clearTimeout(limit);
      watch(response, timeouts.idleMs);
      // What was not sent would be taken for the next request.
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
      // Given with the end, its length would be known before the head is written: see `dispositionFirst`.
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
    // Node writes a head that goes out before its body in the encoding of the socket: in UTF-8 one byte of a header would be two.
    request.once("socket", (socket) => socket.setDefaultEncoding("latin1"));
    request.once("continue", start);
    // RFC 9110 §10.1.1: a client "SHOULD NOT wait for an indefinite period before sending the content". While there is no connection the
    // upstream cannot ask for it, and what is taken of a body then is lost to a second attempt.
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

/** Sends a body with back-pressure. Tells whether it went out in whole; an answer that comes before ends it. */
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

/** Destroys an answer that stops coming. One that waits for its reader does not count, and one that has come waits for nobody else. */
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

/** An answer that nobody wants is read to its end up to here, so that its connection stays. */
export const WORTH_READING: number = 64 * 1024;
const END_MS = 5000;

/** Lets go of an answer of which only the head was wanted, if there is one. */
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
