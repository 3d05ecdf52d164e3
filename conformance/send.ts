import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { buffer } from "node:stream/consumers";

const agent = new Agent({ keepAlive: true, maxSockets: 8 });
// The servers that speak TLS here have self-signed certificates.
const tlsAgent = new TlsAgent({ keepAlive: true, maxSockets: 8, rejectUnauthorized: false });

export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
  /** The code in S3's error XML, or an empty string. */
  readonly code: string;
}

/**
 * Sends a request to a server on 127.0.0.1, whatever host the URL names. The target goes out byte for byte: no URL parser has
 * touched it.
 */
export async function send({ method, url, headers = {}, body }: Sent): Promise<Answer> {
  const [, scheme, host = "", port = "", target = ""] = /^(https?):\/\/([^/?#:]+(?::(\d+))?)(\/.*)$/s.exec(url) ?? [];
  const isTls = scheme === "https";
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const message = (isTls ? tlsRequest : request)({
    agent: isTls ? tlsAgent : agent,
    host: "127.0.0.1",
    port: Number(port),
    method,
    path: target,
    headers: { host, ...length, ...headers },
  });
  message.end(body);
  const [reply] = (await once(message, "response")) as [IncomingMessage];
  const bytes = await buffer(reply);
  return {
    status: reply.statusCode ?? 0,
    headers: reply.headers,
    body: bytes,
    code: /<Code>([^<]*)<\/Code>/.exec(bytes.toString())?.[1] ?? "",
  };
}
