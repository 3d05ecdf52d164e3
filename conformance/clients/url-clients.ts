import { execFile } from "node:child_process";
import { promisify } from "node:util";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { aws4Oracle } from "../oracles/aws4.ts";
import { aws4fetchOracle } from "../oracles/aws4fetch.ts";
import { boto3Urls } from "../oracles/boto3.ts";
import { minioOracle } from "../oracles/minio.ts";
import type { Oracle } from "../oracles/oracle.ts";
import { hasDotSegment } from "../random/keys.ts";
import type { S3Wish } from "../random/requests.ts";
import type { ClientCall, ClientTarget, UrlClient } from "./client.ts";

const ALL = ["PUT", "HEAD", "GET", "DELETE"] as const;
const LIFE = 600;
const run = promisify(execFile);

/** Every client whose URLs the gateway has to serve. */
export const urlClients: readonly UrlClient[] = [
  // aws-sdk-js-v3 #6810: "x-amz-checksum-crc32=AAAAAA==" is signed into the URL before there is a body.
  awsSdk("with its default checksums", {}),
  awsSdk("checksums when required", {
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  }),
  boto3("v4"),
  boto3("v2"),
  ofOracle(aws4Oracle),
  {
    ...ofOracle(aws4fetchOracle),
    excludes: (key) => (hasDotSegment(key) ? "its URL is for another object" : undefined),
  },
  ofOracle(minioOracle),
  {
    name: "awscli presign",
    signature: "SigV4 query",
    methods: ["GET"],
    isSlow: true,
    urls: async (target, calls) => {
      const env = awsEnvironment(target);
      return each(calls, async ({ bucket, key }) => {
        const uri = `s3://${bucket}/${key}`;
        const args = ["s3", "presign", uri, "--endpoint-url", target.endpoint, "--expires-in", String(LIFE)];
        return (await run("/usr/bin/aws", [...args, "--region", target.region], { env })).stdout.trim();
      });
    },
  },
  {
    name: "s3cmd signurl",
    signature: "SigV2 query",
    methods: ["GET"],
    isSlow: true,
    urls: (target, calls) =>
      each(calls, async ({ bucket, key }) => {
        const { accessKeyId, secretAccessKey } = target.credentials;
        const host = target.endpoint.slice("http://".length);
        const access = [`--access_key=${accessKeyId}`, `--secret_key=${secretAccessKey}`, "--config=/dev/null"];
        const args = [...access, `--host=${host}`, `--host-bucket=${host}`, "--no-ssl", "signurl"];
        const { stdout } = await run("/usr/bin/s3cmd", [...args, `s3://${bucket}/${key}`, `+${LIFE}`], {
          env: plainEnvironment,
        });
        return stdout.trim();
      }),
  },
  {
    name: "rclone link",
    signature: "SigV4 query",
    methods: ["GET"],
    isSlow: true,
    excludes: (key) => (/(?:^|\/)(?:\.{0,2})(?:\/|$)|[\t]/.test(key) ? "rclone cleans its paths" : undefined),
    urls: ({ endpoint, region, credentials }, calls) =>
      each(calls, async ({ bucket, key }) => {
        const { accessKeyId, secretAccessKey } = credentials;
        const env = {
          ...plainEnvironment,
          RCLONE_S3_PROVIDER: "Other",
          RCLONE_S3_ENDPOINT: endpoint,
          RCLONE_S3_REGION: region,
          RCLONE_S3_ACCESS_KEY_ID: accessKeyId,
          RCLONE_S3_SECRET_ACCESS_KEY: secretAccessKey,
        };
        const args = ["--config", "/dev/null", "link", "--expire", `${LIFE}s`, `:s3:${bucket}/${key}`];
        return (await run("/usr/bin/rclone", args, { env })).stdout.trim();
      }),
  },
];

const plainEnvironment = { PATH: "/usr/bin:/bin", HOME: "/nonexistent", LC_ALL: "C.UTF-8" };

function awsEnvironment({ credentials }: ClientTarget): Record<string, string> {
  const { accessKeyId, secretAccessKey } = credentials;
  const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  return { ...plainEnvironment, ...keys, AWS_EC2_METADATA_DISABLED: "true" };
}

async function each<T>(calls: readonly ClientCall[], one: (call: ClientCall) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = [];
  for (const call of calls) results.push(await one(call));
  return results;
}

function wish({ endpoint, region, credentials }: ClientTarget, call: ClientCall): S3Wish {
  const life = { expiresIn: LIFE, signedAt: new Date(Date.now() - 1000) };
  return { ...call, endpoint, region, credentials, ...life, addressing: "path", query: [], headers: {} };
}

function ofOracle(oracle: Oracle): UrlClient {
  return {
    name: `${oracle.name} ${oracle.version}`,
    signature: "SigV4 query",
    methods: ALL,
    urls: (target, calls) => each(calls, (call) => oracle.sign(wish(target, call))),
  };
}

function boto3(version: "v2" | "v4"): UrlClient {
  return {
    name: `boto3, signature_version ${version === "v4" ? "s3v4" : "s3"}`,
    signature: version === "v4" ? "SigV4 query" : "SigV2 query",
    methods: ALL,
    urls: async (target, calls) =>
      boto3Urls(
        calls.map((call) => wish(target, call)),
        version,
      ),
  };
}

function awsSdk(label: string, checksums: ConstructorParameters<typeof S3Client>[0]): UrlClient {
  const command = ({ method, bucket: Bucket, key: Key }: ClientCall) => {
    if (method === "PUT") return new PutObjectCommand({ Bucket, Key });
    if (method === "HEAD") return new HeadObjectCommand({ Bucket, Key });
    return method === "GET" ? new GetObjectCommand({ Bucket, Key }) : new DeleteObjectCommand({ Bucket, Key });
  };
  return {
    name: `@aws-sdk/s3-request-presigner 3.1169.0, ${label}`,
    signature: "SigV4 query",
    methods: ALL,
    urls: ({ endpoint, region, credentials }, calls) => {
      const client = new S3Client({
        endpoint,
        region,
        forcePathStyle: true,
        credentials: { ...credentials },
        ...checksums,
      });
      return each(calls, (call) => getSignedUrl(client, command(call) as GetObjectCommand, { expiresIn: LIFE }));
    },
  };
}
