import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { runningCrc } from "../../src/http/checksum.ts";
import { md5, s3Calls, s3Field, useGateway } from "./clients.ts";

const MB = 1024 * 1024;
const gateway = useGateway({ files: { "media/source.txt": "0123456789", "other/.keep": "" } });

const { s3 } = s3Calls(() => gateway);
const crc32 = (bytes: Buffer) => {
  const crc = runningCrc("crc32");
  crc.update(bytes);
  return Buffer.from(crc.digest()).toString("base64");
};
const sha256 = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("base64");
const fields = (text: string, name: string) =>
  [...text.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map((match) => match[1]);

async function begin(key: string, headers: Record<string, string> = {}): Promise<string> {
  const reply = await s3({ method: "POST", key, query: { uploads: "" }, headers });
  expect([reply.status, reply.code]).toEqual([200, undefined]);
  expect([s3Field(reply.text, "Bucket"), s3Field(reply.text, "Key")]).toEqual(["media", key]);
  return s3Field(reply.text, "UploadId") ?? "";
}

function part(
  key: string,
  uploadId: string,
  number: number,
  body: string | Buffer,
  headers: Record<string, string> = {},
) {
  return s3({ method: "PUT", key, query: { uploadId, partNumber: String(number) }, body, headers });
}

type Named = readonly [number: number, etag: string | undefined, extra?: string];

function list(...parts: readonly Named[]): string {
  const items = parts.map(
    ([number, etag, extra = ""]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag>${extra}</Part>`,
  );
  return `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${items.join("")}</CompleteMultipartUpload>`;
}

function complete(key: string, uploadId: string, body: string, headers: Record<string, string> = {}) {
  return s3({ method: "POST", key, query: { uploadId }, body, headers });
}

describe("an upload in parts", () => {
  it("completes an upload into an object with S3's ETag, type and metadata", async () => {
    const key = "big files/a ä.bin";
    const headers = {
      "content-type": "x/big",
      "cache-control": "max-age=3",
      "x-amz-meta-author": "Ada",
      "x-amz-tagging": "project=blue&a%20b=c+d",
    };
    const uploadId = await begin(key, headers);
    const bytes = [Buffer.alloc(5 * MB, "a"), Buffer.alloc(5 * MB, "b"), Buffer.from("the end")];
    const etags: string[] = [];
    for (const [i, body] of bytes.entries()) {
      const reply = await part(key, uploadId, i + 1, body);
      expect([reply.status, reply.headers.etag]).toEqual([200, `"${md5(body)}"`]);
      etags.push(reply.headers.etag ?? "");
    }
    expect((await s3({ key })).code).toBe("NoSuchKey");
    const done = await complete(key, uploadId, list([1, etags[0]], [2, etags[1]], [3, etags[2]]));
    const joined = createHash("md5").update(bytes.map(md5).join(""), "hex").digest("hex");
    expect(done.status).toBe(200);
    expect(s3Field(done.text, "ETag")).toBe(`"${joined}-3"`);
    expect(s3Field(done.text, "Location")).toBe(`${gateway.url}/media/big%20files/a%20%C3%A4.bin`);
    expect([s3Field(done.text, "Bucket"), s3Field(done.text, "Key")]).toEqual(["media", key]);
    const got = await s3({ key });
    expect(got.body.equals(Buffer.concat(bytes))).toBe(true);
    expect(got.headers).toMatchObject({
      etag: `"${joined}-3"`,
      "content-type": "x/big",
      "x-amz-meta-author": "Ada",
      "x-amz-tagging-count": "2",
    });
    // Only a request for a part returns the number of parts.
    expect(got.headers["x-amz-mp-parts-count"]).toBe(undefined);
  });

  it("reads an object part by part, and describes its parts", async () => {
    const key = "parts.bin";
    const uploadId = await begin(key, { "x-amz-checksum-algorithm": "CRC32" });
    const bytes = [Buffer.alloc(5 * MB, "a"), Buffer.from("the end")];
    const named: Named[] = [];
    for (const [i, body] of bytes.entries()) {
      const reply = await part(key, uploadId, i + 1, body, { "x-amz-checksum-crc32": crc32(body) });
      expect(reply.headers["x-amz-checksum-crc32"]).toBe(crc32(body));
      named.push([i + 1, reply.headers.etag, `<ChecksumCRC32>${crc32(body)}</ChecksumCRC32>`]);
    }
    const done = await complete(key, uploadId, list(...named));
    const whole = `${crc32(Buffer.concat(bytes.map((body) => Buffer.from(crc32(body), "base64"))))}-2`;
    expect([s3Field(done.text, "ChecksumCRC32"), s3Field(done.text, "ChecksumType")]).toEqual([whole, "COMPOSITE"]);

    for (const method of ["GET", "HEAD"] as const) {
      const second = await s3({ method, key, query: { partNumber: "2", "x-amz-checksum-mode": "ENABLED" } });
      expect([second.status, second.text]).toEqual([206, method === "GET" ? "the end" : ""]);
      expect(second.headers).toMatchObject({
        "content-length": "7",
        "content-range": `bytes ${5 * MB}-${5 * MB + 6}/${5 * MB + 7}`,
        "x-amz-mp-parts-count": "2",
        "x-amz-checksum-crc32": crc32(Buffer.from("the end")),
        "x-amz-checksum-type": "COMPOSITE",
      });
    }
    const all = await s3({ method: "HEAD", key, headers: { "x-amz-checksum-mode": "ENABLED" } });
    expect([all.headers["x-amz-checksum-crc32"], all.headers["x-amz-mp-parts-count"]]).toEqual([whole, undefined]);

    const none = await s3({ key, query: { partNumber: "3" } });
    expect([none.status, none.code, s3Field(none.text, "ActualPartCount")]).toEqual([416, "InvalidPartNumber", "2"]);
    for (const partNumber of ["0", "10001", "-1", "one", ""]) {
      const reply = await s3({ key, query: { partNumber } });
      expect([partNumber, reply.status, reply.code]).toEqual([partNumber, 400, "InvalidArgument"]);
    }
    const both = await s3({ key, query: { partNumber: "1" }, unsigned: { range: "bytes=0-1" } });
    expect([both.status, both.code]).toEqual([400, "InvalidRequest"]);

    const wanted = { "x-amz-object-attributes": "ETag,Checksum,ObjectParts,StorageClass,ObjectSize" };
    const attributes = await s3({ key, query: { attributes: "" }, headers: wanted });
    expect(attributes.status).toBe(200);
    expect(fields(attributes.text, "ETag")).toEqual([s3Field(done.text, "ETag")?.replaceAll('"', "")]);
    expect(fields(attributes.text, "ObjectSize")).toEqual([String(5 * MB + 7)]);
    expect(fields(attributes.text, "StorageClass")).toEqual(["STANDARD"]);
    expect(fields(attributes.text, "PartsCount")).toEqual(["2"]);
    expect(fields(attributes.text, "PartNumber")).toEqual(["1", "2"]);
    expect(fields(attributes.text, "Size")).toEqual([String(5 * MB), "7"]);
    expect(fields(attributes.text, "ChecksumCRC32")).toEqual([whole, ...bytes.map(crc32)]);
    const page = await s3({
      key,
      query: { attributes: "" },
      headers: { "x-amz-object-attributes": "ObjectParts", "x-amz-max-parts": "1", "x-amz-part-number-marker": "0" },
    });
    expect([fields(page.text, "IsTruncated"), fields(page.text, "NextPartNumberMarker")]).toEqual([["true"], ["1"]]);
    expect(page.text).not.toContain("<ETag>");
  });

  it("compares a declared full-object checksum", async () => {
    const key = "full.bin";
    const uploadId = await begin(key, { "x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "FULL_OBJECT" });
    const bytes = [Buffer.alloc(5 * MB, "x"), Buffer.from("y")];
    const named: Named[] = [];
    for (const [i, body] of bytes.entries()) named.push([i + 1, (await part(key, uploadId, i + 1, body)).headers.etag]);
    const whole = crc32(Buffer.concat(bytes));
    const declared = (value: string) => ({ "x-amz-checksum-crc32": value, "x-amz-checksum-type": "FULL_OBJECT" });
    const wrong = await complete(key, uploadId, list(...named), declared("AAAAAA=="));
    expect([wrong.status, wrong.code]).toEqual([400, "BadDigest"]);
    const mode = await complete(key, uploadId, list(...named), {
      ...declared(whole),
      "x-amz-checksum-type": "COMPOSITE",
    });
    expect(s3Field(mode.text, "Message")).toBe(
      "The upload was created using the FULL_OBJECT checksum mode. The complete request must use the same checksum mode.",
    );
    const done = await complete(key, uploadId, list(...named), declared(whole));
    expect([s3Field(done.text, "ChecksumCRC32"), s3Field(done.text, "ChecksumType")]).toEqual([whole, "FULL_OBJECT"]);
  });

  it("lists uploads and parts until the upload is aborted", async () => {
    const [a, b] = [await begin("list/a"), await begin("list/b")];
    await part("list/a", a, 3, "three");
    await part("list/a", a, 1, "one");
    const parts = await s3({ key: "list/a", query: { uploadId: a } });
    expect(fields(parts.text, "PartNumber")).toEqual(["1", "3"]);
    expect(fields(parts.text, "Size")).toEqual(["3", "5"]);
    expect(fields(parts.text, "ETag").map((etag) => etag?.replaceAll("&quot;", '"'))).toEqual([
      `"${md5("one")}"`,
      `"${md5("three")}"`,
    ]);
    const first = await s3({ key: "list/a", query: { uploadId: a, "max-parts": "1" } });
    expect([fields(first.text, "IsTruncated"), fields(first.text, "NextPartNumberMarker")]).toEqual([["true"], ["1"]]);
    const second = await s3({ key: "list/a", query: { uploadId: a, "max-parts": "1", "part-number-marker": "1" } });
    expect([fields(second.text, "PartNumber"), fields(second.text, "IsTruncated")]).toEqual([["3"], ["false"]]);
    expect((await s3({ key: "list/a", query: { uploadId: a, "max-parts": "x" } })).code).toBe("InvalidArgument");

    const uploads = await s3({ query: { uploads: "", prefix: "list/" } });
    expect([fields(uploads.text, "Key"), fields(uploads.text, "UploadId")]).toEqual([
      ["list/a", "list/b"],
      [a, b],
    ]);
    const rolled = await s3({ query: { uploads: "", delimiter: "/", prefix: "li" } });
    expect([fields(rolled.text, "Key"), fields(rolled.text, "Prefix")]).toEqual([[], ["li", "list/"]]);
    const page = await s3({ query: { uploads: "", prefix: "list/", "max-uploads": "1" } });
    expect([
      fields(page.text, "Key"),
      fields(page.text, "NextKeyMarker"),
      fields(page.text, "NextUploadIdMarker"),
    ]).toEqual([["list/a"], ["list/a"], [a]]);
    const next = await s3({ query: { uploads: "", prefix: "list/", "key-marker": "list/a", "upload-id-marker": a } });
    expect(fields(next.text, "Key")).toEqual(["list/b"]);

    expect((await s3({ method: "DELETE", key: "list/a", query: { uploadId: a } })).status).toBe(204);
    for (const gone of [
      await s3({ method: "DELETE", key: "list/a", query: { uploadId: a } }),
      await s3({ key: "list/a", query: { uploadId: a } }),
      await part("list/a", a, 1, "x"),
      await complete("list/a", a, list([1, `"${md5("one")}"`])),
      await s3({ key: "list/c", query: { uploadId: b } }),
    ]) {
      expect([gone.status, gone.code]).toEqual([404, "NoSuchUpload"]);
    }
    expect((await s3({ query: { uploads: "", prefix: "list/a" } })).text).not.toContain("<Upload>");
  });

  it("encodes keys of uploads with encoding-type=url", async () => {
    const key = "enc/ä b&c";
    await begin(key);
    const plain = await s3({ query: { uploads: "", prefix: "enc/" } });
    expect(fields(plain.text, "Key")).toEqual(["enc/ä b&amp;c"]);
    const encoded = await s3({ query: { uploads: "", prefix: "enc/", "encoding-type": "url" } });
    expect(fields(encoded.text, "Key")).toEqual(["enc/%C3%A4%20b%26c"]);
  });

  it("refuses invalid lists of parts with S3's codes", async () => {
    const key = "wrong.bin";
    const uploadId = await begin(key);
    const small = (await part(key, uploadId, 1, "small")).headers.etag;
    const last = (await part(key, uploadId, 2, "last")).headers.etag;
    const refusals = [
      ["", "MalformedXML"],
      ["<CompleteMultipartUpload/>", "MalformedXML"],
      ["<Delete/>", "MalformedXML"],
      [list([1, small]).replace("<Part>", "<Part><Extra/>"), "MalformedXML"],
      [list([0, small]), "InvalidArgument"],
      [list([10_001, small]), "MalformedXML"],
      [list([2, last], [1, small]), "InvalidPartOrder"],
      [list([1, small], [1, small]), "InvalidPartOrder"],
      [list([3, small], [2, '"nonsense"']), "InvalidPartOrder"],
      [list([1, small], [3, last]), "InvalidPart"],
      [list([1, '"nonsense"'], [2, last]), "InvalidPart"],
      [list([1, small], [2, last]), "EntityTooSmall"],
    ] as const;
    for (const [body, code] of refusals) {
      const reply = await complete(key, uploadId, body);
      expect([body, reply.status, reply.code]).toEqual([body, 400, code]);
    }
    const tooSmall = await complete(key, uploadId, list([1, small], [2, last]));
    expect([s3Field(tooSmall.text, "MinSizeAllowed"), s3Field(tooSmall.text, "ProposedSize")]).toEqual([
      "5242880",
      "5",
    ]);
    const unknown = await complete(key, "0".repeat(32), list([2, '"nonsense"']));
    expect([unknown.status, unknown.code]).toEqual([404, "NoSuchUpload"]);
    const size = await complete(key, uploadId, list([2, last]), { "x-amz-mp-object-size": "5" });
    expect(s3Field(size.text, "Message")).toBe(
      "The provided 'x-amz-mp-object-size' header value 5 does not match what was computed: 4",
    );
    expect((await complete(key, uploadId, list([2, last]), { "x-amz-mp-object-size": "4" })).status).toBe(200);
  });

  it("answers a repeated completion like the first", async () => {
    const key = "twice.bin";
    const uploadId = await begin(key);
    const etag = (await part(key, uploadId, 1, "once")).headers.etag;
    const headers = { "if-none-match": "*" };
    const first = await complete(key, uploadId, list([1, etag]), headers);
    const second = await complete(key, uploadId, list([1, etag?.replaceAll('"', "")]), headers);
    expect([first.status, second.status, second.text]).toEqual([200, 200, first.text]);
    const other = await complete(key, uploadId, list([1, '"other"']), headers);
    expect([other.status, other.code]).toEqual([404, "NoSuchUpload"]);
  });

  it("enforces conditions on a completion", async () => {
    const key = "conditions.bin";
    const uploadId = await begin(key);
    const body = list([1, (await part(key, uploadId, 1, "new")).headers.etag]);
    const missing = await complete(key, uploadId, body, { "if-match": `"${md5("old")}"` });
    expect([missing.status, missing.code]).toEqual([404, "NoSuchKey"]);
    await s3({ method: "PUT", key, body: "old" });
    for (const headers of [{ "if-none-match": "*" }, { "if-match": `"${md5("other")}"` }]) {
      const reply = await complete(key, uploadId, body, headers);
      expect([reply.status, reply.code]).toEqual([412, "PreconditionFailed"]);
    }
    expect((await s3({ key })).text).toBe("old");
    expect((await complete(key, uploadId, body, { "if-match": `"${md5("old")}"` })).status).toBe(200);
    expect((await s3({ key })).text).toBe("new");
  });

  it("compares the digests of each part and of the list", async () => {
    const key = "digests.bin";
    const uploadId = await begin(key, { "x-amz-checksum-algorithm": "SHA256" });
    const wrong = [
      [{ "content-md5": createHash("md5").update("other").digest("base64") }, "BadDigest"],
      [{ "x-amz-checksum-sha256": sha256("other") }, "BadDigest"],
      [{ "x-amz-checksum-crc32": crc32(Buffer.from("part")) }, "InvalidRequest"],
      [{}, "InvalidRequest"],
    ] as const;
    for (const [headers, code] of wrong) {
      const extra = code === "BadDigest" ? { "x-amz-checksum-sha256": sha256("part"), ...headers } : headers;
      const reply = await part(key, uploadId, 1, "part", extra as Record<string, string>);
      expect([headers, reply.status, reply.code]).toEqual([headers, 400, code]);
    }
    expect((await s3({ key, query: { uploadId } })).text).not.toContain("<Part>");
    const { etag } = (await part(key, uploadId, 1, "part", { "x-amz-checksum-sha256": sha256("part") })).headers;
    const bare = await complete(key, uploadId, list([1, etag]));
    expect(s3Field(bare.text, "Message")).toBe(
      "The upload was created using a sha256 checksum. The complete request must include the checksum for each part. It was missing for part 1 in the request.",
    );
    const body = list([1, etag, `<ChecksumSHA256>${sha256("part")}</ChecksumSHA256>`]);
    const md5Of = (text: string) => ({ "content-md5": createHash("md5").update(text).digest("base64") });
    expect((await complete(key, uploadId, body, md5Of("other"))).code).toBe("BadDigest");
    const done = await complete(key, uploadId, body, md5Of(body));
    expect(s3Field(done.text, "ChecksumSHA256")).toBe(`${sha256(createHash("sha256").update("part").digest())}-1`);
  });

  it("refuses checksum options that S3 does not combine", async () => {
    const refusals = [
      [
        { "x-amz-checksum-type": "COMPOSITE" },
        "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
      ],
      [
        { "x-amz-checksum-algorithm": "XXHASH3" },
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256, SHA512]",
      ],
      [
        { "x-amz-checksum-algorithm": "SHA1", "x-amz-checksum-type": "FULL_OBJECT" },
        "The FULL_OBJECT checksum type cannot be used with the sha1 checksum algorithm.",
      ],
      [
        { "x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "COMPOSITE" },
        "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm.",
      ],
      [
        { "x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "HALF" },
        "Value for x-amz-checksum-type header is invalid.",
      ],
    ] as const;
    for (const [headers, message] of refusals) {
      const reply = await s3({ method: "POST", key: "sums.bin", query: { uploads: "" }, headers });
      expect([reply.status, reply.code, s3Field(reply.text, "Message")]).toEqual([400, "InvalidRequest", message]);
    }
  });

  it("copies whole objects and ranges as parts", async () => {
    const key = "copied.bin";
    const uploadId = await begin(key);
    const copy = (number: number, headers: Record<string, string>) =>
      s3({ method: "PUT", key, query: { uploadId, partNumber: String(number) }, headers });
    const source = { "x-amz-copy-source": "/media/source.txt" };
    const cut = await copy(1, { ...source, "x-amz-copy-source-range": "bytes=2-4" });
    expect([cut.status, s3Field(cut.text, "ETag")]).toEqual([200, `"${md5("234")}"`]);
    for (const [range, code] of [
      ["bytes=2-10", "InvalidArgument"],
      ["bytes=4-2", "InvalidArgument"],
      ["bytes=2-", "InvalidArgument"],
      ["bytes=-2", "InvalidArgument"],
      ["2-4", "InvalidArgument"],
      ["bytes=0-1,3-4", "InvalidArgument"],
    ] as const) {
      const reply = await copy(2, { ...source, "x-amz-copy-source-range": range });
      expect([range, reply.status, reply.code]).toEqual([range, 400, code]);
      expect(s3Field(reply.text, "ArgumentValue")).toBe(range);
    }
    expect((await copy(2, { "x-amz-copy-source": "/media/none" })).code).toBe("NoSuchKey");
    expect((await copy(2, { "x-amz-copy-source": "/nowhere/none" })).code).toBe("NoSuchBucket");
    expect((await copy(2, { ...source, "x-amz-copy-source-if-match": '"other"' })).code).toBe("PreconditionFailed");
    const done = await complete(key, uploadId, list([1, s3Field(cut.text, "ETag")]));
    expect(done.status).toBe(200);
    expect((await s3({ key })).text).toBe("234");
  });

  it("refuses multipart calls on a missing bucket and with other methods", async () => {
    expect((await s3({ method: "POST", bucket: "nowhere", key: "a", query: { uploads: "" } })).code).toBe(
      "NoSuchBucket",
    );
    expect((await s3({ bucket: "nowhere", query: { uploads: "" } })).code).toBe("NoSuchBucket");
    expect((await s3({ method: "PUT", key: "a", query: { uploads: "" }, body: "" })).code).toBe("NotImplemented");
    expect((await s3({ method: "PUT", key: "a", query: { partNumber: "1" }, body: "" })).code).toBe("NotImplemented");
    expect((await s3({ method: "PUT", key: "a", query: { uploadId: "1" }, body: "" })).code).toBe("NotImplemented");
    for (const partNumber of ["0", "10001", "x"]) {
      const reply = await s3({ method: "PUT", key: "a", query: { uploadId: "1", partNumber }, body: "x" });
      expect([reply.code, s3Field(reply.text, "Message")]).toEqual([
        "InvalidArgument",
        "Part number must be an integer between 1 and 10000, inclusive",
      ]);
    }
  });
});
