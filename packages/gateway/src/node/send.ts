import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { type DeliveryFault, discard, type Outcome } from "../pipeline/outcome.ts";
import type { StreamBody } from "../storage/contract/storage.ts";
import { LEFT } from "./connection-end.ts";
import { JoinedResponse } from "./joined-response.ts";
import { hasBody } from "./request-body.ts";
import { type BodyProgress, sendFile, write } from "./send-file.ts";
import { cutWhenStalled, type WaitingBytes } from "./slow-client.ts";
import { drainThenClose, dropBody } from "./unread-body.ts";

export interface Connection {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export interface SendOptions {
  readonly waiting: WaitingBytes;
  /** Whether this is the connection's last response. */
  readonly close: boolean;
}

/**
 * The only place that writes responses to a socket. Sends nothing, bytes, a part of a file or a stream, releases the body even if the
 * client has disconnected, and reports the delivery. Returns whether the connection is over.
 */
export function send(outcome: Outcome, { request, response }: Connection, { waiting, close }: SendOptions): boolean {
  const { status, headers, body } = outcome;
  if (response.destroyed || outcome.tunnel !== undefined) {
    // Only a server that listens for upgrades can join two connections.
    outcome.tunnel?.destroy();
    response.destroy();
    discard(body);
    outcome.delivered(0, false);
    return true;
  }
  // Unread bytes would be read as the next request, and reading all of them would let a refused client keep the server busy.
  const unread = !request.complete && hasBody(request);
  const isLast = close || outcome.close || unread;
  if (isLast) headers.push("connection", "close");
  try {
    response.writeHead(status, headers);
  } catch (error) {
    // A header has an invalid value. Node has sent nothing yet.
    discard(body);
    response.writeHead(500, ["content-length", "0", "connection", "close"]).end();
    outcome.delivered(0, false, { error, status: 500 });
    return true;
  }
  if (body === undefined || body.kind === "bytes") {
    if (unread) drainThenClose(request, response, body?.bytes);
    else if (body === undefined) response.end();
    else sendBytes(response, body.bytes);
    const length = body?.bytes.length ?? 0;
    if (length > MAX_COPIED_BYTES || response.writableLength > 0) {
      waiting.hold(response, length);
      cutWhenStalled(response);
    }
    outcome.delivered(length, true);
  } else {
    if (request.method === "GET" && hasBody(request)) dropBody(request);
    cutWhenStalled(response);
    void sendLarge(outcome, response, waiting);
  }
  return isLast;
}

// Up to this size, a copy is cheaper than a second buffer in the system call.
const MAX_COPIED_BYTES = 16 * 1024;
/** Over TLS, only the end of a write shows progress. */
const MAX_WRITE_BYTES = 256 * 1024;

/** Node joins a head and a Latin-1 text into one write, but passes a head and a buffer to `writev`: 15 % of a small response. */
function sendBytes(response: ServerResponse, bytes: Uint8Array): void {
  const { buffer, byteOffset, length } = bytes;
  if (length <= MAX_COPIED_BYTES) endText(response, Buffer.from(buffer, byteOffset, length).toString("latin1"));
  else if (length <= MAX_WRITE_BYTES) response.end(bytes);
  else void sendSlices(response, bytes);
}

function endText(response: ServerResponse, text: string): void {
  if (response instanceof JoinedResponse) response.endText(text);
  else response.end(text, "latin1");
}

async function sendSlices(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length && !response.destroyed; at += MAX_WRITE_BYTES)
    await write(response, bytes.subarray(at, at + MAX_WRITE_BYTES));
  if (!response.destroyed) response.end();
}

async function sendLarge(outcome: Outcome, response: ServerResponse, waiting: WaitingBytes): Promise<void> {
  const { body } = outcome;
  const progress: BodyProgress = { bytes: 0 };
  // The first failure is the cause: a client that disconnects makes the source fail, and a failed source closes the connection.
  let clientGone = false;
  response.once("close", () => {
    clientGone = true;
    // Since Node 22, `pipeline` waits forever for an upstream response that has arrived and is not read to its end.
    if (body?.kind === "stream" && !response.writableFinished) body.stream.destroy(LEFT);
  });
  const ended = outcome.onRunning?.(() => response.destroy());
  let fault: DeliveryFault | undefined;
  const blame = (error: unknown): void => {
    if (!clientGone) fault ??= { error, status: outcome.status };
  };
  try {
    if (body?.kind === "file") await sendFile(response, body, { progress, waiting });
    else if (body?.kind === "stream") await sendStream(response, body, { progress, waiting, blame });
  } catch (error) {
    if (body?.kind === "file") blame(error);
    // The status is sent, so only cutting the connection shows that something is missing.
    response.destroy();
  }
  ended?.();
  const complete = fault === undefined && (!response.destroyed || response.writableFinished);
  outcome.delivered(progress.bytes, complete, fault);
}

interface SendStreamOptions {
  readonly progress: BodyProgress;
  readonly waiting: WaitingBytes;
  readonly blame: (error: unknown) => void;
}

/** Sends a stream. Cuts the connection if the stream has another length than announced, or the client would misread the next response. */
function sendStream(
  response: ServerResponse,
  { stream, length, meaningOf = (error) => error }: StreamBody,
  { progress, waiting, blame }: SendStreamOptions,
): Promise<void> {
  const cutIf = (isWrong: boolean): void => {
    if (!isWrong) return;
    blame(new Error(`the storage announced ${length} bytes and sent ${progress.bytes}. Check the storage`));
    response.destroy();
  };
  // These listeners run before the listeners of `pipeline`.
  stream.on("data", (chunk: Uint8Array) => {
    progress.bytes += chunk.length;
    waiting.hold(response, response.writableLength + chunk.length);
    cutIf(length !== undefined && progress.bytes > length);
  });
  stream.once("end", () => cutIf(length !== undefined && progress.bytes < length));
  stream.once("error", (error) => blame(meaningOf(error)));
  // Node warns of more than ten listeners of an event, and `pipeline` alone adds six for "close".
  response.setMaxListeners(20);
  return pipeline(stream, response);
}
