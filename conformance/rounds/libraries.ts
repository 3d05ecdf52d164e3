import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { AwsClient } from "aws4fetch";
import { Client } from "minio";
import { type ClientRound, isBig, line, type Outcome, type Place, presigned, shell } from "./round.ts";

const BIG = 100_000_000;
const PART = 16 * 1024 * 1024;
const KEYS = ["big.bin", "dir/small.txt", "parts.bin"];
const big = (place: Place): string => join(place.folder, "big.bin");

function expectKeys(keys: readonly (string | undefined)[]): Outcome {
  if (JSON.stringify(keys) !== JSON.stringify(KEYS)) throw new Error(`expected ${KEYS}, found ${keys}`);
  return "✓";
}

function expectBig(bytes: Uint8Array, place: Place): Outcome {
  if (!isBig(bytes, place)) throw new Error("expected the bytes of big.bin, found others");
  return "✓";
}

const sdk = (place: Place): S3Client =>
  new S3Client({
    endpoint: place.endpoint,
    region: place.region,
    forcePathStyle: true,
    credentials: { ...place.credentials },
  });

const sdkRound: ClientRound = {
  name: "AWS SDK for JavaScript 3",
  signature: "SigV4",
  needs: [],
  steps: {
    async create(place) {
      await sdk(place).send(new CreateBucketCommand({ Bucket: place.bucket }));
      return "✓";
    },
    async put(place) {
      await sdk(place).send(new PutObjectCommand({ Bucket: place.bucket, Key: "dir/small.txt", Body: place.small }));
      return "✓";
    },
    // A stream: the SDK sends it in chunks, with its checksum behind them.
    async "put 100 MB"(place) {
      const Body = createReadStream(big(place));
      await sdk(place).send(new PutObjectCommand({ Bucket: place.bucket, Key: "big.bin", Body, ContentLength: BIG }));
      return "✓";
    },
    async multipart(place) {
      const s3 = sdk(place);
      const object = { Bucket: place.bucket, Key: "parts.bin" };
      const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...object, ChecksumAlgorithm: "CRC32C" }));
      const bytes = await readFile(big(place));
      const Parts = [];
      for (let start = 0; start < BIG; start += PART) {
        const PartNumber: number = Parts.length + 1;
        const Body = bytes.subarray(start, start + PART);
        const { ETag, ChecksumCRC32C } = await s3.send(
          new UploadPartCommand({ ...object, UploadId, PartNumber, Body, ChecksumAlgorithm: "CRC32C" }),
        );
        Parts.push({ PartNumber, ETag, ChecksumCRC32C });
      }
      await s3.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
      return "✓";
    },
    async list(place) {
      const keys = [];
      for await (const page of paginateListObjectsV2({ client: sdk(place), pageSize: 2 }, { Bucket: place.bucket })) {
        for (const { Key } of page.Contents ?? []) keys.push(Key);
      }
      return expectKeys(keys);
    },
    presign: presigned((place) =>
      getSignedUrl(sdk(place), new GetObjectCommand({ Bucket: place.bucket, Key: "dir/small.txt" }), { expiresIn: 60 }),
    ),
    async fetch(place) {
      const { Body } = await sdk(place).send(
        new GetObjectCommand({ Bucket: place.bucket, Key: "parts.bin", ChecksumMode: "ENABLED" }),
      );
      return expectBig((await Body?.transformToByteArray()) ?? new Uint8Array(), place);
    },
    async delete(place) {
      const s3 = sdk(place);
      const Objects = KEYS.map((Key) => ({ Key }));
      const { Errors } = await s3.send(new DeleteObjectsCommand({ Bucket: place.bucket, Delete: { Objects } }));
      if (Errors !== undefined) throw new Error(JSON.stringify(Errors));
      await s3.send(new DeleteBucketCommand({ Bucket: place.bucket }));
      return "✓";
    },
  },
};

const minio = ({ endpoint, region, credentials }: Place): Client => {
  const { hostname, port } = new URL(endpoint);
  return new Client({
    endPoint: hostname,
    port: Number(port),
    useSSL: false,
    region,
    pathStyle: true,
    accessKey: credentials.accessKeyId,
    secretKey: credentials.secretAccessKey,
    partSize: PART,
  });
};

