import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { StorageError } from "@daypass/gateway";
import { type TestGateway, testGateway } from "@daypass/gateway/testing";
import { Client, CopyDestinationOptions, CopySourceOptions } from "minio";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";

const Bucket = "media";
const CopySource = "media/source.txt";
const etag = `"${createHash("md5").update("source").digest("hex")}"`;
const joinedEtag = `"${createHash("md5").update(createHash("md5").update("source").digest()).digest("hex")}-1"`;
const WORK_MS = 400;
const KEEP_ALIVE_MS = 50;
const missing = needs("python3");

let gateway: TestGateway;
/** How many answers were begun before they were known. */
let begun = 0;

const work = async (): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, WORK_MS));
  begun += 1;
};

beforeAll(async () => {
  gateway = await testGateway({
    files: { "media/source.txt": "source" },
    gateway: () => ({ keepAliveMs: KEEP_ALIVE_MS }),
    storage: (disk) => ({
      ...disk,
      async copy(source, target, options) {
        await work();
        if (target.key === "fails") throw new StorageError("UNAVAILABLE", "the disk is gone");
        return disk.copy(source, target, options);
      },
      async copyPart(...parameters) {
        await work();
        return disk.copyPart(...parameters);
      },
      async completeUpload(...parameters) {
        await work();
        return disk.completeUpload(...parameters);
      },
    }),
  });
});
afterAll(() => gateway?.close());

/** Runs one step, and holds that its answer was begun before its end. */
async function isBegunEarly(step: () => Promise<unknown>): Promise<void> {
  const before = begun;
  await step();
  expect(begun).toBe(before + 1);
  expect(gateway.events.at(-1)).toMatchObject({ status: 200 });
  // Declaration, white space and document.
  expect(gateway.events.at(-1)?.duration).toBeGreaterThanOrEqual(WORK_MS);
}

describe("a copy and a completion that take long", () => {
  test("are read by the AWS SDK for JavaScript, the result as well as the error", async () => {
    const s3 = new S3Client({ ...gateway.clients.awsSdk, maxAttempts: 1 });
    const object = { Bucket, Key: "sdk/joined" };
    await isBegunEarly(async () => {
      const { CopyObjectResult } = await s3.send(new CopyObjectCommand({ Bucket, Key: "sdk/copy", CopySource }));
      expect(CopyObjectResult?.ETag).toBe(etag);
    });
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(object));
    await isBegunEarly(async () => {
      const copied = await s3.send(new UploadPartCopyCommand({ ...object, UploadId, PartNumber: 1, CopySource }));
      expect(copied.CopyPartResult?.ETag).toBe(etag);
    });
    await isBegunEarly(async () => {
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: etag }] };
      const joined = await s3.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload }));
      expect(joined.ETag).toBe(joinedEtag);
    });
    expect(await (await s3.send(new GetObjectCommand(object))).Body?.transformToString()).toBe("source");
    await isBegunEarly(async () => {
      const failed = s3.send(new CopyObjectCommand({ Bucket, Key: "fails", CopySource }));
      const error = await failed.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(S3ServiceException);
      expect((error as S3ServiceException).name).toBe("ServiceUnavailable");
    });
    s3.destroy();
  });

  test.skipIf(missing)(`are read by boto3, the result as well as the error${missing ?? ""}`, async () => {
    const program = fileURLToPath(new URL("../clients/long-work.py", import.meta.url));
    const before = begun;
    const { stdout } = await promisify(execFile)("/usr/bin/python3", [program, gateway.url, Bucket, "source.txt"], {
      env: { PATH: process.env["PATH"], AWS_EC2_METADATA_DISABLED: "true", ...gateway.clients.environment },
    });
    expect(JSON.parse(stdout)).toEqual({
      copied: etag,
      part: etag,
      joined: joinedEtag,
      body: "source",
      // boto3 takes an error in a 200 for a 500, so that it would be tried again.
      failed: ["ServiceUnavailable", 500],
    });
    expect(begun).toBe(before + 4);
  });

  test("are read by minio-js", async () => {
    const client = new Client(gateway.clients.minio);
    await isBegunEarly(async () => {
      const copied = await client.copyObject(
        new CopySourceOptions({ Bucket, Object: "source.txt" }),
        new CopyDestinationOptions({ Bucket, Object: "minio/copy" }),
      );
      // The ETag it looks for in a header, where S3 has none.
      expect(copied).toMatchObject({ Bucket, Key: "minio/copy", LastModified: expect.anything() });
    });
  });
});
