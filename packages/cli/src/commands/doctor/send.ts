import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { childText, parseXml } from "../../listing/xml.ts";

/** A request as it is to be sent, byte for byte. */
export interface Sent {
  readonly url: string;
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** How long an answer may take. */
  readonly limitMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** S3's error code, or empty. */
  readonly code: string;
  /** How many milliseconds the server's clock is ahead of ours; `undefined` where it tells no time. */
  readonly aheadMs: number | undefined;
}

/** Nobody answered, or not to the end. The text says how it ended. */
export class Unanswered extends Error {
  override readonly name = "Unanswered";
}

/** What was answered, or how it ended. */
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

/** Sends a request without following redirects. Rejects with {@link Unanswered} where nobody answers. */
export function send({ url, method, headers = {}, body = "", limitMs = LIMIT_MS }: Sent): Promise<Answer> {
  const [, scheme, authority, target] = /^(https?):\/\/([^/?]+)(.*)$/.exec(url) ?? [];
  if (authority === undefined) return Promise.reject(new Error("expected an absolute URL"));
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
        // As it was signed: a URL parser would spell it anew.
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
          const text = Buffer.concat(chunks).toString("utf8");
          const date = Date.parse(response.headers.date ?? "");
          // The server's time has whole seconds, and was taken somewhere between the two ends.
          const aheadMs = Number.isNaN(date) ? undefined : date + 500 - (start + Date.now()) / 2;
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: text,
            code: errorCode(text),
            aheadMs,
          });
        });
      },
    );
    sent.on("error", fail);
    // Node tells of no error where the other side changes to another protocol, and of no answer.
    sent.on("close", () => {
      if (!begun) fail(new Error("not an HTTP answer"));
    });
    sent.end(body);

    function fail(error: NodeJS.ErrnoException): void {
      // Node says no more than that the request was aborted.
      const found = signal.aborted ? `no answer within ${limitMs / 1000} s` : (error.code ?? error.message);
      reject(new Unanswered(found, { cause: error }));
    }
  });
}

function errorCode(body: string): string {
  if (!/<Error[\s>]/.test(body)) return "";
  try {
    return childText(parseXml(body), "Code");
  } catch {
    return "";
  }
}

/** The name of the element that a body of XML is; empty where it is none. */
export function rootName(body: string): string {
  try {
    return parseXml(body).name;
  } catch {
    return "";
  }
}
