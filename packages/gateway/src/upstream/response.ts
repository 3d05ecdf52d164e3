import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { Refusal } from "../pipeline/refusal.ts";
import type { UpstreamResponse } from "./contract.ts";

type Handler = Required<
  Pick<
    Dispatcher.DispatchHandler,
    "onRequestStart" | "onRequestUpgrade" | "onResponseStart" | "onResponseData" | "onResponseEnd" | "onResponseError"
  >
>;

/** Responses up to this size are collected: the server then sends head and body in one write. */
const MAX_COLLECTED = 16 * 1024;

/** An answer needs one or two. An upstream that sends more would occupy the gateway. */
const MAX_INTERIM = 32;

export interface PendingResponse {
  readonly handler: Handler;
  /** Passes the body of the request on. The time for the answer begins at its last piece. */
  sending(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  readonly response: Promise<UpstreamResponse>;
}

/** One request in progress: the handler that undici calls, and the response that it makes. The signal ends it. */
export function pendingResponse(method: string, signal: AbortSignal | undefined, answerMs: number): PendingResponse {
  let controller: Dispatcher.DispatchController | undefined;
  let aborted: Error | undefined;
  let settle: { resolve(response: UpstreamResponse): void; reject(error: unknown): void } | undefined;
  const response = new Promise<UpstreamResponse>((resolve, reject) => {
    settle = { resolve, reject };
  });
  const leave = (): void => abort(signal?.reason ?? LEFT);
  if (signal?.aborted === true) aborted = signal.reason;
  else signal?.addEventListener("abort", leave);
  let head: Pick<UpstreamResponse, "status" | "headers"> | undefined;
  let collected: Uint8Array[] | undefined;
  let stream: Readable | undefined;
  let interim = 0;
  let sentAt = 0;
  let timer: NodeJS.Timeout | undefined;

  /** Each interim response restarts the timeout of undici, so from the first one on, this one decides. */
  function expectInTime(): void {
    const left = sentAt + answerMs - performance.now();
    if (left <= 0) abort(new Refusal("UPSTREAM_TIMEOUT", LATE));
    else timer = setTimeout(expectInTime, left);
  }

  function abort(reason: Error): void {
    aborted = reason;
    controller?.abort(reason);
  }

  const resolve = (parts: Partial<UpstreamResponse>): void => {
    clearTimeout(timer);
    // From here on, the sender of the response destroys its stream.
    signal?.removeEventListener("abort", leave);
    settle?.resolve({ status: 502, headers: [], body: undefined, tunnel: undefined, ...head, ...parts });
  };

  const handler: Handler = {
    onRequestStart(started) {
      controller = started;
      sentAt = performance.now();
      if (aborted !== undefined) started.abort(aborted);
    },
    onRequestUpgrade({ rawHeaders }, status, _headers, tunnel) {
      head = { status, headers: textsOf(rawHeaders) };
      resolve({ tunnel });
    },
    onResponseStart(started, status, headers) {
      if (status < 200) {
        interim += 1;
        if (interim === 1) expectInTime();
        if (interim > MAX_INTERIM) abort(new Refusal("UPSTREAM_FAILED", UNUSABLE));
        return;
      }
      clearTimeout(timer);
      // undici reads a body with an unknown coding until its connection ends: chunk sizes would become content.
      const coding = headers["transfer-encoding"];
      if (coding !== undefined && String(coding).toLowerCase() !== "chunked") {
        abort(new Refusal("UPSTREAM_FAILED", UNUSABLE));
        return;
      }
      head = { status, headers: textsOf(started.rawHeaders) };
      const length = Number(headers["content-length"] ?? Number.NaN);
      if (method === "HEAD" || status === 204 || status === 304) return;
      if (length <= MAX_COLLECTED) {
        collected = [];
        return;
      }
      stream = new Readable({
        highWaterMark: 256 * 1024,
        read: () => started.resume(),
        destroy(error, done) {
          // Without this a client that leaves would keep the upstream's connection.
          if (!started.aborted && stream?.readableEnded !== true) started.abort(error ?? LEFT);
          done(error);
        },
      });
      resolve({ body: { kind: "stream", stream, length: Number.isNaN(length) ? undefined : length } });
    },
    onResponseData(started, chunk) {
      if (collected !== undefined) collected.push(chunk);
      else if (stream?.push(chunk) === false) started.pause();
    },
    onResponseEnd() {
      if (stream !== undefined) stream.push(null);
      else if (collected === undefined) resolve({});
      else {
        const bytes = collected.length === 1 ? (collected[0] as Uint8Array) : Buffer.concat(collected);
        resolve({ body: { kind: "bytes", bytes } });
      }
    },
    onResponseError(_controller, error) {
      clearTimeout(timer);
      const refusal = refusalOf(error);
      signal?.removeEventListener("abort", leave);
      settle?.reject(refusal);
      stream?.destroy(refusal);
    },
  };
  async function* sending(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of body) {
      yield piece;
      sentAt = performance.now();
    }
    sentAt = performance.now();
  }
  return { handler, response, sending };
}

const LEFT = new Error("the client disconnected");
const LATE = "the upstream did not answer in time";
const UNUSABLE = "the upstream gave no usable response";

const TIMEOUTS: ReadonlySet<unknown> = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

function refusalOf(error: Error): Error {
  // The body of the client failed, not the upstream.
  if (error instanceof Refusal || error === LEFT || error.name === "DaypassError") return error;
  const code = (error as NodeJS.ErrnoException).code;
  return TIMEOUTS.has(code)
    ? new Refusal("UPSTREAM_TIMEOUT", LATE, {}, { cause: error })
    : new Refusal("UPSTREAM_FAILED", UNUSABLE, {}, { cause: error });
}

/** Raw headers as Latin-1, which Node writes back as the same bytes. */
function textsOf(raw: unknown): string[] {
  const list = (raw ?? []) as readonly (Buffer | string)[];
  return list.map((item) => (typeof item === "string" ? item : item.toString("latin1")));
}
