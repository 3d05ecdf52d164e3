import type { IncomingMessage, ServerResponse } from "node:http";
import { Refusal } from "../pipeline/refusal.ts";
import type { TransferWatch } from "./transfer-watch.ts";

/** The body of a request and the signal that its sender is gone. */
export interface RequestBody {
  readonly body: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

const EMPTY: RequestBody = {
  body: {
    async *[Symbol.asyncIterator]() {},
  },
};

/** Whether the head announces a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers["content-length"];
  return headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

/** The body as the operations read it. Nothing is read, and no `100 Continue` sent, before the first `next()`. */
export function requestBody(request: IncomingMessage, response: ServerResponse, watch: TransferWatch): RequestBody {
  if (!hasBody(request)) return EMPTY;
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  return { signal: gone.signal, body: { [Symbol.asyncIterator]: () => bodyIterator(request, response, watch) } };
}

/**
 * The stream's own iterator destroys the socket when its reader stops early, and with it the answer that says why. This one
 * only stops reading.
 */
function bodyIterator(
  request: IncomingMessage,
  response: ServerResponse,
  watch: TransferWatch,
): AsyncIterator<Uint8Array> {
  let bytes = 0;
  let failure: Error | undefined;
  let ended = request.readableEnded;
  let wake: (() => void) | undefined;

  const notify = (): void => wake?.();
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
    bytes: () => bytes,
    awaitsClient: () => wake !== undefined,
    cut: () =>
      fail(new Refusal("BODY_TOO_SLOW", "expected a body that arrives steadily, found a slow one: send it faster")),
  });
  // Not every reader that stops early says so, and what is watched for ever is never freed.
  const onAnswered = (): void => {
    onClose();
    release();
  };
  const release = (): void => {
    stopWatch();
    response.off("close", onAnswered);
    request.off("readable", notify).off("end", onEnd).off("close", onClose).off("error", onError);
  };
  request.on("readable", notify).on("end", onEnd).on("close", onClose).on("error", onError);
  response.on("close", onAnswered);
  // By now the request has been let through: whoever reads wants the body.
  if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();

  return {
    async next() {
      for (;;) {
        if (failure !== undefined) {
          release();
          throw failure;
        }
        const chunk: Uint8Array | null = request.read();
        if (chunk !== null) {
          bytes += chunk.length;
          return { done: false, value: chunk };
        }
        if (ended) {
          release();
          return { done: true, value: undefined };
        }
        if (request.destroyed && !request.readableEnded) {
          fail(broken());
          continue;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = undefined;
      }
    },
    async return() {
      release();
      return { done: true, value: undefined };
    },
  };
}

function broken(cause?: Error): Refusal {
  const message = "expected the whole body, found the connection broken in its middle: send it again";
  return new Refusal("INCOMPLETE_BODY", message, {}, { cause });
}
