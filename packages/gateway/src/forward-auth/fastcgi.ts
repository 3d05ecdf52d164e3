/** FastCGI for Apache's mod_authnz_fcgi, which asks with the variables of CGI. Only what an authorizer needs of the protocol. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Outcome } from "../pipeline/outcome.ts";
import type { Decider } from "./proxy-request.ts";

/** A FastCGI listener that answers Apache. */
export interface FastCgiServer {
  /** The port on which it listens, even if 0 was requested. */
  readonly port: number;
  /** Stops listening, and closes the connections at once: Apache then refuses. */
  close(): Promise<void>;
}

// "3.3 Records" and "8. Types and Constants" of the FastCGI specification.
const BEGIN = 1;
const END = 3;
const PARAMS = 4;
const STDOUT = 6;
const HEADER = 8;
const MAX_BYTES = 64 * 1024;
const IDLE_MS = 10_000;

/**
 * Listens for FastCGI authorizer requests. Rejects if the address is in use.
 *
 * Each connection carries one request, as Apache sends them. Does not check who connects: only the proxy may reach the address.
 *
 * @param auth decides
 * @param place the address: 127.0.0.1 and a free port by default
 * @example
 * ```ts
 * import { createForwardAuth, serveFastCgi } from "@daypass/gateway/forward-auth";
 *
 * const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
 * const auth = createForwardAuth({ hosts: [{ origin: "https://photos.example.com" }], keys: { url: [key] } });
 * const server = await serveFastCgi(auth, { port: 0 });
 * await server.close();
 * ```
 */
export async function serveFastCgi(
  auth: Decider,
  place: { readonly host?: string | undefined; readonly port?: number | undefined } = {},
): Promise<FastCgiServer> {
  const { host = "127.0.0.1", port = 0 } = place;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy()).once("close", () => open.delete(socket));
    answer(auth, socket).catch(() => socket.destroy());
  });
  server.listen(port, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

async function answer(auth: Decider, socket: Socket): Promise<void> {
  const { id, params } = await readRequest(socket);
  const text = (name: string): string => params.get(name) ?? "";
  const headers: [string, string][] = [];
  for (const [name, value] of params) {
    if (name.startsWith("HTTP_")) headers.push([name.slice(5).toLowerCase().replaceAll("_", "-"), value]);
  }
  const original = {
    method: text("REQUEST_METHOD"),
    host: text("HTTP_HOST"),
    target: text("REQUEST_URI"),
    remoteAddress: params.get("REMOTE_ADDR"),
  };
  const outcome = await auth.decide(original, headers);
  socket.end(response(id, outcome));
  outcome.delivered(0, true);
}

interface FastCgiRequest {
  readonly id: number;
  readonly params: ReadonlyMap<string, string>;
}

/** Reads records until the empty record after the variables. */
async function readRequest(socket: Socket): Promise<FastCgiRequest> {
  let bytes = Buffer.alloc(0);
  const pieces: Buffer[] = [];
  let id: number | undefined;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    if (bytes.length > MAX_BYTES) break;
    for (;;) {
      if (bytes.length < HEADER) break;
      const [version, type, length, padding] = [bytes[0], bytes[1], bytes.readUInt16BE(4), bytes[6] ?? 0];
      if (version !== 1) throw new Error(`the FastCGI version is ${version}. It must be 1`);
      if (bytes.length < HEADER + length + padding) break;
      const content = bytes.subarray(HEADER, HEADER + length);
      if (type === BEGIN) id = bytes.readUInt16BE(2);
      if (type === PARAMS && length === 0 && id !== undefined) return { id, params: paramsOf(Buffer.concat(pieces)) };
      if (type === PARAMS) pieces.push(content);
      bytes = bytes.subarray(HEADER + length + padding);
    }
  }
  throw new Error("the FastCGI request is incomplete or larger than 64 KB. Send fewer variables");
}

/** "3.4 Name-Value Pairs": a length of one byte up to 127, of four beyond. A repeated name does not count: two readers could take either. */
function paramsOf(bytes: Buffer): ReadonlyMap<string, string> {
  const params = new Map<string, string>();
  let at = 0;
  const size = (): number => {
    const short = bytes.readUInt8(at) < 0x80;
    const length = short ? bytes.readUInt8(at) : bytes.readUInt32BE(at) & 0x7fffffff;
    at += short ? 1 : 4;
    return length;
  };
  while (at < bytes.length) {
    const [nameLength, valueLength] = [size(), size()];
    const end = at + nameLength + valueLength;
    if (end > bytes.length) throw new Error("a FastCGI variable is cut off. Send it whole");
    const name = bytes.toString("latin1", at, at + nameLength);
    if (params.has(name)) throw new Error(`the FastCGI variable ${name} is repeated. Send it once`);
    params.set(name, bytes.toString("latin1", at + nameLength, end));
    at = end;
  }
  return params;
}

function response(id: number, { status, headers }: Outcome): Buffer {
  let text = `Status: ${status}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    // An authorizer's `Variable-X` becomes the variable X of the request.
    if (headers[i]?.startsWith("daypass-"))
      text += `Variable-${headers[i]?.toUpperCase().replaceAll("-", "_")}: ${headers[i + 1]}\r\n`;
  }
  return Buffer.concat([
    record(STDOUT, id, Buffer.from(`${text}\r\n`)),
    record(STDOUT, id, Buffer.alloc(0)),
    record(END, id, Buffer.alloc(8)),
  ]);
}

function record(type: number, id: number, content: Buffer): Buffer {
  const head = Buffer.from([1, type, id >> 8, id & 0xff, content.length >> 8, content.length & 0xff, 0, 0]);
  return Buffer.concat([head, content]);
}
