import { Agent as HttpAgent, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { isDaypassError } from "daypass";
import { type S3SignRequest, s3Signer } from "daypass/s3";
import { LONGEST_TIMER_MS } from "../../http/validate-options.ts";
import { type ReadElement, readXml } from "../../http/xml-reader.ts";
import { StorageError } from "../contract/storage.ts";
import { listBucketsUrl } from "./account-call.ts";
import { faultError, faultOf, type UpstreamFault, unreachable } from "./fault.ts";
import type { S3Options } from "./options.ts";
import { BodyError, drop, send, timeout, type WireOptions } from "./wire.ts";

/** A call on the upstream, in its own names. */
export interface UpstreamCall {
  /** For the text of an error, e.g. `store the object`. */
  readonly doing: string;
  readonly method?: string | undefined;
  /** Left out for the list of all buckets, whose `query` has a `continuation-token` at most. */
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  readonly query?: Readonly<Record<string, string>> | undefined;
  /** Lower-case names. Those that begin with `x-amz-` are signed. */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An answer that is no refusal. Whoever gets it reads, drops or destroys it. */
export type Answered = IncomingMessage;

/** What became of a call that may be refused. */
export type Outcome =
  | { readonly answer: Answered; readonly fault?: undefined }
  | { readonly fault: UpstreamFault; readonly answer?: undefined };

export interface Upstream {
  /** Resolves to a refusal as well. @throws {StorageError} `UNAVAILABLE`, and what the body of an upload throws */
  ask(call: UpstreamCall): Promise<Outcome>;
  /** The head of the answer; its body is dropped. @throws {StorageError} also for a refusal */
  tell(call: UpstreamCall): Promise<Answered>;
  /** The document of the answer. A 200 with an error in it, which S3 gives when it has begun to answer early, is a refusal. */
  read(call: UpstreamCall, root: string): Promise<{ readonly document: ReadElement; readonly answer: Answered }>;
  /** As `read`, but a refusal is no error. */
  readOrFault(
    call: UpstreamCall,
    root: string,
  ): Promise<
    | { readonly document: ReadElement; readonly answer: Answered; readonly fault?: undefined }
    | { readonly fault: UpstreamFault; readonly document?: undefined }
  >;
  /** A URL for somebody else. */
  presign(request: S3SignRequest): string;
  close(): void;
}

/** Seconds that a signature of ours is good for: clocks may differ by some, and a queued request waits. */
const LIFE = 300;
/** A page of a thousand keys, each percent-encoded and 1,024 bytes, is about 4 MB. */
const MAX_DOCUMENT = 16 * 1024 * 1024;
/** What stands in a refusal, with all that debugging shows of the request. */
const MAX_FAULT = 64 * 1024;
/** A page of a listing may take as many times what the first byte of an answer may: five minutes. */
const READ_WITHIN = 5;
/** A page of a thousand objects with owner and checksums. */
const MAX_ELEMENTS = 50_000;

export function upstream(options: S3Options): Upstream {
  const { region, credentials, timeouts, clock = () => new Date() } = options;
  // Credentials that end soon are good until they do.
  const signer = s3Signer({ ...options, credentialExpiry: "clamp" });
  const pathSigner = s3Signer({ ...options, credentialExpiry: "clamp", addressing: "path" });
  // No most of sockets: an object that is being read holds one while its tags are asked for on another, and a client takes its time. How
  // many requests there are at once is the gateway's limit.
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

  /** Where the account itself is called, in the signer's spelling: what stands before the bucket where that is no part of the host. */
  function accountEndpoint(): string {
    const { url } = pathSigner.sign({ bucket: "bucket", key: "key", expiresIn: LIFE });
    return url.slice(0, url.indexOf("/bucket/key?"));
  }

  function signed({ bucket, key, method, query }: UpstreamCall, headers: Readonly<Record<string, string>>): string {
    if (bucket === undefined) {
      const current = typeof credentials === "function" ? credentials() : credentials;
      const token = query?.["continuation-token"];
      return listBucketsUrl({ endpoint: accountEndpoint(), region, credentials: current, now: clock(), token });
    }
    const amz = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("x-amz-")));
    return signer.sign({ bucket, key, method, query, headers: amz, expiresIn: LIFE, dotSegments: "sign" }).url;
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
      throw new StorageError("UNAVAILABLE", `could not ${doing}: the request cannot be signed (${why})`, {
        cause: error,
      });
    }
    try {
      const { answer, sent } = await send({ method, url, headers, body, signal }, wire);
      const { statusCode: status = 0 } = answer;
      // A redirect is a refusal: where the bytes are is configuration.
      if (status >= 200 && status < 300) {
        if (sent) return { answer };
        answer.destroy();
        throw new StorageError(
          "UNAVAILABLE",
          `could not ${doing}: the upstream says that it has a body that it was not sent`,
        );
      }
      const bytes = await collected(answer, { most: MAX_FAULT, withinMs: wire.timeouts.answerMs });
      return { fault: bytes === undefined ? { status, code: "" } : faultOf(status, bytes) };
    } catch (error) {
      if (error instanceof BodyError) throw error.cause;
      if (error instanceof StorageError) throw error;
      throw broken(call, error);
    }
  }

  /** The client's doing where he has left, else the upstream's. */
  function broken({ doing, signal }: UpstreamCall, error: unknown): StorageError {
    if (signal?.aborted !== true) return unreachable(doing, error);
    return new StorageError("INCOMPLETE_BODY", "the request was aborted", { cause: error });
  }

  const readOrFault: Upstream["readOrFault"] = async (call, root) => {
    const { answer, fault } = await ask(call);
    if (fault !== undefined) return { fault };
    let bytes: Buffer | undefined;
    try {
      // One that comes byte by byte would hold a request for ever. What is copied or put together takes its time, and says so by spaces.
      const longest = Math.min(READ_WITHIN * wire.timeouts.answerMs, LONGEST_TIMER_MS);
      const withinMs = (call.method ?? "GET") === "GET" ? longest : undefined;
      bytes = await collected(answer, { most: MAX_DOCUMENT, withinMs });
    } catch (error) {
      throw broken(call, error);
    }
    if (bytes === undefined) {
      const message = `could not ${call.doing}: the upstream's document is longer than any that was asked for`;
      throw new StorageError("UNAVAILABLE", message);
    }
    // Spaces keep a connection awake while an upload is put together.
    let start = 0;
    while (bytes[start] === 0x20 || bytes[start] === 0x0a || bytes[start] === 0x0d) start += 1;
    const text = bytes.subarray(start);
    if (/^(?:<\?xml[^>]*>\s*)?<Error[\s>]/.test(text.toString("latin1", 0, 256))) {
      return { fault: faultOf(answer.statusCode ?? 0, text) };
    }
    try {
      return { document: readXml(text, root, { elements: MAX_ELEMENTS, anyCharacter: true }), answer };
    } catch (error) {
      throw new StorageError(
        "UNAVAILABLE",
        `could not ${call.doing}: expected ${root} from the upstream, found another text`,
        {
          cause: error,
        },
      );
    }
  };

  return {
    ask,
    async tell(call) {
      const { answer, fault } = await ask(call);
      if (fault !== undefined) throw faultError(fault, call.doing);
      drop(answer);
      return answer;
    },
    async read(call, root) {
      const outcome = await readOrFault(call, root);
      if (outcome.fault !== undefined) throw faultError(outcome.fault, call.doing);
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

/** `undefined`, and the rest not read, where there is more than this. @throws {Error} where it does not come within a time */
async function collected(
  answer: Answered,
  { most, withinMs }: { readonly most: number; readonly withinMs: number | undefined },
): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let size = 0;
  const late = (): void => void answer.destroy(timeout("end"));
  const limit = withinMs === undefined ? undefined : setTimeout(late, withinMs);
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
