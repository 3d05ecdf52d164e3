/** Bodies on their way to an upstream: what is stored is what was declared, and once. */
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { chunks, codeOf, contents, readBody } from "../../src/testing/contract-tools.ts";
import { collectGarbage } from "../collect-garbage.ts";
import { over, upstreamGateway } from "./gateway-upstream.ts";

const MB = 1024 * 1024;

it("omits a part checksum that another process received, if the upload has none at the upstream", async () => {
  const upstream = await upstreamGateway({
    files: { "bucket/.keep": "" },
    gateway: () => ({ limits: { minPart: 0 } }),
  });
  const bytes = Buffer.from("a part");
  const checksum = { algorithm: "sha256", expected: createHash("sha256").update(bytes).digest("base64") } as const;
  const [receiving, completing] = [over(upstream), over(upstream)];
  const upload = await receiving.createUpload({ bucket: "bucket", key: "a" });
  const { etag } = await receiving.putPart(upload, 1, chunks(bytes), { contentLength: bytes.length, checksum });
  const named = { number: 1, etag, algorithm: checksum.algorithm, checksum: checksum.expected };
  await completing.completeUpload(upload, [named], { minPartSize: 0 });
  expect(await contents(completing, "bucket", "a")).toBe("a part");
});

it("sends no last piece of a body that is not what was declared, so that nothing is stored", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/a": "old" } });
  const storage = over(upstream);
  const bytes = Buffer.alloc(3 * MB, "new");
  const pieces = Array.from({ length: 48 }, (_, i) => bytes.subarray(i * 65_536, (i + 1) * 65_536));
  const ref = { bucket: "bucket", key: "a" };
  const wrong = createHash("sha256").update("other").digest();
  for (const [code, options] of [
    ["DIGEST_MISMATCH", { digests: { md5: wrong.subarray(0, 16) } }],
    ["DIGEST_MISMATCH", { digests: { sha256: wrong } }],
    ["CHECKSUM_MISMATCH", { checksum: { algorithm: "crc32", expected: "AAAAAA==" } }],
    ["INCOMPLETE_BODY", { contentLength: bytes.length + 1 }],
    ["INCOMPLETE_BODY", { contentLength: bytes.length - 1 }],
  ] as const) {
    const put = storage.put(ref, chunks(...pieces), { contentLength: bytes.length, ...options });
    expect([options, await codeOf(put)]).toEqual([options, code]);
  }
  // The same with a checksum that is too late to be sent in front.
  const late = over(upstream, { holdBytes: 100_000 });
  const checksum = { algorithm: "sha256", expected: () => wrong.toString("base64") } as const;
  const put = late.put(ref, chunks(...pieces), { contentLength: bytes.length, checksum });
  expect(await codeOf(put)).toBe("CHECKSUM_MISMATCH");
  expect(await contents(storage, "bucket", "a")).toBe("old");
  // What was begun leaves nothing.
  await expect.poll(() => readdirSync(`${upstream.root}/bucket`), { timeout: 5000 }).toEqual(["a"]);
});

// A browser sends a name in Latin-1, curl in UTF-8: each character of a header is a byte as it came.
it.each([
  ["small", 1],
  ["streamed", 2 * MB],
  ["empty", 0],
])("stores a header with the bytes that came, with a body that is %s", async (_, size) => {
  const upstream = await upstreamGateway({ files: { "bucket/.keep": "" } });
  const storage = over(upstream);
  const ref = { bucket: "bucket", key: "a" };
  for (const name of ["\xfc\xc9", "\xc3\xbc", "u"]) {
    const contentDisposition = `attachment; filename="${name}.pdf"`;
    // A type that browsers show inline: for other types the upstream, which is a gateway, rewrites the disposition.
    const options = { contentType: "image/png", headers: { contentDisposition }, contentLength: size };
    await storage.put(ref, chunks(Buffer.alloc(size)), options);
    const infos = [await upstream.storage.head(ref), await storage.head(ref)];
    expect(infos.map((info) => [info?.size, info?.headers.contentDisposition])).toEqual(
      Array(2).fill([size, contentDisposition]),
    );
  }
});

