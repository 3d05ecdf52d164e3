import { createHash } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { type S3SignerOptions, s3Signer } from "daypass/s3";
import { type UrlSignRequest, urlSigner } from "daypass/url";
import { afterAll, beforeAll } from "vitest";
import {
  type RecordingStorage,
  recordingStorage,
  type TestGateway,
  type TestGatewayOptions,
  testGateway,
} from "../../src/testing/index.ts";

/** Starts a gateway before the tests of a file and closes it after them. Its members exist while the tests run. */
export function useGateway(options: TestGatewayOptions = {}): TestGateway {
  let started: TestGateway | undefined;
  beforeAll(async () => {
    started = await testGateway(options);
  });
  afterAll(() => started?.close());
  return new Proxy({} as TestGateway, { get: (_, name) => Reflect.get(started ?? {}, name) });
}

/** {@link useGateway}, and what a request cost its storage: a refusal costs no call. */
export function useCountedGateway(options: TestGatewayOptions = {}) {
  const gateway = useGateway({ ...options, storage: recordingStorage });
  const calls = () => (gateway.storage as RecordingStorage).calls;
  const counted = async (sent: Sent): Promise<Reply & { readonly calls: number }> => {
    const before = calls().length;
    const reply = await send(gateway, { ...sent, headers: { host: `127.0.0.1:${gateway.port}`, ...sent.headers } });
    return { ...reply, calls: calls().length - before };
  };
  return { gateway, calls, counted };
}

/** The signer for a test gateway's own access key, path style. */
export function s3For(
  gateway: Pick<TestGateway, "url" | "accessKey">,
  options: Partial<S3SignerOptions> = {},
): ReturnType<typeof s3Signer> {
  return s3Signer({
    region: "us-east-1",
    endpoint: gateway.url,
    addressing: "path",
    credentials: gateway.accessKey,
    ...options,
  });
}

/** A Daypass URL for a path of the gateway, 60 s by default. */
export function daypassUrl(
  gateway: TestGateway,
  path: string,
  options: Partial<UrlSignRequest> = {},
  clock: () => Date = () => new Date(),
): string {
  const request = { expiresIn: 60, ...options, url: `${gateway.url}${path}` } as UrlSignRequest;
  return urlSigner({ key: gateway.urlKey, clock }).sign(request).url;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export interface Sent {
  readonly method?: string;
  /** Raw target; sent as it is. */
  readonly target: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Uint8Array | undefined;
}

/** Sends a request whose target no URL parser has touched. */
export async function send(gateway: Pick<TestGateway, "port">, sent: Sent): Promise<Reply> {
  const message = request({
    host: "127.0.0.1",
    port: gateway.port,
    method: sent.method ?? "GET",
    path: sent.target,
    headers: sent.headers,
    agent: false,
  });
  // After an early refusal the rest of a long body cannot be sent. Without an answer, `once` below rejects.
  message.on("error", () => {});
  message.end(sent.body);
  const [reply] = (await once(message, "response")) as [IncomingMessage];
  return { status: reply.statusCode ?? 0, headers: reply.headers, body: await buffer(reply) };
}

/** A presigned request of S3: everything but the body is signed. */
export interface S3Sent {
  readonly method?: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly bucket?: string;
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Not signed. */
  readonly unsigned?: Readonly<Record<string, string>>;
}

export interface S3Reply extends Reply {
  readonly text: string;
  readonly code: string | undefined;
}

/** Signs with the gateway's own access key, and sends. */
export async function sendS3(
  gateway: Pick<TestGateway, "port" | "url" | "accessKey">,
  sent: S3Sent,
  options: Partial<S3SignerOptions> = {},
): Promise<S3Reply> {
  const { method = "GET", bucket = "media", key, query = {}, headers = {}, unsigned = {}, body } = sent;
  const signer = s3For(gateway, options);
  const { url } = signer.sign({
    method,
    bucket,
    ...(key === undefined ? ({ resource: "bucket" } as const) : { key }),
    expiresIn: 60,
    bind: { query, headers },
    dotSegments: "sign",
  });
  const length =
    body === undefined && method !== "PUT" ? {} : { "content-length": String(Buffer.byteLength(body ?? "")) };
  const host = { host: `127.0.0.1:${gateway.port}` };
  const reply = await send(gateway, {
    method,
    target: url.slice(gateway.url.length),
    headers: { ...host, ...length, ...headers, ...unsigned },
    body,
  });
  return { ...reply, text: reply.body.toString(), code: s3Code(reply.body) };
}

export interface S3Calls {
  s3(sent: S3Sent): Promise<S3Reply>;
  put(key: string, body: string, headers?: Readonly<Record<string, string>>): Promise<S3Reply>;
}

/** {@link sendS3} to the gateway that a suite starts before its tests. */
export function s3Calls(gateway: () => TestGateway): S3Calls {
  const s3 = (sent: S3Sent) => sendS3(gateway(), sent);
  return { s3, put: (key, body, headers = {}) => s3({ method: "PUT", key, body, headers }) };
}

/** In hexadecimal, as in an ETag. */
export function md5(bytes: string | Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

/** The code inside S3's error XML. */
export function s3Code(body: string | Buffer): string | undefined {
  return /<Code>([^<]*)<\/Code>/.exec(body.toString())?.[1];
}

/** One field of S3's error XML, unescaped. */
export function s3Field(body: string | Buffer, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(body.toString())?.[1];
  return text === undefined ? undefined : unescaped(text);
}

/** The status and all fields of S3's error XML. */
export function errorOf({ status, body }: Pick<Reply, "status" | "body">): Readonly<Record<string, unknown>> {
  const fields = body.toString().matchAll(/<([\w-]+)>([^<]*)<\/\1>/g);
  return { status, ...Object.fromEntries(Array.from(fields, ([, name, text = ""]) => [name, unescaped(text)])) };
}

function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}

/** Rows of a table from cases grouped by their answer, such as `403 AccessDenied`. */
export function byAnswer<T>(groups: Readonly<Record<string, Readonly<Record<string, T>>>>) {
  return Object.entries(groups).flatMap(([answer, cases]) =>
    Object.entries(cases).map(([what, value]) => [what, answer, value] as const),
  );
}

/** The answer to compare them with. */
export function refusalOf({ status, body }: Pick<Reply, "status" | "body">): string {
  return `${status} ${s3Field(body, "Code")}`;
}

/** A connection on which the test writes the bytes itself. */
export async function rawConnection(gateway: Pick<TestGateway, "port">): Promise<Socket> {
  const socket = connect(gateway.port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

/** All that the server sends until it closes. */
export async function readAll(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    text += chunk;
  });
  // A reset after the answer is a close as well.
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return text;
}

/** Polls until `look` returns a value, without a fixed pause. */
export async function until<T>(look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** An answer without what is another one each time: its date, and the two ids, which the body of an error has to repeat. */
export async function withoutIds(reply: Response): Promise<readonly unknown[]> {
  const { date: _, "x-amz-request-id": id, "x-amz-id-2": id2, ...headers } = Object.fromEntries(reply.headers);
  const text = await reply.text();
  const ids = `<RequestId>${id}</RequestId><HostId>${id2}</HostId>`;
  return [reply.status, headers, text.includes(ids) ? text.replace(ids, "") : { ids, text }];
}
