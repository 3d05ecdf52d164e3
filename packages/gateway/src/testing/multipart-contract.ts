/** The storage contract on uploads in parts. */
import { createHash } from "node:crypto";
import type { CompleteOptions, NamedPart, UploadChecksum, UploadEntry, UploadRef } from "../storage/multipart.ts";
import type { ChecksumAlgorithm, Storage } from "../storage/storage.ts";
import {
  type ContractTools,
  checksumOf,
  chunks,
  codeOf,
  contents,
  md5,
  readBody,
  refusalOf,
} from "./contract-tools.ts";

/** Of the sizes, the only thing that counts is which are equal: no driver has a minimum of its own. */
const PART = 100_000;
const ANY_SIZE: CompleteOptions = { minPartSize: 0 };

/** Bytes that differ from part to part and from attempt to attempt. */
function bytesOf(number: number, size = PART, attempt = 0): Buffer {
  return Buffer.alloc(size, createHash("sha256").update(`${number}/${attempt}`).digest());
}

async function begin(storage: Storage, bucket: string, key = "big.bin", checksum?: UploadChecksum): Promise<UploadRef> {
  return storage.createUpload({ bucket, key }, { checksum });
}

async function put(storage: Storage, upload: UploadRef, number: number, bytes: Buffer): Promise<NamedPart> {
  const part = await storage.putPart(upload, number, chunks(bytes), { contentLength: bytes.length });
  return { number, etag: part.etag };
}

function etagOfParts(...parts: readonly Buffer[]): string {
  const hash = createHash("md5");
  for (const part of parts) hash.update(md5(part), "hex");
  return `${hash.digest("hex")}-${parts.length}`;
}

async function bytesAt(storage: Storage, bucket: string, key = "big.bin"): Promise<Buffer> {
  return readBody((await storage.get({ bucket, key }))?.body());
}

