import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { MessageChannel } from "node:worker_threads";
import { releasable } from "../http/releasable-body.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { endSignal } from "./connection-end.ts";
import type { UploadWatch } from "./slow-client.ts";

/** A request or a response in progress on a connection. */
export interface Waiting {
  /** Whether the client has to act next: it has not sent, or not accepted, all bytes. */
  awaitsClient(): boolean;
}

/** The body of a request, and the signal that its client has disconnected. */
export interface RequestBody extends Waiting {
  readonly body: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

const EMPTY: RequestBody = {
  body: {
    async *[Symbol.asyncIterator]() {},
  },
  awaitsClient: () => false,
};

/** Whether the head announces a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers["content-length"];
  return headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

export interface RequestBodyOptions {
  readonly watch: UploadWatch;
  /** Whether no other code can see the request: then the memory of its body is freed as soon as the reader is done with it. */
  readonly ownsRequest: boolean;
  /** Returns the TCP socket of a connection: it counts every byte, TLS only whole records of 16 KB. */
  readonly tcpSocket?: ((socket: Socket) => Socket) | undefined;
}

/** Returns the body for the operations. Nothing is read, and no `100 Continue` sent, before the first `next()`. */
export function requestBody(
  request: IncomingMessage,
  response: ServerResponse,
  options: RequestBodyOptions,
): RequestBody {
  if (!hasBody(request)) return EMPTY;
  const gone = endSignal();
  response.once("close", () => gone.abort());
  const last: LastChunk = { chunk: undefined, isAwaited: false };
  const body = { [Symbol.asyncIterator]: () => bodyIterator(request, response, { ...options, last }) };
  return {
    signal: gone.signal,
    body: options.ownsRequest ? releasable(body, (bytes) => free(last, bytes)) : body,
    awaitsClient: () => last.isAwaited,
  };
}

/** The chunk that the reader received last: the only memory that it can release. */
interface LastChunk {
  chunk: Uint8Array | undefined;
  /** Whether the reader waits for the next one. */
  isAwaited: boolean;
}

// Smaller chunks may share their memory, and are not worth the call.
const MIN_FREED_BYTES = 8 * 1024;

/** Frees a chunk once its last byte is released, if its memory holds nothing else. */
function free(last: LastChunk, bytes: Uint8Array): void {
  const { chunk } = last;
  if (chunk === undefined || bytes.buffer !== chunk.buffer || !(chunk.buffer instanceof ArrayBuffer)) return;
  const { byteLength } = chunk.buffer;
  if (chunk.length !== byteLength || byteLength <= MIN_FREED_BYTES) return;
  if (bytes.byteOffset + bytes.length !== byteLength) return;
  last.chunk = undefined;
  freeMemory(chunk.buffer);
}

/** Since Node 21. */
interface Transferable {
  transfer?(newByteLength: number): ArrayBuffer;
}

/** Frees the memory of an `ArrayBuffer` at once. Its views become empty. In Node 20, sending the buffer to a closed port frees it. */
const freeMemory: (buffer: ArrayBuffer & Transferable) => void =
  "transfer" in ArrayBuffer.prototype ? (buffer) => void buffer.transfer?.(0) : sendToClosedPort();

function sendToClosedPort(): (buffer: ArrayBuffer) => void {
  const { port1 } = new MessageChannel();
  port1.close();
  return (buffer) => port1.postMessage(undefined, [buffer]);
}

interface IteratorOptions extends RequestBodyOptions {
  readonly last: LastChunk;
}

/**
 * Iterates over a body. The stream's own iterator destroys the socket if its reader stops early, and with it the response; this one only
 * stops reading. It yields the chunks as the socket delivers them, because `read()` copies waiting chunks into one.
 */
function bodyIterator(
  request: IncomingMessage,
  response: ServerResponse,
  { watch, tcpSocket = (socket) => socket, last }: IteratorOptions,
): AsyncIterator<Uint8Array> {
  const waiting: Uint8Array[] = [];
  // Bytes that were read before are lost, and the rest of a chunked body would pass for the whole.
  let failure: Error | undefined = request.readableDidRead ? readBefore() : undefined;
  let ended = request.readableEnded;
  let wake: (() => void) | undefined;
  // Instrumentation in the process may listen too, and keep chunks.
  let overheard = request.listenerCount("data") > 0;

  const notify = (): void => wake?.();
  const onData = (chunk: Uint8Array): void => {
    overheard ||= request.listenerCount("data") > 1;
    // The reader is busy. The stream keeps the following chunks, and stops the socket when it has enough.
    if (wake === undefined || waiting.length > 0) request.pause();
    waiting.push(chunk);
    notify();
  };
  const onEnd = (): void => {
    ended = true;
    notify();
  };
  const fail = (error: Error): void => {
    failure ??= error;
    notify();
  };
  const onClose = (): void => {
    if (!ended) fail(broken());
  };
  const onError = (error: Error): void => fail(broken(error));
  const { socket } = request;
  const stopWatch = watch({
    bytes: () => tcpSocket(socket).bytesRead,
    awaitsClient: () => wake !== undefined,
    cut: () => fail(new Refusal("BODY_TOO_SLOW", "the body arrives too slowly. Send it faster")),
  });
  // Some readers stop early without calling `return`, and a watched body is never freed.
  const onAnswered = (): void => {
    onClose();
    stop();
  };
  const stop = (): void => {
    stopWatch();
    response.off("close", onAnswered);
    request.off("data", onData).off("end", onEnd).off("close", onClose).off("error", onError);
    if (!ended) request.pause();
    last.chunk = undefined;
  };
  request.on("end", onEnd).on("close", onClose).on("error", onError).on("data", onData);
  response.on("close", onAnswered);
  // The request is permitted by now. An HTTP/1.0 client would take the 100 for the response.
  const understands = request.httpVersionMajor > 1 || request.httpVersionMinor >= 1;
  if (understands && request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();

  return {
    async next() {
      for (;;) {
        if (failure !== undefined) {
          stop();
          throw failure;
        }
        const chunk = waiting.shift();
        if (chunk !== undefined) {
          last.chunk = overheard ? undefined : chunk;
          return { done: false, value: chunk };
        }
        if (ended) {
          stop();
          return { done: true, value: undefined };
        }
        if (request.destroyed && !request.readableEnded) {
          fail(broken());
          continue;
        }
        if (request.isPaused()) request.resume();
        last.isAwaited = true;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = undefined;
        last.isAwaited = false;
      }
    },
    async return() {
      stop();
      return { done: true, value: undefined };
    },
  };
}

function readBefore(): Error {
  return new Error("the body was already read. Put the gateway before any middleware that parses bodies");
}

function broken(cause?: Error): Refusal {
  const message = "the connection closed before the body was complete. Send it again";
  return new Refusal("INCOMPLETE_BODY", message, {}, { cause });
}
