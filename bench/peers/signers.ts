import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { SignatureV4 } from "@smithy/signature-v4";
import aws4 from "aws4";
import { AwsClient } from "aws4fetch";
import { getSignedUrl as dropIn } from "daypass/compat/aws";
import { Client as MinioClient } from "minio";
import type { Contender } from "../compute/interleave.ts";
import { job, keyOf } from "../compute/job.ts";

const { bucket, region, endpoint, host, expiresIn, credentials } = job;

/** Every signer of S3 URLs that is in wide use on Node, each called as its own documentation shows. */
export function peerSigners(): readonly Contender[] {
  return [aws4Signer(), aws4fetchSigner(), minioSigner(), smithySigner(), awsPresigner()];
}

function aws4Signer(): Contender {
  return {
    name: "aws4",
    call: (turn) =>
      aws4.sign(
        { service: "s3", region, host, path: `/${bucket}/${keyOf(turn)}?X-Amz-Expires=${expiresIn}`, signQuery: true },
        credentials,
      ).path,
  };
}

function aws4fetchSigner(): Contender {
  const client = new AwsClient({ ...credentials, service: "s3", region });
  return {
    name: "aws4fetch",
    call: (turn) =>
      client.sign(`${endpoint}/${bucket}/${keyOf(turn)}?X-Amz-Expires=${expiresIn}`, { aws: { signQuery: true } }),
  };
}

function minioSigner(): Contender {
  const { accessKeyId: accessKey, secretAccessKey: secretKey } = credentials;
  const client = new MinioClient({ endPoint: host, region, accessKey, secretKey, pathStyle: true });
  return { name: "minio", call: (turn) => client.presignedUrl("GET", bucket, keyOf(turn), expiresIn) };
}

function smithySigner(): Contender {
  const signer = new SignatureV4({
    service: "s3",
    region,
    credentials,
    sha256: NodeSha256,
    uriEscapePath: false,
    applyChecksum: false,
  });
  return {
    name: "@smithy/signature-v4",
    call: (turn) =>
      signer.presign(
        {
          method: "GET",
          protocol: "https:",
          hostname: host,
          path: `/${bucket}/${keyOf(turn)}`,
          query: {},
          headers: { host },
        },
        { expiresIn },
      ),
  };
}

function awsPresigner(): Contender {
  return ofClient("@aws-sdk/s3-request-presigner", getSignedUrl);
}

/** Ours in its place: the same client, the same commands. */
export function awsDropIn(): Contender {
  return ofClient("daypass/compat/aws", dropIn);
}

function ofClient(name: string, sign: typeof getSignedUrl | typeof dropIn): Contender {
  // By default it would add the checksum of an empty body, which is useless and costs time.
  const client = new S3Client({
    region,
    // It writes into the object that it is given.
    credentials: { ...credentials },
    forcePathStyle: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  return {
    name,
    call: (turn) => sign(client, new GetObjectCommand({ Bucket: bucket, Key: keyOf(turn) }), { expiresIn }),
  };
}

/** The hash that the signer below the SDK asks for, by node:crypto. */
class NodeSha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytes(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytes(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error("a hash is used once");
  }
}

function bytes(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
