import { createHash } from "node:crypto";
import { Agent as HttpAgent, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { isDaypassError } from "daypass";
import { type S3SignRequest, s3Signer } from "daypass/s3";
import { LONGEST_TIMER_MS } from "../../http/validate-options.ts";
import { type XmlContent, xmlDocument } from "../../http/xml.ts";
import { type ReadElement, readXml } from "../../http/xml-reader.ts";
import { StorageError } from "../contract/storage.ts";
import { listBucketsUrl } from "./account-call.ts";
import { type FaultError, faultError, faultOf, type UpstreamFault, unavailable, unreachable } from "./fault.ts";
import type { S3Options } from "./options.ts";
import { BodyError, drop, send, timeout, type WireOptions } from "./wire.ts";

/** A call on the upstream, in the upstream's names. */
export interface UpstreamCall {
  /** For the text of an error, e.g. `store the object`. */
  readonly doing: string;
  readonly method?: string | undefined;
  /** Omitted for the list of all buckets, whose `query` has at most a `continuation-token`. */
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  readonly query?: Readonly<Record<string, string>> | undefined;
  /** Lower-case names. Names that begin with `x-amz-` are signed. */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Creates the error for a refusal; `faultError` by default. */
  readonly error?: FaultError | undefined;
}

/** A successful answer. The receiver reads, drops or destroys it. */
export type Answered = IncomingMessage;

/** The result of a call that may be refused. */
export type Outcome =
  | { readonly answer: Answered; readonly fault?: undefined }
  | { readonly fault: UpstreamFault; readonly answer?: undefined };

type Read = { readonly document: ReadElement; readonly answer: Answered };

export interface Upstream {
  /** Resolves to a refusal as well. @throws {StorageError} `UNAVAILABLE`, and every error of the body of an upload */
  ask(call: UpstreamCall): Promise<Outcome>;
  /** Resolves to the refusal, if there is one. The body of the answer is dropped. */
  faultOf(call: UpstreamCall): Promise<UpstreamFault | undefined>;
  /** Resolves to the head of the answer; its body is dropped. @throws {StorageError} also for a refusal */
  send(call: UpstreamCall): Promise<Answered>;
  /** Resolves to the document of the answer. S3 may report an error in a 200 that it began early: that is a refusal. */
  read(call: UpstreamCall, root: string): Promise<Read>;
  /** Like `read`, but resolves to a refusal as well. */
  readOrFault(
    call: UpstreamCall,
    root: string,
  ): Promise<
    (Read & { readonly fault?: undefined }) | { readonly fault: UpstreamFault; readonly document?: undefined }
  >;
  /** A URL for a client. */
  presign(request: S3SignRequest): string;
  close(): void;
}

/** Lifetime of a signature in seconds: clocks may differ, and a request may have to wait for a connection. */
const LIFETIME = 300;
/** A page of a thousand keys, each percent-encoded and 1,024 bytes, is about 4 MB. */
const MAX_DOCUMENT = 16 * 1024 * 1024;
/** A refusal with all debugging fields of a request. */
const MAX_FAULT = 64 * 1024;
/**
 * The whole answer may take so many times the limit for the first byte: five minutes by default, and an hour for copies and completions, during
 * which S3 sends spaces. A change continues without its client, so an answer without end would occupy its place without end.
 */
const READ_WITHIN = { GET: 5, others: 60 };
/** A page of a thousand objects with owner and checksums. */
const MAX_ELEMENTS = 50_000;

/** A document as the body of a call, with the digest that S3 requires for some calls. */
export function documentBody(
  root: string,
  content: XmlContent,
): { readonly body: Buffer; readonly headers: Readonly<Record<string, string>> } {
  const body = Buffer.from(xmlDocument(root, content));
  const md5 = createHash("md5").update(body).digest("base64");
  return { body, headers: { "content-type": "application/xml", "content-md5": md5 } };
}

export function openUpstream(options: S3Options): Upstream {
  const { region, credentials, timeouts, clock = () => new Date() } = options;
  // Temporary credentials may expire before the signature does.
  const signer = s3Signer({ ...options, credentialExpiry: "clamp" });
  const pathSigner = s3Signer({ ...options, credentialExpiry: "clamp", addressing: "path" });
  // No limit on sockets: reading an object may need a second one for its tags, and clients may be slow. The gateway limits requests.
  const agentOptions = { keepAlive: true, maxFreeSockets: 64 };
  const agents = { http: new HttpAgent(agentOptions), https: new HttpsAgent(agentOptions) };
  const wire: WireOptions = {
    agents,
    timeouts: {
      connectMs: timeouts?.connectMs ?? 5000,
      answerMs: timeouts?.answerMs ?? 60_000,
      idleMs: timeouts?.idleMs ?? 30_000,
    },
  };

  /** The URL of the account, in the signer's spelling: everything before the bucket in a path-style URL. */
  function accountEndpoint(): string {
    const { url } = pathSigner.sign({ bucket: "bucket", key: "key", expiresIn: LIFETIME });
    return url.slice(0, url.indexOf("/bucket/key?"));
  }

  function signed({ bucket, key, method, query }: UpstreamCall, headers: Readonly<Record<string, string>>): string {
    if (bucket === undefined) {
      const current = typeof credentials === "function" ? credentials() : credentials;
      const token = query?.["continuation-token"];
      return listBucketsUrl({ endpoint: accountEndpoint(), region, credentials: current, now: clock(), token });
    }
    const amz = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("x-amz-")));
    const target = key === undefined ? ({ resource: "bucket" } as const) : { key };
    const signed = {
      bucket,
      ...target,
      method,
      query,
      headers: amz,
      expiresIn: LIFETIME,
      dotSegments: "sign",
    } as const;
    return signer.sign(signed).url;
  }

  async function ask(call: UpstreamCall): Promise<Outcome> {
    const { doing, method = "GET", body, signal } = call;
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(call.headers ?? {})) if (value !== undefined) headers[name] = value;
    if (body instanceof Uint8Array) headers["content-length"] = String(body.length);
    let url: string;
    try {
      url = signed(call, headers);
    } catch (error) {
      const why = isDaypassError(error) ? error.code : "INTERNAL";
      throw unavailable(doing, `the request cannot be signed (${why})`, { cause: error });
    }
    try {
      const { answer, sent } = await send({ method, url, headers, body, signal }, wire);
      const { statusCode: status = 0 } = answer;
      // A redirect is a refusal: only the configuration names the upstream.
      if (status >= 200 && status < 300) {
        if (sent) return { answer };
        answer.destroy();
        throw unavailable(doing, "the upstream says that it has a body that it was not sent");
      }
      const bytes = await collected(answer, { most: MAX_FAULT, withinMs: wire.timeouts.answerMs });
      return { fault: bytes === undefined ? { status, code: "" } : faultOf(status, bytes) };
    } catch (error) {
      if (error instanceof BodyError) throw error.cause;
      if (error instanceof StorageError) throw error;
      throw broken(call, error);
    }
  }

  /** An aborted request is the client's error, any other broken connection the upstream's. */
  function broken({ doing, signal }: UpstreamCall, error: unknown): StorageError {
    if (signal?.aborted !== true) return unreachable(doing, error);
    return new StorageError("INCOMPLETE_BODY", "the request was aborted", { cause: error });
  }

  const readOrFault: Upstream["readOrFault"] = async (call, root) => {
    const { answer, fault } = await ask(call);
    if (fault !== undefined) return { fault };
    let bytes: Buffer | undefined;
    try {
      const times = READ_WITHIN[(call.method ?? "GET") === "GET" ? "GET" : "others"];
      const withinMs = Math.min(times * wire.timeouts.answerMs, LONGEST_TIMER_MS);
      bytes = await collected(answer, { most: MAX_DOCUMENT, withinMs });
    } catch (error) {
      throw broken(call, error);
    }
    if (bytes === undefined) {
      throw unavailable(call.doing, "the upstream's document is longer than any that was asked for");
    }
    // S3 sends white space during a completion.
    let start = 0;
    while (bytes[start] === 0x20 || bytes[start] === 0x0a || bytes[start] === 0x0d) start += 1;
    const text = bytes.subarray(start);
    if (/^(?:<\?xml[^>]*>\s*)?<Error[\s>]/.test(text.toString("latin1", 0, 256))) {
      return { fault: faultOf(answer.statusCode ?? 0, text) };
    }
    try {
      return { document: readXml(text, root, { elements: MAX_ELEMENTS, anyCharacter: true }), answer };
    } catch (error) {
      throw unavailable(call.doing, `the upstream's answer is not a ${root}. Is it an S3 server?`, { cause: error });
    }
  };

  async function sendCall(call: UpstreamCall): Promise<Answered> {
    const { answer, fault } = await ask(call);
    if (fault !== undefined) throw (call.error ?? faultError)(fault, call.doing);
    drop(answer);
    return answer;
  }

  return {
    ask,
    send: sendCall,
    async faultOf(call) {
      const { answer, fault } = await ask(call);
      drop(answer);
      return fault;
    },
    async read(call, root) {
      const outcome = await readOrFault(call, root);
      if (outcome.fault !== undefined) throw (call.error ?? faultError)(outcome.fault, call.doing);
      return outcome;
    },
    readOrFault,
    presign: (request) => signer.sign(request).url,
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** `undefined` for a longer answer, whose rest is not read. @throws {Error} if the answer is not complete in time */
async function collected(
  answer: Answered,
  { most, withinMs }: { readonly most: number; readonly withinMs: number },
): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let size = 0;
  const late = (): void => void answer.destroy(timeout("end"));
  const limit = setTimeout(late, withinMs);
  try {
    for await (const piece of answer) {
      size += (piece as Buffer).length;
      if (size > most) return undefined;
      pieces.push(piece as Buffer);
    }
  } finally {
    clearTimeout(limit);
  }
  return Buffer.concat(pieces, size);
}
