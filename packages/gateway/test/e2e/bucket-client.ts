import { createHash } from "node:crypto";
import type { S3AccessKey } from "../../src/index.ts";
import type { TestGateway } from "../../src/testing/index.ts";
import { type Reply, s3For, send } from "./clients.ts";

export interface BucketCall {
  readonly method?: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly bucket?: string;
  /** All of it is signed. */
  readonly query?: Readonly<Record<string, string>>;
  /** Not signed. */
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** The gateway's own key unless told. */
  readonly key?: S3AccessKey;
}

/** Makes a presigned call on a bucket. */
export function callBucket(gateway: TestGateway, call: BucketCall): Promise<Reply> {
  const { method = "GET", bucket = "media", query = {}, headers = {}, body, key } = call;
  const signer = s3For(gateway, key === undefined ? {} : { credentials: key });
  const { url } = signer.sign({ method, bucket, resource: "bucket", expiresIn: 60, bind: { query } });
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  return send(gateway, {
    method,
    target: url.slice(gateway.url.length),
    headers: { host: `127.0.0.1:${gateway.port}`, ...length, ...headers },
    body,
  });
}

export function contentMd5(body: string): Record<string, string> {
  return { "content-md5": createHash("md5").update(body).digest("base64") };
}

/** The texts of all elements of a name, unescaped. */
export function texts(reply: Reply, element: string): string[] {
  const found = reply.body.toString().matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, "g"));
  return Array.from(found, ([, text = ""]) =>
    text
      .replace(/&#x?([0-9a-f]+);/g, (reference, digits: string) =>
        String.fromCodePoint(Number.parseInt(digits, reference.startsWith("&#x") ? 16 : 10)),
      )
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&quot;", '"')
      .replaceAll("&amp;", "&"),
  );
}

export function text(reply: Reply, element: string): string | undefined {
  return texts(reply, element)[0];
}

/** What is inside each element of a name. */
export function parts(reply: Reply, element: string): string[] {
  const found = reply.body.toString().matchAll(new RegExp(`<${element}>(.*?)</${element}>`, "gs"));
  return Array.from(found, ([, inside = ""]) => inside);
}
