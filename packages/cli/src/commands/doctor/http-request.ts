import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import type { ReadElement } from "@daypass/gateway/xml";
import { childText, serverXml } from "../../server-xml.ts";

/** A request. Its URL is sent byte for byte. */
export interface HttpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The timeout, 20 seconds by default. */
  readonly limitMs?: number;
}

/** The response to a request. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The XML of the body, if it is XML. */
  readonly root: ReadElement | undefined;
  /** S3's error code, or empty. */
  readonly code: string;
  /** Milliseconds that the server's clock is ahead of this one. `undefined` without a Date header. */
  readonly aheadMs: number | undefined;
}

/** There was no complete response. The message is the network error. */
export class Unanswered extends Error {
  override readonly name = "Unanswered";
}

/** Returns the network error instead of throwing it. */
export async function answered<T>(answer: Promise<T>): Promise<T | Unanswered> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Unanswered) return error;
    throw error;
  }
}

const LIMIT_MS = 20_000;
const MAX_BODY = 1024 * 1024;

/** Sends a request without following redirects. Throws {@link Unanswered} without a complete response. */
export function send({ url, method, headers = {}, body = "", limitMs = LIMIT_MS }: HttpRequest): Promise<Answer> {
  const [, scheme, authority, target] = /^(https?):\/\/([^/?]+)(.*)$/.exec(url) ?? [];
  if (authority === undefined) return Promise.reject(new Error("the URL is not absolute"));
  const { hostname, port } = new URL(`${scheme}://${authority}`);
  const start = Date.now();
  const signal = AbortSignal.timeout(limitMs);
  return new Promise((resolve, reject) => {
    let begun = false;
    const send = scheme === "https" ? httpsRequest : httpRequest;
    const sent = send(
      {
        host: hostname.replace(/^\[|\]$/g, ""),
        ...(port === "" ? {} : { port }),
        method,
        // A URL parser would change the spelling that was signed.
        path: target === "" ? "/" : target,
        headers: { host: authority, ...headers, ...(body === "" ? {} : { "content-length": Buffer.byteLength(body) }) },
        signal,
        agent: false,
      },
      (response) => {
        begun = true;
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes <= MAX_BODY) chunks.push(chunk);
          else response.destroy(new Error("an answer of more than 1 MB"));
        });
        response.on("error", fail);
        response.on("end", () => {
          const bytes = Buffer.concat(chunks);
          const root = serverXml(bytes);
          const date = Date.parse(response.headers.date ?? "");
          // The Date header has whole seconds, and was set between request and response.
          const aheadMs = Number.isNaN(date) ? undefined : date + 500 - (start + Date.now()) / 2;
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: bytes.toString("utf8"),
            root,
            code: root?.name === "Error" ? childText(root, "Code") : "",
            aheadMs,
          });
        });
      },
    );
    sent.on("error", fail);
    // Node emits neither an error nor a response if the server switches to another protocol.
    sent.on("close", () => {
      if (!begun) fail(new Error("not an HTTP answer"));
    });
    sent.end(body);

    function fail(error: NodeJS.ErrnoException): void {
      // The error of an aborted request does not name the timeout.
      const found = signal.aborted ? `no answer within ${limitMs / 1000} s` : (error.code ?? error.message);
      reject(new Unanswered(found, { cause: error }));
    }
  });
}
