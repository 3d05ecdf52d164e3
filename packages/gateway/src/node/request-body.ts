import type { IncomingMessage, ServerResponse } from "node:http";
import { releasable } from "../http/releasable-body.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { endSignal } from "./connection-end.ts";
import { freeMemory } from "./free-memory.ts";
import { cameBytes } from "./taken-bytes.ts";
import type { TransferWatch } from "./transfer-watch.ts";

/** Something under way on a connection. */
export interface Waiting {
  /** Whether it waits for what the client has not sent, or not taken, yet. */
  awaitsClient(): boolean;
}

/** The body of a request and the signal that its sender is gone. */
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
  readonly watch: TransferWatch;
  /** Whether nobody else can see what the request brings: then its memory is freed as soon as the reader is done with it. */
  readonly ownsRequest: boolean;
}

/** The body as the operations read it. Nothing is read, and no `100 Continue` sent, before the first `next()`. */
export function requestBody(
  request: IncomingMessage,
  response: ServerResponse,
  { watch, ownsRequest }: RequestBodyOptions,
): RequestBody {
  if (!hasBody(request)) return EMPTY;
  const gone = endSignal();
  response.once("close", () => gone.abort());
  const last: LastChunk = { chunk: undefined, isAwaited: false };
  const body = { [Symbol.asyncIterator]: () => bodyIterator(request, response, { watch, last }) };
  return {
    signal: gone.signal,
    body: ownsRequest ? releasable(body, (bytes) => free(last, bytes)) : body,
    awaitsClient: () => last.isAwaited,
  };
}

/** What the reader has been given last: the only memory that it can give back. */
interface LastChunk {
  chunk: Uint8Array | undefined;
  /** Whether the reader waits for the next one. */
  isAwaited: boolean;
}

// What is smaller may share its memory with others, and is not worth the call.
const MIN_FREED_BYTES = 8 * 1024;

/** Frees a chunk once its last byte is given back, if the memory holds nothing besides. */
function free(last: LastChunk, bytes: Uint8Array): void {
  const { chunk } = last;
  if (chunk === undefined || bytes.buffer !== chunk.buffer || !(chunk.buffer instanceof ArrayBuffer)) return;
  const { byteLength } = chunk.buffer;
  if (chunk.length !== byteLength || byteLength <= MIN_FREED_BYTES) return;
  if (bytes.byteOffset + bytes.length !== byteLength) return;
  last.chunk = undefined;
  freeMemory(chunk.buffer);
}

/**
 * The stream's own iterator destroys the socket when its reader stops early, and with it the answer that says why. This one
 * only stops reading. It takes the chunks as the socket brings them: `read()` would copy those that wait into one.
 */
function bodyIterator(
  request: IncomingMessage,
  response: ServerResponse,
  { watch, last }: { readonly watch: TransferWatch; readonly last: LastChunk },
): AsyncIterator<Uint8Array> {
  const waiting: Uint8Array[] = [];
  let bytes = 0;
  // What came before is lost, and what is left would be taken for the whole: of a body in chunks no length says more.
  let failure: Error | undefined = request.readableDidRead ? readBefore() : undefined;
  let ended = request.readableEnded;
  let wake: (() => void) | undefined;
  // An instrument that was put into the process may listen as well, and keep what it hears.
  let overheard = request.listenerCount("data") > 0;

  const notify = (): void => wake?.();
  const onData = (chunk: Uint8Array): void => {
    overheard ||= request.listenerCount("data") > 1;
    // The reader is busy with another one. What comes now stays with the stream, which stops the socket when it has enough.
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
  const stopWatch = watch.watch({
    bytes: () => cameBytes(request.socket) ?? bytes,
    awaitsClient: () => wake !== undefined,
    cut: () =>
      fail(new Refusal("BODY_TOO_SLOW", "expected a body that arrives steadily, found a slow one: send it faster")),
  });
  // Not every reader that stops early says so, and what is watched for ever is never freed.
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
  // By now the request has been let through: whoever reads wants the body. An HTTP/1.0 client would take it for the answer.
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
          bytes += chunk.length;
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
  return new Error(
    "expected an unread body, found one that was read before: put the gateway before what parses bodies",
  );
}

function broken(cause?: Error): Refusal {
  const message = "expected the whole body, found the connection broken off: send it again";
  return new Refusal("INCOMPLETE_BODY", message, {}, { cause });
}