// Amazon writes such a character of a key as a reference, although XML 1.0 has none for it.
it.each(["a\u0001b", "\u001f", "a\ufffe", "a\u000bb"])("uploads in parts under %j", async (key) => {
  const upstream = await upstreamGateway({
    files: { "bucket/.keep": "" },
    gateway: () => ({ limits: { minPart: 0 } }),
  });
  const storage = over(upstream);
  const upload = await storage.createUpload({ bucket: "bucket", key });
  const bytes = Buffer.from("a part");
  const { etag } = await storage.putPart(upload, 1, chunks(bytes), { contentLength: bytes.length });
  // A driver that did not begin the upload has to ask for it.
  const another = over(upstream);
  expect((await another.listParts(upload, { after: 0, limit: 10 })).parts.map((part) => part.etag)).toEqual([etag]);
  expect((await another.listUploads("bucket", { prefix: "", limit: 10 })).entries).toHaveLength(1);
  await another.completeUpload(upload, [{ number: 1, etag }], { minPartSize: 0 });
  expect(await contents(storage, "bucket", key)).toBe("a part");
  expect((await storage.listUploads("bucket", { prefix: "", limit: 10 })).entries).toEqual([]);
});

it("streams a long body of known length and stores it once", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/.keep": "" } });
  const storage = over(upstream);
  const piece = Buffer.alloc(MB, "daypass");
  const md5 = createHash("md5");
  for (let i = 0; i < 20; i++) md5.update(piece);
  const etag = md5.digest("hex");
  const ref = { bucket: "bucket", key: "long" };
  const info = await storage.put(ref, chunks(...Array.from({ length: 20 }, () => piece)), { contentLength: 20 * MB });
  expect([info.etag, info.size]).toEqual([etag, 20 * MB]);
  const read = await storage.get(ref);
  expect(
    createHash("md5")
      .update(await readBody(read?.body()))
      .digest("hex"),
  ).toBe(etag);
});

it("stores a long body of unknown length in parts, and nothing of a broken body", async () => {
  const upstream = await upstreamGateway({
    files: { "bucket/.keep": "" },
    gateway: () => ({ limits: { minPart: 100_000 } }),
  });
  const storage = over(upstream, { holdBytes: 100_000 });
  const bytes = Buffer.alloc(250_000, "daypass");
  const pieces = Array.from({ length: 25 }, (_, i) => bytes.subarray(i * 10_000, (i + 1) * 10_000));
  const ref = { bucket: "bucket", key: "parts" };
  const sha256 = createHash("sha256").update(bytes).digest();
  const info = await storage.put(ref, chunks(...pieces), {
    digests: { sha256 },
    metadata: { a: "1", ["__proto__"]: "2" },
    ifNoneMatch: "*",
  });
  expect([info.size, info.metadata, info.etag.endsWith("-3")]).toEqual([250_000, { a: "1", ["__proto__"]: "2" }, true]);
  expect((await readBody((await storage.get(ref))?.body())).equals(bytes)).toBe(true);
  expect(await codeOf(storage.put(ref, chunks(...pieces), { ifNoneMatch: "*" }))).toBe("PRECONDITION_FAILED");
  const wrong = storage.put({ ...ref, key: "b" }, chunks(...pieces), { digests: { sha256: new Uint8Array(32) } });
  expect(await codeOf(wrong)).toBe("DIGEST_MISMATCH");
  expect(await contents(storage, "bucket", "b")).toBe(undefined);
  expect((await storage.listUploads("bucket", { prefix: "", limit: 10 })).entries).toEqual([]);
});

