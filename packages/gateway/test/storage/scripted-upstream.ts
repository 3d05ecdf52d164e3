import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { type S3ObjectRequest, s3Signer } from "daypass/s3";
import { onTestFinished, vi } from "vitest";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { type S3Options, s3 } from "../../src/storage/s3/index.ts";
import { type TestGateway, testGateway } from "../../src/testing/test-gateway.ts";

export const MB = 1024 * 1024;
export const ref = { bucket: "bucket", key: "a" };

/** A gateway whose storage is the driver. */
export async function front(options: S3Options): Promise<TestGateway> {
  const storage = s3(options);
  const gateway = await testGateway({
    storage: (disk) => {
      void disk.close();
      return storage;
    },
  });
  onTestFinished(() => gateway.close());
  return gateway;
}

/** A URL of a minute for an object of that gateway. */
export function signed(gateway: TestGateway, more: Partial<S3ObjectRequest> = {}) {
  return s3Signer(gateway.clients.daypass).sign({ ...ref, expiresIn: 60, ...more }).url;
}

/** The driver, closed when its test ends. */
export function opened(options: S3Options): Storage {
  const storage = s3(options);
  onTestFinished(() => storage.close());
  return storage;
}

/** The driver over a scripted upstream. */
export async function driver(listener: RequestListener, options: Partial<S3Options> = {}): Promise<Storage> {
  return opened({ ...(await scripted(listener)), ...options });
}

/** A scripted upstream on a real socket. */
export async function scripted(listener: RequestListener): Promise<S3Options & { readonly endpoint: string }> {
  const server = createServer(listener);
  onTestFinished(() => server.closeAllConnections());
  return at(`http://127.0.0.1:${await portOf(server)}`);
}

export function at(endpoint: string): S3Options & { readonly endpoint: string } {
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a secret that nobody may see" };
  return { endpoint, region: "us-east-1", credentials, bucket: "bucket" };
}

/** Listens until the test ends. */
export async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Answers with a document once the body of the request has arrived. */
export function says(
  document: string | ((request: IncomingMessage, query: URLSearchParams) => string),
): RequestListener {
  return (request, response) => {
    const { searchParams } = new URL(request.url ?? "", "http://upstream");
    const body = typeof document === "string" ? document : document(request, searchParams);
    request.resume().once("end", () => response.end(body));
  };
}

/** The head of an answer for an object. */
export function object(response: ServerResponse, length = 1): ServerResponse {
  return response.setHeader("etag", '"e"').setHeader("content-length", length);
}

/** Writes for as long as the driver reads. */
export function flood(response: ServerResponse, bytes: number, before = (): void => {}): void {
  const piece = Buffer.alloc(bytes, " ");
  const more = (): void => {
    do before();
    while (!response.destroyed && response.write(piece));
  };
  response.on("drain", more);
  more();
}

/** A body of so many megabytes that counts what was taken of it. */
export function counted(megabytes: number) {
  const body = {
    pulled: 0,
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
      for (; body.pulled < megabytes; body.pulled++) yield Buffer.alloc(MB);
    },
  };
  return body;
}

/** For times that a busy machine could need for something else. */
export function stopTimers(toFake: NonNullable<Parameters<typeof vi.useFakeTimers>[0]>["toFake"]): void {
  vi.useFakeTimers({ ...(toFake === undefined ? {} : { toFake }) });
  onTestFinished(() => void vi.useRealTimers());
}

export const list = (text: string): string => `<ListBucketResult>${text}</ListBucketResult>`;
export const contents = (key: string): string =>
  `<Contents><Key>${key}</Key><Size>1</Size><ETag>e</ETag><LastModified/></Contents>`;
export const uploadOf = (key: string): string => `<Upload><Key>${key}</Key><UploadId>u</UploadId><Initiated/></Upload>`;
export const part = "<Part><PartNumber>1</PartNumber><Size>1</Size><ETag>e</ETag><LastModified/></Part>";
export const MORE = "<IsTruncated>true</IsTruncated>";
export const buckets = (...names: readonly string[]): string =>
  `<ListAllMyBucketsResult><Buckets>${names.map((name) => `<Bucket><Name>${name}</Name></Bucket>`).join("")}</Buckets></ListAllMyBucketsResult>`;
