import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Outcome } from "../pipeline/outcome.ts";
import type { StreamBody } from "../storage/storage.ts";
import { linger } from "./linger.ts";
import { sendFile } from "./send-file.ts";

/**
 * The one place that writes to a socket: sends bytes, a part of a file or a stream, releases what the body holds also when the
 * client is gone, and reports what was delivered.
 */
export function send(outcome: Outcome, request: IncomingMessage, response: ServerResponse): void | Promise<void> {
  const { status, headers, body } = outcome;
  const unread = !request.complete && hasBody(request);
  const close = outcome.close || unread;
  if (close) headers.push("connection", "close");
  if (response.destroyed) return abandon(outcome);
  response.writeHead(status, headers);
  if (body === undefined || body.kind === "bytes") {
    const bytes = body === undefined ? 0 : body.bytes.length;
    if (unread) return linger(request, response, body?.bytes).then(() => outcome.delivered(bytes, true));
    if (body === undefined) response.end();
    else response.end(body.bytes);
    outcome.delivered(bytes, true);
    return;
  }
  return sendLater(outcome, response);
}

function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers["content-length"];
  return headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

async function sendLater(outcome: Outcome, response: ServerResponse): Promise<void> {
  const { body } = outcome;
  let bytes = 0;
  let complete = false;
  try {
    if (body?.kind === "file") {
      bytes = await sendFile(response, body);
      complete = bytes === body.length;
    } else if (body?.kind === "stream") {
      bytes = await sendStream(response, body);
      complete = true;
    }
  } catch {
    // The status is on its way, so cutting the connection is the only way left to say that something is missing.
    response.destroy();
  }
  outcome.delivered(bytes, complete);
}

async function sendStream(response: ServerResponse, body: StreamBody): Promise<number> {
  let bytes = 0;
  body.stream.on("data", (chunk: Uint8Array) => {
    bytes += chunk.length;
  });
  await pipeline(body.stream, response);
  return bytes;
}

function abandon(outcome: Outcome): void {
  const { body } = outcome;
  if (body?.kind === "file") body.close();
  if (body?.kind === "stream") body.stream.destroy();
  outcome.delivered(0, false);
}