export function multipartContract({ test, expect }: ContractTools): void {
  test("makes one object of the parts of an upload, with what it was begun with", async (storage, bucket) => {
    const ref = { bucket, key: "folder/big.bin" };
    const fields = {
      contentType: "x/big",
      headers: { cacheControl: "no-cache" },
      metadata: { author: "Ada" },
      tags: { a: "1" },
    };
    const upload = await storage.createUpload(ref, fields);
    expect([upload.bucket, upload.key]).toEqual([bucket, "folder/big.bin"]);
    expect(await storage.head(ref)).toBe(undefined);
    const bytes = [bytesOf(1), bytesOf(2), bytesOf(3, 10)];
    const parts: NamedPart[] = [];
    for (const [i, part] of bytes.entries()) parts.push(await put(storage, upload, i + 1, part));
    expect(await storage.head(ref)).toBe(undefined);
    const completed = await storage.completeUpload(upload, parts, ANY_SIZE);
    expect(completed).toEqual({ etag: etagOfParts(...bytes), checksums: {} });
    const info = await storage.head(ref);
    expect(info?.etag).toBe(completed.etag);
    expect(info?.size).toBe(2 * PART + 10);
    expect({
      contentType: info?.contentType,
      headers: info?.headers,
      metadata: info?.metadata,
      tags: info?.tags,
    }).toEqual(fields);
    expect((await bytesAt(storage, bucket, "folder/big.bin")).equals(Buffer.concat(bytes))).toBe(true);
  });

  test("tells the parts of an object when asked, and only then", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const parts = [await put(storage, upload, 3, bytesOf(3)), await put(storage, upload, 7, bytesOf(7, 5))];
    await storage.completeUpload(upload, parts, ANY_SIZE);
    const ref = { bucket, key: "big.bin" };
    expect((await storage.head(ref))?.parts).toBe(undefined);
    expect((await storage.head(ref, { parts: true }))?.parts).toEqual([{ size: PART }, { size: 5 }]);
    const object = await storage.get(ref, { parts: true });
    expect(object?.info.parts?.length).toBe(2);
    object?.close();
    await storage.put({ bucket, key: "plain" }, chunks("x"));
    expect((await storage.head({ bucket, key: "plain" }, { parts: true }))?.parts).toBe(undefined);
  });

  const layouts: readonly (readonly [title: string, sizes: readonly (readonly [number: number, size: number])[]])[] = [
    [
      "of one size that come in order",
      [
        [1, PART],
        [2, PART],
        [3, PART],
      ],
    ],
    [
      "of one size that come in any order, the short last one first",
      [
        [4, 10],
        [2, PART],
        [3, PART],
        [1, PART],
      ],
    ],
    [
      "of one size that come at once",
      [
        [2, PART],
        [1, PART],
        [5, 1],
        [3, PART],
        [4, PART],
      ],
    ],
    [
      "of different sizes",
      [
        [1, 10],
        [2, PART],
        [3, 2 * PART],
        [4, 1],
      ],
    ],
    [
      "with gaps in their numbers",
      [
        [2, PART],
        [5, PART],
        [9_999, PART],
        [10_000, 3],
      ],
    ],
    [
      "of which the last is longer",
      [
        [1, PART],
        [2, PART],
        [3, 3 * PART],
      ],
    ],
    [
      "of which one is shorter",
      [
        [1, PART],
        [2, PART - 1],
        [3, PART],
      ],
    ],
    [
      "of which one is empty",
      [
        [1, PART],
        [2, 0],
      ],
    ],
    ["of which there is one", [[1, PART]]],
    ["of which the only one is empty", [[1, 0]]],
    [
      "of several megabytes",
      [
        [1, 3_000_000],
        [2, 3_000_000],
        [3, 1_000_001],
      ],
    ],
  ];
  for (const [title, sizes] of layouts) {
    test(`joins parts ${title}`, async (storage, bucket) => {
      for (const announced of [true, false]) {
        const upload = await begin(storage, bucket);
        const atOnce = title.includes("at once");
        const stored: NamedPart[] = [];
        const one = async ([number, size]: readonly [number, number]) => {
          const bytes = bytesOf(number, size);
          const options = announced ? { contentLength: size } : {};
          const { etag } = await storage.putPart(upload, number, chunks(bytes), options);
          stored.push({ number, etag });
        };
        if (atOnce) await Promise.all(sizes.map(one));
        else for (const size of sizes) await one(size);
        stored.sort((a, b) => a.number - b.number);
        const bytes = [...sizes].sort((a, b) => a[0] - b[0]).map(([number, size]) => bytesOf(number, size));
        const { etag } = await storage.completeUpload(upload, stored, ANY_SIZE);
        expect(etag).toBe(etagOfParts(...bytes));
        expect((await bytesAt(storage, bucket)).equals(Buffer.concat(bytes))).toBe(true);
      }
    });
  }

  test("takes the last of several parts with one number, and forgets those not named", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const first = await put(storage, upload, 1, bytesOf(1));
    await put(storage, upload, 2, bytesOf(2));
    await put(storage, upload, 1, bytesOf(1, PART, 1));
    const second = await put(storage, upload, 2, bytesOf(2, PART, 1));
    const last = await put(storage, upload, 1, bytesOf(1, PART, 2));
    await put(storage, upload, 3, bytesOf(3));
    expect(await codeOf(storage.completeUpload(upload, [first, second], ANY_SIZE))).toBe("INVALID_PART");
    await storage.completeUpload(upload, [last, second], ANY_SIZE);
    const expected = Buffer.concat([bytesOf(1, PART, 2), bytesOf(2, PART, 1)]);
    expect((await bytesAt(storage, bucket)).equals(expected)).toBe(true);
  });

  test("keeps the old part when a new one of its number fails", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const kept = [await put(storage, upload, 1, bytesOf(1)), await put(storage, upload, 2, bytesOf(2))];
    const broken = storage.putPart(upload, 2, chunks("too short"), { contentLength: PART });
    expect(await codeOf(broken)).toBe("INCOMPLETE_BODY");
    const wrong = storage.putPart(upload, 1, chunks(bytesOf(9)), { digests: { md5: new Uint8Array(16) } });
    expect(await codeOf(wrong)).toBe("DIGEST_MISMATCH");
    await storage.completeUpload(upload, kept, ANY_SIZE);
    expect((await bytesAt(storage, bucket)).equals(Buffer.concat([bytesOf(1), bytesOf(2)]))).toBe(true);
  });

  test("stores a part that came again after it had failed", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const first = await put(storage, upload, 1, bytesOf(1));
    const broken = storage.putPart(upload, 2, chunks(bytesOf(2).subarray(0, 50_000)), { contentLength: PART });
    expect(await codeOf(broken)).toBe("INCOMPLETE_BODY");
    const second = await put(storage, upload, 2, bytesOf(2, 20));
    await storage.completeUpload(upload, [first, second], ANY_SIZE);
    expect((await bytesAt(storage, bucket)).equals(Buffer.concat([bytesOf(1), bytesOf(2, 20)]))).toBe(true);
  });

  test("lists parts by number, in pages", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    for (const number of [10, 2, 9_000, 1]) await put(storage, upload, number, bytesOf(number, number));
    const all = await storage.listParts(upload, { after: 0, limit: 1000 });
    expect(all.truncated).toBe(false);
    expect(all.parts.map(({ number, size, etag }) => [number, size, etag])).toEqual(
      [1, 2, 10, 9_000].map((number) => [number, number, md5(bytesOf(number, number))]),
    );
    const page = await storage.listParts(upload, { after: 1, limit: 2 });
    expect([page.parts.map(({ number }) => number), page.truncated]).toEqual([[2, 10], true]);
    const end = await storage.listParts(upload, { after: 10, limit: 2 });
    expect([end.parts.map(({ number }) => number), end.truncated]).toEqual([[9_000], false]);
  });

  test("lists uploads by key and age, with prefix, delimiter and pages", async (storage, bucket) => {
    const keys = ["b/2", "a", "b/1", "b/1", "c/x/1", "c/y", "\ue000", "\u{1f511}"];
    const uploads: UploadRef[] = [];
    for (const key of keys) {
      uploads.push(await begin(storage, bucket, key));
      // The order is that of the milliseconds.
      const now = Date.now();
      while (Date.now() === now) await new Promise((resolve) => setImmediate(resolve));
    }
    const name = (entry: UploadEntry) => (entry.kind === "prefix" ? entry.prefix : entry.upload.key);
    const list = async (options: Partial<Parameters<Storage["listUploads"]>[1]>) => {
      const page = await storage.listUploads(bucket, { prefix: "", limit: 100, ...options });
      return [page.entries.map(name), page.truncated];
    };
    const sorted = ["a", "b/1", "b/1", "b/2", "c/x/1", "c/y", "\ue000", "\u{1f511}"];
    expect(await list({})).toEqual([sorted, false]);
    expect(await list({ prefix: "b/" })).toEqual([["b/1", "b/1", "b/2"], false]);
    expect(await list({ delimiter: "/" })).toEqual([["a", "b/", "c/", "\ue000", "\u{1f511}"], false]);
    expect(await list({ prefix: "c/", delimiter: "/" })).toEqual([["c/x/", "c/y"], false]);
    expect(await list({ limit: 2 })).toEqual([["a", "b/1"], true]);
    const [, , older, newer] = uploads;
    const ids = (await storage.listUploads(bucket, { prefix: "b/1", limit: 9 })).entries.map((entry) =>
      entry.kind === "upload" ? entry.upload.uploadId : "",
    );
    expect(ids).toEqual([older?.uploadId, newer?.uploadId]);
    const after = { key: "b/1", uploadId: older?.uploadId };
    expect(await list({ after, limit: 1 })).toEqual([["b/1"], true]);
    expect(await list({ after: { key: "b/1" }, limit: 2 })).toEqual([["b/2", "c/x/1"], true]);
    expect(await list({ after: { prefix: "b/" }, delimiter: "/", limit: 1 })).toEqual([["c/"], true]);
    expect(await list({ after: { prefix: "c/" }, delimiter: "/" })).toEqual([["\ue000", "\u{1f511}"], false]);
    await storage.abortUpload(newer as UploadRef);
    await storage.completeUpload(older as UploadRef, [await put(storage, older as UploadRef, 1, bytesOf(1))], ANY_SIZE);
    expect(await list({ prefix: "b/1" })).toEqual([[], false]);
  });

  test("makes the same of the same list once more, and nothing of another", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const parts = [await put(storage, upload, 1, bytesOf(1)), await put(storage, upload, 2, bytesOf(2))];
    const first = await storage.completeUpload(upload, parts, { ...ANY_SIZE, ifNoneMatch: "*" });
    await storage.put({ bucket, key: "big.bin" }, chunks("newer"));
    expect(await storage.completeUpload(upload, parts, { ...ANY_SIZE, ifNoneMatch: "*" })).toEqual(first);
    expect(await contents(storage, bucket, "big.bin")).toBe("newer");
    expect(await codeOf(storage.completeUpload(upload, parts.slice(1), ANY_SIZE))).toBe("NO_SUCH_UPLOAD");
  });

  test("completes once when asked several times at once", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const parts = [await put(storage, upload, 1, bytesOf(1)), await put(storage, upload, 2, bytesOf(2))];
    const results = await Promise.all(Array.from({ length: 5 }, () => storage.completeUpload(upload, parts, ANY_SIZE)));
    expect(new Set(results.map(({ etag }) => etag)).size).toBe(1);
    expect((await bytesAt(storage, bucket)).equals(Buffer.concat([bytesOf(1), bytesOf(2)]))).toBe(true);
  });

  test("keeps the conditions of a completion, and the upload open when they fail", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const parts = [await put(storage, upload, 1, bytesOf(1)), await put(storage, upload, 2, bytesOf(2))];
    const complete = (options: Partial<CompleteOptions>) =>
      storage.completeUpload(upload, parts, { ...ANY_SIZE, ...options });
    expect(await codeOf(complete({ ifMatch: "*" }))).toBe("PRECONDITION_FAILED");
    const { etag } = await storage.put({ bucket, key: "big.bin" }, chunks("old"));
    expect(await codeOf(complete({ ifNoneMatch: "*" }))).toBe("PRECONDITION_FAILED");
    expect(await codeOf(complete({ ifMatch: md5("other") }))).toBe("PRECONDITION_FAILED");
    expect(await contents(storage, bucket, "big.bin")).toBe("old");
    await complete({ ifMatch: etag });
    expect((await storage.head({ bucket, key: "big.bin" }))?.size).toBe(2 * PART);
  });

  test("refuses a list that does not fit the parts", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const parts = [await put(storage, upload, 1, bytesOf(1, 10)), await put(storage, upload, 2, bytesOf(2))];
    const complete = (list: readonly NamedPart[], options: Partial<CompleteOptions> = {}) =>
      refusalOf(storage.completeUpload(upload, list, { ...ANY_SIZE, ...options }));
    const { etag } = parts[0] as NamedPart;
    const size = 10 + PART;
    const wrong = md5("x");
    const refusals = [
      [await complete([...parts, { number: 3, etag: wrong }], { size }), "INVALID_PART", { part: 3, etag: wrong }],
      [await complete([{ number: 1, etag: wrong }], { size }), "INVALID_PART", { part: 1, etag: wrong }],
      [await complete(parts, { minPartSize: 11 }), "PART_TOO_SMALL", { part: 1, size: 10, limit: 11, etag }],
      [await complete(parts, { size: 11 }), "SIZE_MISMATCH", { expected: 11, found: size }],
      [await complete(parts, { maxSize: size - 1 }), "TOO_LARGE", { size, limit: size - 1 }],
    ] as const;
    for (const [found, ...refusal] of refusals) expect(found).toEqual(refusal);
    expect((await complete([{ number: 1, etag: wrong }]))?.[0]).toBe("INVALID_PART");
    expect(await storage.head({ bucket, key: "big.bin" })).toBe(undefined);
    expect(await complete(parts, { minPartSize: 10, maxSize: size, size })).toBe(undefined);
  });

  test("ends an upload that is aborted, and forgets its parts", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const part = await put(storage, upload, 1, bytesOf(1));
    await storage.abortUpload(upload);
    for (const call of [
      storage.abortUpload(upload),
      storage.getUpload(upload),
      storage.putPart(upload, 2, chunks("x")),
      storage.listParts(upload, { after: 0, limit: 10 }),
      storage.completeUpload(upload, [part], ANY_SIZE),
      storage.copyPart(upload, 2, { bucket, key: "none" }, { sourceEtag: "" }).then(() => {
        throw new Error("there is no source either");
      }),
    ]) {
      const code = await codeOf(call);
      if (code !== "Error: there is no source either") expect(code).toBe("NO_SUCH_UPLOAD");
    }
    expect(await storage.head({ bucket, key: "big.bin" })).toBe(undefined);
  });

  test("refuses a part whose upload ends while it comes", async (storage, bucket) => {
    for (const end of ["abort", "complete"]) {
      const upload = await begin(storage, bucket, end);
      const first = await put(storage, upload, 1, bytesOf(1));
      let proceed = (): void => {};
      const paused = new Promise<void>((resolve) => {
        proceed = resolve;
      });
      let markBegun = (): void => {};
      const begun = new Promise<void>((resolve) => {
        markBegun = resolve;
      });
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield bytesOf(2).subarray(0, 1000);
        markBegun();
        await paused;
        yield bytesOf(2).subarray(1000);
      }
      const late = codeOf(storage.putPart(upload, 2, slow(), { contentLength: PART }));
      await begun;
      if (end === "abort") await storage.abortUpload(upload);
      else await storage.completeUpload(upload, [first], ANY_SIZE);
      proceed();
      expect(await late).toBe("NO_SUCH_UPLOAD");
      if (end === "complete") expect((await bytesAt(storage, bucket, end)).equals(bytesOf(1))).toBe(true);
    }
  });

  test("knows an upload only under its own key and bucket", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    for (const other of [
      { ...upload, key: "other" },
      { ...upload, uploadId: "no-such-upload" },
      { ...upload, uploadId: "../../etc" },
      { ...upload, uploadId: "" },
    ]) {
      expect(await codeOf(storage.putPart(other, 1, chunks("x")))).toBe("NO_SUCH_UPLOAD");
      expect(await codeOf(storage.getUpload(other))).toBe("NO_SUCH_UPLOAD");
      expect(await codeOf(storage.completeUpload(other, [], ANY_SIZE))).toBe("NO_SUCH_UPLOAD");
      expect(await codeOf(storage.abortUpload(other))).toBe("NO_SUCH_UPLOAD");
    }
    const elsewhere = { ...upload, bucket: "no-such-bucket" };
    expect(await codeOf(storage.createUpload(elsewhere))).toBe("NO_SUCH_BUCKET");
    expect(await codeOf(storage.putPart(elsewhere, 1, chunks("x")))).toBe("NO_SUCH_BUCKET");
    expect(await codeOf(storage.completeUpload(elsewhere, [], ANY_SIZE))).toBe("NO_SUCH_BUCKET");
    expect(await codeOf(storage.listUploads("no-such-bucket", { prefix: "", limit: 1 }))).toBe("NO_SUCH_BUCKET");
    expect(await codeOf(storage.createUpload({ bucket, key: "" }))).toBe("KEY_NOT_STORABLE");
    expect((await storage.getUpload(upload)).uploadId).toBe(upload.uploadId);
  });

  test("makes parts of an object's bytes", async (storage, bucket) => {
    const bytes = bytesOf(1, 250_000);
    const source = { bucket, key: "source" };
    const { etag: sourceEtag } = await storage.put(source, chunks(bytes));
    const upload = await begin(storage, bucket);
    const whole = await storage.copyPart(upload, 1, source, { sourceEtag });
    const range = { start: 100, end: 100_099 };
    const cut = await storage.copyPart(upload, 2, source, { sourceEtag, range });
    expect([whole?.etag, whole?.size, cut?.etag]).toEqual([md5(bytes), 250_000, md5(bytes.subarray(100, 100_100))]);
    const stale = storage.copyPart(upload, 3, source, { sourceEtag: md5("other") });
    expect(await codeOf(stale)).toBe("PRECONDITION_FAILED");
    expect(await storage.copyPart(upload, 3, { bucket, key: "none" }, { sourceEtag })).toBe(undefined);
    const parts = [whole, cut].map((part) => ({ number: part?.number ?? 0, etag: part?.etag ?? "" }));
    await storage.completeUpload(upload, parts, ANY_SIZE);
    const expected = Buffer.concat([bytes, bytes.subarray(100, 100_100)]);
    expect((await bytesAt(storage, bucket)).equals(expected)).toBe(true);
  });

  const sums: readonly (readonly [ChecksumAlgorithm, UploadChecksum["type"]])[] = [
    ["crc32", "FULL_OBJECT"],
    ["crc32c", "FULL_OBJECT"],
    ["crc64nvme", "FULL_OBJECT"],
    ["crc32", "COMPOSITE"],
    ["crc32c", "COMPOSITE"],
    ["md5", "COMPOSITE"],
    ["sha1", "COMPOSITE"],
    ["sha256", "COMPOSITE"],
    ["sha512", "COMPOSITE"],
  ];
  for (const [algorithm, type] of sums) {
    test(`computes a ${type} ${algorithm} from those of the parts`, async (storage, bucket) => {
      const upload = await begin(storage, bucket, "big.bin", { algorithm, type });
      const bytes = [bytesOf(1), bytesOf(2), bytesOf(3, 77)];
      const values = bytes.map((part) => checksumOf(algorithm, part));
      const wrong = storage.putPart(upload, 1, chunks(bytesOf(9)), { checksum: { algorithm, expected: values[0] } });
      expect(await codeOf(wrong)).toBe("CHECKSUM_MISMATCH");
      const parts: NamedPart[] = [];
      for (const [i, part] of bytes.entries()) {
        const checksum = i === 0 ? { algorithm, expected: values[0] } : undefined;
        const stored = await storage.putPart(upload, i + 1, chunks(part), { contentLength: part.length, checksum });
        expect(stored.checksum).toEqual({ algorithm, value: values[i] });
        parts.push({ number: i + 1, etag: stored.etag, checksum: values[i] });
      }
      const page = await storage.listParts(upload, { after: 0, limit: 10 });
      expect(page.upload.checksum).toEqual({ algorithm, type });
      expect(page.parts.map(({ checksum }) => checksum?.value)).toEqual(values);
      const joined = Buffer.concat(values.map((value) => Buffer.from(value, "base64")));
      const expected =
        type === "FULL_OBJECT" ? checksumOf(algorithm, Buffer.concat(bytes)) : `${checksumOf(algorithm, joined)}-3`;
      const lie = parts.map((part) => ({ ...part, checksum: values[2] }));
      expect(await codeOf(storage.completeUpload(upload, lie, ANY_SIZE))).toBe("INVALID_PART");
      const mismatch = { ...ANY_SIZE, checksum: checksumOf(algorithm, Buffer.from("other")) };
      expect(await codeOf(storage.completeUpload(upload, parts, mismatch))).toBe("CHECKSUM_MISMATCH");
      const completed = await storage.completeUpload(upload, parts, { ...ANY_SIZE, checksum: expected });
      expect(completed.checksums).toEqual({ [algorithm]: expected });
      const info = await storage.head({ bucket, key: "big.bin" }, { parts: true });
      expect(info?.checksums).toEqual({ [algorithm]: expected });
      expect(info?.parts).toEqual(bytes.map((part, i) => ({ size: part.length, checksum: values[i] })));
      // A copy is in one piece, and so is its checksum.
      const copy = await storage.copy(
        { bucket, key: "big.bin" },
        { bucket, key: "copy" },
        { sourceEtag: completed.etag },
      );
      const whole = Buffer.concat(bytes);
      expect([copy?.etag, copy?.checksums]).toEqual([md5(whole), { [algorithm]: checksumOf(algorithm, whole) }]);
    });
  }

  test("refuses a part that is named by another checksum, also of an upload that has none", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const algorithm = "crc32" as const;
    const checksum = { algorithm, expected: checksumOf(algorithm, bytesOf(1)) };
    const { etag } = await storage.putPart(upload, 1, chunks(bytesOf(1)), { contentLength: PART, checksum });
    for (const named of [{ algorithm }, {}]) {
      const part = { number: 1, etag, checksum: checksumOf(algorithm, bytesOf(2)), ...named };
      expect(await codeOf(storage.completeUpload(upload, [part], ANY_SIZE))).toBe("INVALID_PART");
    }
    await storage.completeUpload(upload, [{ number: 1, etag }], ANY_SIZE);
  });

  test("takes a part by the checksum that it came with, also of an upload that has none", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const algorithm = "sha256" as const;
    const value = checksumOf(algorithm, bytesOf(1));
    const checksum = { algorithm, expected: value };
    const part = await storage.putPart(upload, 1, chunks(bytesOf(1)), { contentLength: PART, checksum });
    expect(part.checksum).toEqual({ algorithm, value });
    const named = { number: 1, etag: part.etag, checksum: value, algorithm };
    const { etag } = await storage.completeUpload(upload, [named], ANY_SIZE);
    // Once more, as a client does that has lost the answer.
    expect((await storage.completeUpload(upload, [named], ANY_SIZE)).etag).toBe(etag);
  });

  test("keeps uploads of one key apart", async (storage, bucket) => {
    const uploads = await Promise.all([begin(storage, bucket), begin(storage, bucket), begin(storage, bucket)]);
    const parts = await Promise.all(uploads.map((upload, i) => put(storage, upload, 1, bytesOf(1, PART, i))));
    for (const i of [1, 2, 0]) {
      await storage.completeUpload(uploads[i] as UploadRef, [parts[i] as NamedPart], ANY_SIZE);
      expect((await bytesAt(storage, bucket)).equals(bytesOf(1, PART, i))).toBe(true);
    }
  });
}
