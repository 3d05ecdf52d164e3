import { createHash, createHmac } from "node:crypto";
import type { S3AccessKey } from "../../src/index.ts";
import { headerSignature } from "./header-signature.ts";

export type ChunkMode = "signed" | "signed-trailer" | "unsigned-trailer";

export interface ChunkedUpload {
  readonly mode: ChunkMode;
  readonly path: string;
  readonly host: string;
  readonly key: S3AccessKey;
  readonly body: Buffer;
  readonly chunk?: number;
  /** The field behind the last chunk. */
  readonly trailer?: readonly [name: string, value: string];
  readonly headers?: Readonly<Record<string, string>>;
  readonly decodedLength?: number;
}

const PAYLOADS: Readonly<Record<ChunkMode, string>> = {
  signed: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "signed-trailer": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
  "unsigned-trailer": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
};
const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");

/** An upload in chunks by Amazon's page, without the library: headers and framed body. */
export function chunkedUpload(upload: ChunkedUpload): { headers: Record<string, string>; body: Buffer } {
  const { mode, path, host, key, body, chunk = 65_536, trailer } = upload;
  const at = new Date();
  const headers = headerSignature({
    method: "PUT",
    path,
    host,
    key,
    at,
    payload: PAYLOADS[mode],
    headers: {
      "content-encoding": "aws-chunked",
      "x-amz-decoded-content-length": String(upload.decodedLength ?? body.length),
      ...(trailer === undefined ? {} : { "x-amz-trailer": trailer[0] }),
      ...upload.headers,
    },
  });
  const time = headers["x-amz-date"] ?? "";
  const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
  let signingKey: Buffer | string = `AWS4${key.secretAccessKey}`;
  for (const step of scope.split("/")) signingKey = createHmac("sha256", signingKey).update(step).digest();
  const derived = signingKey;
  let previous = headers["authorization"]?.slice(-64) ?? "";
  const sign = (kind: string, text: string): string => {
    const stringToSign = `AWS4-HMAC-SHA256-${kind}\n${time}\n${scope}\n${previous}\n${text}`;
    previous = createHmac("sha256", derived).update(stringToSign).digest("hex");
    return previous;
  };
  const parts: (string | Buffer)[] = [];
  for (let start = 0; start <= body.length; start += chunk) {
    const data = body.subarray(start, start + chunk);
    if (data.length > 0) parts.push(line(data), data, "\r\n");
  }
  parts.push(line(Buffer.alloc(0)));
  if (trailer !== undefined) {
    parts.push(`${trailer.join(":")}\r\n`);
    if (mode === "signed-trailer") {
      parts.push(`x-amz-trailer-signature:${sign("TRAILER", sha256(`${trailer.join(":")}\n`))}\r\n`);
    }
  }
  parts.push("\r\n");
  return { headers, body: Buffer.concat(parts.map((part) => Buffer.from(part))) };

  function line(data: Buffer): string {
    const signature =
      mode === "unsigned-trailer" ? "" : `;chunk-signature=${sign("PAYLOAD", `${sha256("")}\n${sha256(data)}`)}`;
    return `${data.length.toString(16)}${signature}\r\n`;
  }
}
