import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { discard } from "../pipeline/discard.ts";
import type { DeliveryFault, Outcome } from "../pipeline/outcome.ts";
import { LEFT } from "./connection-end.ts";
import { linger } from "./drain-then-close.ts";
import { dropBody } from "./drop-body.ts";
import type { HeldAnswers } from "./held-answers.ts";
import { hasBody } from "./request-body.ts";
import { type FileProgress, sendFile } from "./send-file.ts";
import { reachedBytes, takenBytes } from "./taken-bytes.ts";
import type { Transfer, TransferWatch } from "./transfer-watch.ts";

export interface Connection {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export interface SendOptions {
  readonly watch: TransferWatch;
  readonly held: HeldAnswers;
  /** Whether this is the connection's last response. */
  readonly close: boolean;
}

/**
 * The one place that writes to a socket: sends nothing, bytes, a part of a file or a stream, releases what the body holds also
 * when the client is gone, and reports what was delivered. Tells whether the connection is over.
 */
export function send(outcome: Outcome, { request, response }: Connection, options: SendOptions): boolean {
  const { status, headers, body } = outcome;
  if (response.destroyed) {
    discard(body);
    outcome.delivered(0, false);
    return true;
  }
  // What was not read would be taken for the next request, and reading it all would let a refused client keep the server busy.
  const unread = !request.complete && hasBody(request);
  const close = options.close || outcome.close || unread;
  if (close) headers.push("connection", "close");
  try {
    response.writeHead(status, headers);
  } catch (error) {
    // A value that no header can carry. Node has sent nothing yet.
    discard(body);
    response.writeHead(500, ["content-length", "0", "connection", "close"]).end();
    outcome.delivered(0, false, { error, status: 500 });
    return true;
  }
  if (body === undefined || body.kind === "bytes") {
    if (unread) {
      linger(request, response, body?.bytes);
    } else if (body === undefined) {
      response.end();
    } else {
      endWith(response, body.bytes);
    }
    if (body !== undefined && body.bytes.length > MAX_COPIED_BYTES) {
      options.held.hold(response, body.bytes.length);
      response.once("close", options.watch.watch(transferOf({ request, response })));
    }
    outcome.delivered(body?.bytes.length ?? 0, true);
  } else {
    if (request.method === "GET" && hasBody(request)) dropBody(request);
    void sendLarge(outcome, { request, response }, options.watch);
  }
  return close;
}

// Up to here a copy is cheaper than a second buffer in the system call.
const MAX_COPIED_BYTES = 16 * 1024;

/** Node joins the head and a Latin-1 text into one write, but hands a head and a buffer to `writev`: 15 % of a small answer. */
function endWith(response: ServerResponse, bytes: Uint8Array): void {
  if (bytes.length > MAX_COPIED_BYTES) response.end(bytes);
  else response.end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1"), "latin1");
}

/** Of an answer that was handed over in whole nothing but what is taken of it shows how it comes on. */
function transferOf({ request, response }: Connection, progress?: FileProgress): Transfer {
  const { socket } = request;
  return {
    bytes: () => takenBytes(socket) ?? progress?.bytes ?? 0,
    reached: () => reachedBytes(socket),
    // A small piece is less than the socket takes before it wants to be drained.
    awaitsClient: () => response.writableLength > 0 && (progress !== undefined || takenBytes(socket) !== undefined),
    cut: () => response.destroy(),
  };
}

async function sendLarge(outcome: Outcome, connection: Connection, watch: TransferWatch): Promise<void> {
  const { body } = outcome;
  const { response } = connection;
  const progress: FileProgress = { bytes: 0 };
  const stopWatch = watch.watch(transferOf(connection, progress));
  // Whoever goes first is to blame: a client that leaves makes the source fail, and the other way round.
  let clientGone = false;
  response.once("close", () => {
    clientGone = true;
    // Node's pipeline stops an upstream's answer of which the last is here, but not read, and (since Node 22) waits for its end for ever.
    if (body?.kind === "stream" && !response.writableFinished) body.stream.destroy(LEFT);
  });
  let fault: DeliveryFault | undefined;
  const blame = (error: unknown): void => {
    if (!clientGone) fault ??= { error, status: outcome.status };
  };
  try {
    if (body?.kind === "file") {
      await sendFile(response, body, progress);
    } else if (body?.kind === "stream") {
      const { stream, length, meaningOf = (error: Error) => error } = body;
      // Listeners that come before those of the pipeline. Bytes behind the announced length would be taken for the next answer, and
      // the next answer for those that are missing.
      const cutAt = (isWrong: boolean): void => {
        if (!isWrong) return;
        blame(new Error(`expected ${length} bytes from the storage, found ${progress.bytes}`));
        response.destroy();
      };
      stream.on("data", (chunk: Uint8Array) => {
        progress.bytes += chunk.length;
        cutAt(length !== undefined && progress.bytes > length);
      });
      stream.once("end", () => cutAt(length !== undefined && progress.bytes < length));
      stream.once("error", (error) => blame(meaningOf(error)));
      await pipeline(stream, response);
    }
  } catch (error) {
    if (body?.kind === "file") blame(error);
    // The status is out, so cutting the connection is the only way left to say that something is missing.
    response.destroy();
  }
  stopWatch();
  const complete = fault === undefined && (!response.destroyed || response.writableFinished);
  outcome.delivered(progress.bytes, complete, fault);
}
