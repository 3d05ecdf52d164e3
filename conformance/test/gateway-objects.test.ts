import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  AbortMultipartUploadCommand,
  type ChecksumAlgorithm,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  GetObjectAclCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { type TestGateway, testGateway } from "@daypass/gateway/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";

const Bucket = "media";
const MB = 1024 * 1024;
const md5 = (bytes: string | Uint8Array) => createHash("md5").update(bytes).digest("hex");
const missing = needs("python3");

let gateway: TestGateway;
let s3: S3Client;

beforeAll(async () => {
  gateway = await testGateway({ files: { "media/foreign.txt": "foreign", "media/.keep": "" } });
  s3 = new S3Client({
    region: "us-east-1",
    endpoint: gateway.url,
    forcePathStyle: true,
    credentials: { ...gateway.accessKey },
  });
});
afterAll(async () => {
  s3?.destroy();
  await gateway?.close();
});

const text = async (Key: string) => (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();

/** The name and status of what a call was refused with. */
async function refusal(call: Promise<unknown>): Promise<readonly [name: string, status: number | undefined]> {
  try {
    await call;
  } catch (error) {
    const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
    return [name, $metadata?.httpStatusCode];
  }
  throw new Error("it was not refused");
}

describe("the AWS SDK, as it comes", () => {
  test("stores, copies, tags and describes objects", async () => {
    const stored = await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: "a b+ä.txt",
        Body: "hello",
        ContentType: "text/plain",
        Metadata: { author: "Ada" },
        Tagging: "colour=red&a%20b=c",
        ACL: "bucket-owner-full-control",
      }),
    );
    expect(stored.ETag).toBe(`"${md5("hello")}"`);
    expect(stored.ChecksumCRC32).toBe("NhCmhg==");
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: "a b+ä.txt" }));
    expect([got.ChecksumCRC32, got.ChecksumType, got.TagCount]).toEqual(["NhCmhg==", "FULL_OBJECT", 2]);
    expect(await got.Body?.transformToString()).toBe("hello");

    const CopySource = `${Bucket}/${encodeURIComponent("a b+ä.txt")}`;
    const copied = await s3.send(new CopyObjectCommand({ Bucket, Key: "copy.txt", CopySource }));
    expect(copied.CopyObjectResult).toMatchObject({ ETag: `"${md5("hello")}"`, ChecksumCRC32: "NhCmhg==" });
    expect(copied.CopyObjectResult?.LastModified).toBeInstanceOf(Date);
    const replaced = { MetadataDirective: "REPLACE", Metadata: { author: "Grace" } } as const;
    await s3.send(new CopyObjectCommand({ Bucket, Key: "copy.txt", CopySource: `${Bucket}/copy.txt`, ...replaced }));
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: "copy.txt" }))).Metadata).toEqual({ author: "Grace" });
    expect(await text("copy.txt")).toBe("hello");

    const tags = async () => (await s3.send(new GetObjectTaggingCommand({ Bucket, Key: "copy.txt" }))).TagSet;
    expect(await tags()).toEqual([
      { Key: "colour", Value: "red" },
      { Key: "a b", Value: "c" },
    ]);
    await s3.send(
      new PutObjectTaggingCommand({
        Bucket,
        Key: "copy.txt",
        Tagging: { TagSet: [{ Key: "größe", Value: "<&>".replace(/[<&>]/g, "+") }] },
      }),
    );
    expect(await tags()).toEqual([{ Key: "größe", Value: "+++" }]);
    await s3.send(new DeleteObjectTaggingCommand({ Bucket, Key: "copy.txt" }));
    expect(await tags()).toEqual([]);

    const attributes = await s3.send(
      new GetObjectAttributesCommand({
        Bucket,
        Key: "a b+ä.txt",
        ObjectAttributes: ["ETag", "Checksum", "ObjectParts", "ObjectSize", "StorageClass"],
      }),
    );
    expect(attributes).toMatchObject({
      ETag: md5("hello"),
      Checksum: { ChecksumCRC32: "NhCmhg==", ChecksumType: "FULL_OBJECT" },
      ObjectSize: 5,
      StorageClass: "STANDARD",
    });
    const acl = await s3.send(new GetObjectAclCommand({ Bucket, Key: "copy.txt" }));
    expect(acl.Grants?.map(({ Permission }) => Permission)).toEqual(["FULL_CONTROL"]);
    expect(await refusal(s3.send(new PutObjectAclCommand({ Bucket, Key: "copy.txt", ACL: "public-read" })))).toEqual([
      "AccessControlListNotSupported",
      400,
    ]);
  });

  test("keeps conditions", async () => {
    const Key = "conditional.txt";
    const put = (Body: string, conditions: { IfMatch?: string; IfNoneMatch?: string }) =>
      s3.send(new PutObjectCommand({ Bucket, Key, Body, ...conditions }));
    expect(await refusal(put("x", { IfMatch: '"other"' }))).toEqual(["NoSuchKey", 404]);
    await put("1", { IfNoneMatch: "*" });
    expect(await refusal(put("2", { IfNoneMatch: "*" }))).toEqual(["PreconditionFailed", 412]);
    expect(await refusal(put("2", { IfMatch: '"other"' }))).toEqual(["PreconditionFailed", 412]);
    await put("2", { IfMatch: `"${md5("1")}"` });
    const remove = (IfMatch: string) => s3.send(new DeleteObjectCommand({ Bucket, Key, IfMatch }));
    expect(await refusal(remove('"other"'))).toEqual(["PreconditionFailed", 412]);
    await remove(`"${md5("2")}"`);
    expect(await refusal(s3.send(new HeadObjectCommand({ Bucket, Key })))).toEqual(["NotFound", 404]);
  });

  test.each(["CRC32", "CRC32C", "CRC64NVME", "MD5", "SHA1", "SHA256"] as ChecksumAlgorithm[])(
    "sends %s with objects and parts, and finds it again",
    async (ChecksumAlgorithm) => {
      const Key = `${ChecksumAlgorithm}.bin`;
      const field = `Checksum${ChecksumAlgorithm}` as "ChecksumSHA256";
      const stored = await s3.send(new PutObjectCommand({ Bucket, Key, Body: "hello", ChecksumAlgorithm }));
      expect(stored[field]).toMatch(/^[A-Za-z0-9+/]+=*$/);
      // The SDK compares it with the bytes that it reads.
      const got = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
      expect([got[field], await got.Body?.transformToString()]).toEqual([stored[field], "hello"]);

      const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm }));
      const bodies = [Buffer.alloc(5 * MB, "a"), Buffer.from("the end")];
      const Parts = [];
      for (const [i, Body] of bodies.entries()) {
        const PartNumber = i + 1;
        const part = await s3.send(
          new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ChecksumAlgorithm }),
        );
        Parts.push({ PartNumber, ETag: part.ETag, [field]: part[field] });
      }
      const done = await s3.send(
        new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
      );
      const full = ChecksumAlgorithm === "CRC64NVME";
      expect([done[field]?.endsWith("-2"), done.ChecksumType]).toEqual([!full, full ? "FULL_OBJECT" : "COMPOSITE"]);
      const whole = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
      expect(Buffer.from((await whole.Body?.transformToByteArray()) ?? []).equals(Buffer.concat(bodies))).toBe(true);
      const second = await s3.send(new GetObjectCommand({ Bucket, Key, PartNumber: 2, ChecksumMode: "ENABLED" }));
      expect([second.PartsCount, second.ContentRange, await second.Body?.transformToString()]).toEqual([
        2,
        `bytes ${5 * MB}-${5 * MB + 6}/${5 * MB + 7}`,
        "the end",
      ]);
      const { ObjectParts } = await s3.send(
        new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ["ObjectParts"] }),
      );
      expect(ObjectParts?.TotalPartsCount).toBe(2);
      expect(ObjectParts?.Parts?.map(({ Size }) => Size)).toEqual([5 * MB, 7]);
      expect(ObjectParts?.Parts?.map((part) => part[field])).toEqual(Parts.map((part) => part[field]));
    },
  );

  test("begins, lists, copies into, completes and aborts uploads in parts", async () => {
    const Key = "parts/big.bin";
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ContentType: "x/big" }));
    const other = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "parts/other.bin" }));
    const Body = randomBytes(5 * MB);
    const first = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body }));
    const CopySource = `${Bucket}/foreign.txt`;
    const second = await s3.send(
      new UploadPartCopyCommand({ Bucket, Key, UploadId, PartNumber: 2, CopySource, CopySourceRange: "bytes=1-3" }),
    );
    expect(second.CopyPartResult?.ETag).toBe(`"${md5("ore")}"`);
    const listed = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 1 }));
    expect([listed.Parts?.length, listed.IsTruncated, listed.NextPartNumberMarker]).toEqual([1, true, "1"]);
    const uploads = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: "parts/" }));
    expect(uploads.Uploads?.map((upload) => [upload.Key, upload.UploadId])).toEqual([
      [Key, UploadId],
      ["parts/other.bin", other.UploadId],
    ]);
    const rolled = await s3.send(new ListMultipartUploadsCommand({ Bucket, Delimiter: "/" }));
    expect(rolled.CommonPrefixes).toEqual([{ Prefix: "parts/" }]);
    const Parts = [
      { PartNumber: 1, ETag: first.ETag },
      { PartNumber: 2, ETag: second.CopyPartResult?.ETag },
    ];
    const complete = () =>
      s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
    const done = await complete();
    expect([done.Bucket, done.Key, done.Location]).toEqual([Bucket, Key, `${gateway.url}/media/parts/big.bin`]);
    expect((await complete()).ETag).toBe(done.ETag);
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
    expect([got.ContentType, got.ETag]).toEqual(["x/big", done.ETag]);
    const bytes = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
    expect(bytes.equals(Buffer.concat([Body, Buffer.from("ore")]))).toBe(true);

    const abort = () =>
      s3.send(new AbortMultipartUploadCommand({ Bucket, Key: "parts/other.bin", UploadId: other.UploadId }));
    await abort();
    expect(await refusal(abort())).toEqual(["NoSuchUpload", 404]);
    expect((await s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads).toBe(undefined);
  });

  test("signs the parts of an upload for a browser, which sends them without it", async () => {
    const Key = "presigned.bin";
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const Parts = [];
    for (const [i, body] of ["a".repeat(5 * MB), "b"].entries()) {
      const PartNumber = i + 1;
      const url = await getSignedUrl(s3, new UploadPartCommand({ Bucket, Key, UploadId, PartNumber }));
      const reply = await fetch(url, { method: "PUT", body });
      expect(reply.status).toBe(200);
      Parts.push({ PartNumber, ETag: reply.headers.get("etag") ?? "" });
    }
    await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key }))).ContentLength).toBe(5 * MB + 1);
  });

  test("signs a copy whose source the holder cannot change", async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: "source.txt", Body: "source" }));
    const command = new CopyObjectCommand({ Bucket, Key: "signed-copy.txt", CopySource: `${Bucket}/source.txt` });
    const url = await getSignedUrl(s3, command);
    // The presigner moves the header into the query, and there it is signed.
    expect(url).toContain("x-amz-copy-source=media%2Fsource.txt");
    expect((await fetch(url.replace("source.txt", "foreign.txt"), { method: "PUT" })).status).toBe(403);
    const both = await fetch(url, { method: "PUT", headers: { "x-amz-copy-source": `${Bucket}/foreign.txt` } });
    expect(both.status).toBe(403);
    expect((await fetch(url, { method: "PUT" })).status).toBe(200);
    expect(await text("signed-copy.txt")).toBe("source");
  });
});

describe.skipIf(missing)(`boto3, as it comes${missing ?? ""}`, () => {
  test("moves files in parts, up, down and sideways", async () => {
    const script = fileURLToPath(new URL("../clients/objects.py", import.meta.url));
    const { accessKeyId, secretAccessKey } = gateway.accessKey;
    const { stdout } = await promisify(execFile)("python3", [script, gateway.url, Bucket], {
      env: { ...process.env, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    });
    expect(JSON.parse(stdout)).toEqual({
      uploaded: "same bytes",
      unchanged: "304",
      parts: 3,
      copied: "same bytes",
      copied_parts: 3,
      tags: [{ Key: "a", Value: "1" }],
      metadata: { author: "Ada" },
      attributes: 3,
      listed: ["boto/left.bin"],
      aborted: "NoSuchUpload",
      small_part: "EntityTooSmall",
      raced: "PreconditionFailed",
    });
  });
});
