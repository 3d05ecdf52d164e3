import { createHash, createHmac } from "node:crypto";
import type { S3AccessKey } from "../../src/index.ts";

export interface HeaderSigned {
  readonly method: string;
  /** Path as on the wire; no query. */
  readonly path: string;
  /** Names and values that need no encoding. */
  readonly query?: Readonly<Record<string, string>>;
  readonly host: string;
  readonly key: S3AccessKey;
  readonly at?: Date;
  /** `UNSIGNED-PAYLOAD` by default. */
  readonly payload?: string;
  /** Further headers, lower-case names, all signed. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Signs by the AWS documentation of header authentication, without the library, like an independent client. */
export function headerSignature(sign: HeaderSigned): Record<string, string> {
  const { method, path, query = {}, host, key, at = new Date(), payload = "UNSIGNED-PAYLOAD", headers = {} } = sign;
  const time = at.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const all: Record<string, string> = { ...headers, host, "x-amz-content-sha256": payload, "x-amz-date": time };
  const names = Object.keys(all).sort();
  const signedHeaders = names.join(";");
  const pairs = Object.keys(query).sort();
  const canonicalQuery = pairs.map((name) => `${name}=${query[name]}`).join("&");
  const canonical = `${method}\n${path}\n${canonicalQuery}\n${names.map((name) => `${name}:${all[name]}\n`).join("")}\n${signedHeaders}\n${payload}`;
  const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const stringToSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${createHash("sha256").update(canonical).digest("hex")}`;
  let signingKey: Buffer | string = `AWS4${key.secretAccessKey}`;
  for (const step of scope.split("/")) signingKey = createHmac("sha256", signingKey).update(step).digest();
  const signature = createHmac("sha256", signingKey).update(stringToSign).digest("hex");
  return {
    ...all,
    authorization: `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
  };
}