const minioRound: ClientRound = {
  name: "minio-js",
  signature: "SigV4",
  needs: [],
  steps: {
    async create(place) {
      await minio(place).makeBucket(place.bucket, place.region);
      return "✓";
    },
    async put(place) {
      await minio(place).putObject(place.bucket, "dir/small.txt", place.small);
      return "✓";
    },
    async "put 100 MB"(place) {
      await minio(place).fPutObject(place.bucket, "big.bin", big(place));
      return "✓";
    },
    async multipart(place) {
      await minio(place).putObject(place.bucket, "parts.bin", createReadStream(big(place)));
      return "✓";
    },
    async list(place) {
      const keys: (string | undefined)[] = [];
      for await (const { name } of minio(place).listObjectsV2(place.bucket, "", true)) keys.push(name);
      return expectKeys(keys);
    },
    presign: presigned((place) => minio(place).presignedGetObject(place.bucket, "dir/small.txt", 60)),
    async fetch(place) {
      const chunks: Buffer[] = [];
      for await (const chunk of await minio(place).getObject(place.bucket, "parts.bin")) chunks.push(chunk);
      return expectBig(Buffer.concat(chunks), place);
    },
    async delete(place) {
      await minio(place).removeObjects(place.bucket, KEYS);
      await minio(place).removeBucket(place.bucket);
      return "✓";
    },
  },
};

const aws4 = ({ region, credentials }: Place): AwsClient => new AwsClient({ ...credentials, region, service: "s3" });

async function aws4Call(place: Place, path: string, init: Parameters<AwsClient["fetch"]>[1] = {}): Promise<Response> {
  const reply = await aws4(place).fetch(`${place.endpoint}/${place.bucket}${path}`, init);
  if (!reply.ok) throw new Error(`${reply.status} ${await reply.text()}`);
  return reply;
}

const aws4fetchRound: ClientRound = {
  name: "aws4fetch",
  signature: "SigV4",
  needs: [],
  steps: {
    async create(place) {
      await aws4Call(place, "", { method: "PUT" });
      return "✓";
    },
    async put(place) {
      await aws4Call(place, "/dir/small.txt", { method: "PUT", body: place.small });
      return "✓";
    },
    async "put 100 MB"(place) {
      await aws4Call(place, "/big.bin", { method: "PUT", body: await readFile(big(place)) });
      return "✓";
    },
    async multipart(place) {
      const started = await (await aws4Call(place, "/parts.bin?uploads", { method: "POST" })).text();
      const id = /<UploadId>([^<]+)</.exec(started)?.[1] ?? "";
      const bytes = await readFile(big(place));
      let parts = "";
      for (let number = 1, start = 0; start < BIG; number++, start += PART) {
        const query = `?partNumber=${number}&uploadId=${encodeURIComponent(id)}`;
        const body = bytes.subarray(start, start + PART);
        const reply = await aws4Call(place, `/parts.bin${query}`, { method: "PUT", body });
        parts += `<Part><PartNumber>${number}</PartNumber><ETag>${reply.headers.get("etag")}</ETag></Part>`;
      }
      const body = `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`;
      await aws4Call(place, `/parts.bin?uploadId=${encodeURIComponent(id)}`, { method: "POST", body });
      return "✓";
    },
    async list(place) {
      const text = await (await aws4Call(place, "?list-type=2")).text();
      return expectKeys([...text.matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, key]) => key));
    },
    presign: presigned(async (place) => {
      const url = `${place.endpoint}/${place.bucket}/dir/small.txt?X-Amz-Expires=60`;
      return (await aws4(place).sign(url, { aws: { signQuery: true } })).url;
    }),
    async fetch(place) {
      return expectBig(new Uint8Array(await (await aws4Call(place, "/parts.bin")).arrayBuffer()), place);
    },
    async delete(place) {
      for (const key of [...KEYS.map((key) => `/${key}`), ""]) await aws4Call(place, key, { method: "DELETE" });
      return "✓";
    },
  },
};

const script = fileURLToPath(new URL("boto3-round.py", import.meta.url));

function botoRound(name: string, signature: string, version: "s3v4" | "s3"): ClientRound {
  const call = (step: string): string => `/usr/bin/python3 ${script} "${step}" $ENDPOINT $BUCKET ${version}`;
  return {
    name,
    signature,
    needs: ["python3"],
    steps: {
      create: line(call("create")),
      put: line(call("put")),
      "put 100 MB": line(call("put 100 MB")),
      multipart: line(call("multipart")),
      list: line(call("list")),
      presign: presigned(async (place) => (await shell(place, call("presign"))).trim()),
      fetch: line(`${call("fetch")} && cmp big.bin out.bin`),
      delete: line(call("delete")),
    },
  };
}

/** Clients that are libraries. */
export const libraryRounds: readonly ClientRound[] = [
  sdkRound,
  botoRound("boto3", "SigV4", "s3v4"),
  botoRound("boto3, signature version 2", "SigV2", "s3"),
  minioRound,
  aws4fetchRound,
];