it("holds no more of slow uploads of unknown length than has room, and takes them again when there is some", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/.keep": "" } });
  const storage = over(upstream, { holdBytes: 200_000 });
  const piece = Buffer.alloc(190_000, "x");
  let release = (): void => {};
  const stalled = new Promise<void>((resolve) => {
    release = resolve;
  });
  let taken = 0;
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield piece;
    taken += 1;
    await stalled;
  }
  const waiting = Array.from({ length: 80 }, (_, i) =>
    codeOf(storage.put({ bucket: "bucket", key: `${i}` }, slow(), {})),
  );
  // 64 times 200,000 bytes, in pieces of 190,000.
  await expect.poll(() => taken).toBe(67);
  const ref = { bucket: "bucket", key: "late" };
  expect(await codeOf(storage.put(ref, chunks(piece), {}))).toBe("UNAVAILABLE");
  const checksum = { algorithm: "crc32", expected: () => undefined } as const;
  // What is known to end has its turn. An SDK sends its parts so, many at once.
  const parts = Array.from({ length: 40 }, (_, i) =>
    storage.put({ bucket: "bucket", key: `part ${i}` }, chunks(piece), { contentLength: piece.length, checksum }),
  );
  expect((await Promise.all(parts)).map(({ size }) => size)).toEqual(Array(40).fill(piece.length));
  // Uploads of known length and small uploads are not affected.
  expect((await storage.put(ref, chunks(piece), { contentLength: piece.length })).size).toBe(piece.length);
  expect((await storage.put(ref, chunks("x"), { contentLength: 1, checksum: { algorithm: "crc32" } })).size).toBe(1);
  release();
  const codes = await Promise.all(waiting);
  expect(codes.filter((code) => code === "UNAVAILABLE")).toHaveLength(13);
  expect((await storage.put(ref, chunks(piece), {})).size).toBe(piece.length);
});

/** Bytes one by one in one buffer: code that keeps a piece without a copy sees the last byte many times. */
async function* oneByOne(bytes: Buffer): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(1);
  for (const byte of bytes) {
    piece[0] = byte;
    yield piece;
  }
}

it("keeps no object for each byte of a body that comes byte by byte", async () => {
  const upstream = await upstreamGateway({
    files: { "bucket/.keep": "" },
    gateway: () => ({ limits: { minPart: 1000 } }),
  });
  const storage = over(upstream, { holdBytes: 10_000 });
  const bytes = Buffer.from(Array.from({ length: 25_000 }, (_, i) => i % 251));
  for (const [key, length] of [
    ["whole", 9000],
    ["parts", 25_000],
  ] as const) {
    const ref = { bucket: "bucket", key };
    expect((await storage.put(ref, oneByOne(bytes.subarray(0, length)), {})).size).toBe(length);
    expect((await readBody((await storage.get(ref))?.body())).equals(bytes.subarray(0, length))).toBe(true);
  }
});

it("finishes an admitted body of unknown length under memory pressure, and releases what was sent", async () => {
  const upstream = await upstreamGateway({
    files: { "bucket/.keep": "" },
    gateway: () => ({ limits: { minPart: 100_000 } }),
  });
  const storage = over(upstream, { holdBytes: 200_000 });
  let goOn = (): void => {};
  const stalled = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let first: WeakRef<Uint8Array> | undefined;
  let count = 0;
  const long: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      async next() {
        count += 1;
        if (count === 26) await stalled;
        if (count > 50) return { done: true, value: undefined };
        const value = Buffer.alloc(10_000, "x");
        first ??= new WeakRef(value);
        return { done: false, value };
      },
    }),
  };
  const whole = storage.put({ bucket: "bucket", key: "long" }, long, {});
  await expect.poll(() => count).toBe(26);
  // The first part is stored.
  await expect
    .poll(() => {
      collectGarbage();
      return first?.deref();
    })
    .toBeUndefined();
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(190_000, "x");
    await stalled;
  }
  let refused = 0;
  const others = Array.from({ length: 80 }, async (_, i) => {
    const code = await codeOf(storage.put({ bucket: "bucket", key: `${i}` }, slow(), {}));
    if (code === "UNAVAILABLE") refused += 1;
  });
  // 64 times 200,000 bytes are all that there is.
  await expect.poll(() => refused).toBeGreaterThan(10);
  goOn();
  expect((await whole).size).toBe(500_000);
  await Promise.all(others);
});
