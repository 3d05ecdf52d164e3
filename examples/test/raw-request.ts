import { connect } from "node:net";
import { text } from "node:stream/consumers";

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends a target as it is, without the URL parser of a client, and reads the answer until the server closes. */
export async function rawRequest(
  port: number,
  target: string,
  { method = "GET", host = `127.0.0.1:${port}`, headers = "", body = "" } = {},
): Promise<RawAnswer> {
  const socket = connect(port, "127.0.0.1");
  socket.write(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${headers}\r\n${body}`);
  const answer = await text(socket);
  const [head = "", ...rest] = answer.split("\r\n\r\n");
  const sent = rest.join("\r\n\r\n");
  const chunked = /^transfer-encoding: chunked/im.test(head);
  return { status: Number(head.slice(9, 12)), head, body: chunked ? unchunk(sent) : sent };
}

function unchunk(body: string): string {
  return body.replace(/[\da-f]+\r\n([\s\S]*?)\r\n(?=[\da-f]+\r\n|$)/gi, "$1");
}
