import { connect } from "node:net";
import type { WireRequest } from "daypass";

/** The bytes of a request, nothing checked: what a mutant holds is what goes out. */
export function head({ method, target, authority, headers }: WireRequest): string {
  const fields = [["host", authority], ...headers, ["connection", "close"]];
  return `${method} ${target} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

/** The body that the bases announce. Bytes after a message without one would be a second request. */
export function withBody(bytes: string, body: string): string {
  return /\r\ncontent-length: /i.test(bytes) ? bytes + body : bytes;
}

/** Reads a head as RFC 9112 writes it, or gives `undefined`: what a server may answer otherwise than by a refusal. */
export function parseHead(text: string): WireRequest | undefined {
  // §2.2: a server "SHOULD ignore at least one empty line (CRLF) received prior to the request-line"; Node skips bare ones too.
  const [start = "", ...lines] = (text.replace(/^[\r\n]+/, "").split("\r\n\r\n", 1)[0] ?? "").split("\r\n");
  // §3: recipients "MAY instead parse on whitespace-delimited word boundaries".
  const [, method, target] =
    /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) +([\x21-\x7e\x80-\xff]+) +HTTP\/1\.[01]$/.exec(start) ?? [];
  if (method === undefined || target === undefined) return undefined;
  const headers: [string, string][] = [];
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    headers.push([name, value]);
  }
  const hosts = headers.filter(([name]) => name.toLowerCase() === "host");
  return {
    method,
    target,
    authority: hosts[0]?.[1] ?? "",
    headers: headers.filter(([name]) => name.toLowerCase() !== "host"),
  };
}

/**
 * Sends bytes over a new connection and ends it, so the server does not wait for the rest of an incomplete request. Resolves to the status
 * of the first final answer, or to `undefined` without one.
 */
export function exchange(port: number, bytes: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    let received = "";
    const finish = (): void => {
      socket.destroy();
      resolve(finalStatus(received));
    };
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      received += chunk;
      if (isComplete(received)) finish();
    });
    socket.on("close", finish);
    // A server that refuses early resets the connection.
    socket.on("error", finish);
    socket.end(Buffer.from(bytes, "latin1"));
  });
}

// An interim answer (100 Continue) is followed by the final one.
function finalStatus(text: string): number | undefined {
  const match = /^(?:HTTP\/1\.1 1\d\d [^\r]*\r\n(?:[^\r]+\r\n)*\r\n)*HTTP\/1\.1 ([2-5]\d\d)/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

function isComplete(text: string): boolean {
  if (finalStatus(text) === undefined) return false;
  const body = text.lastIndexOf("\r\n\r\n");
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
  return body >= 0 && (length === undefined ? text.endsWith("\r\n\r\n") : text.length >= body + 4);
}
