/** The storage contract for completing multipart uploads. */
import type { CompleteOptions, NamedPart, UploadChecksum } from "../storage/contract/multipart.ts";
import type { ObjectInfo } from "../storage/contract/storage.ts";
import { type ContractTools, checksumOf, chunks, codeOf, contents, md5, refusalOf } from "./contract-tools.ts";
import { ANY_SIZE, begin, bytesAt, bytesOf, etagOfParts, PART, put } from "./upload-tools.ts";

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a suite is a list of tests
export function completionContract({ test, expect }: ContractTools): void {
  test("completes an upload to one object, with the metadata of its beginning", async (storage, bucket) => {
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
    const { etag, size, contentType, headers, metadata, tags } = info ?? ({} as Partial<ObjectInfo>);
    expect([etag, size]).toEqual([completed.etag, 2 * PART + 10]);
    expect({ contentType, headers, metadata, tags }).toEqual(fields);
    expect((await bytesAt(storage, bucket, "folder/big.bin")).equals(Buffer.concat(bytes))).toBe(true);
  });

  test("returns the parts of an object on request only", async (storage, bucket) => {
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

  /** Part numbers with their sizes, in the order in which they arrive. */
  const layouts: readonly (readonly [title: string, sizes: string])[] = [
    ["of one size that arrive in order", `1:${PART} 2:${PART} 3:${PART}`],
    ["of one size that arrive in any order, the short last one first", `4:10 2:${PART} 3:${PART} 1:${PART}`],
    ["of one size that arrive at once", `2:${PART} 1:${PART} 5:1 3:${PART} 4:${PART}`],
    ["of different sizes", `1:10 2:${PART} 3:${2 * PART} 4:1`],
    ["with gaps in their numbers", `2:${PART} 5:${PART} 9999:${PART} 10000:3`],
    ["with a longer last one", `1:${PART} 2:${PART} 3:${3 * PART}`],
    ["with a shorter one", `1:${PART} 2:${PART - 1} 3:${PART}`],
    ["with an empty one", `1:${PART} 2:0`],
    ["if there is only one", `1:${PART}`],
    ["if the only one is empty", "1:0"],
    ["of several megabytes", "1:3000000 2:3000000 3:1000001"],
  ];
  for (const [title, text] of layouts) {
    const sizes = text.split(" ").map((part) => part.split(":").map(Number) as [number: number, size: number]);
    test(`joins parts ${title}`, async (storage, bucket) => {
      for (const announced of [true, false]) {
        const upload = await begin(storage, bucket);
        const stored: NamedPart[] = [];
        const one = async ([number, size]: readonly [number, number]) => {
          const options = announced ? { contentLength: size } : {};
          const { etag } = await storage.putPart(upload, number, chunks(bytesOf(number, size)), options);
          stored.push({ number, etag });
        };
        if (title.endsWith("at once")) await Promise.all(sizes.map(one));
        else for (const size of sizes) await one(size);
        stored.sort((a, b) => a.number - b.number);
        const bytes = sizes.toSorted((a, b) => a[0] - b[0]).map(([number, size]) => bytesOf(number, size));
        const { etag } = await storage.completeUpload(upload, stored, ANY_SIZE);
        expect(etag).toBe(etagOfParts(...bytes));
        expect((await bytesAt(storage, bucket)).equals(Buffer.concat(bytes))).toBe(true);
      }
    });
  }

  test("returns the first result for the same list, and NO_SUCH_UPLOAD for another list", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const parts = [await put(storage, upload, 1, bytesOf(1)), await put(storage, upload, 2, bytesOf(2))];
    const first = await storage.completeUpload(upload, parts, { ...ANY_SIZE, ifNoneMatch: "*" });
    await storage.put({ bucket, key: "big.bin" }, chunks("newer"));
    expect(await storage.completeUpload(upload, parts, { ...ANY_SIZE, ifNoneMatch: "*" })).toEqual(first);
    expect(await contents(storage, bucket, "big.bin")).toBe("newer");
    expect(await codeOf(storage.completeUpload(upload, parts.slice(1), ANY_SIZE))).toBe("NO_SUCH_UPLOAD");
  });

  test("completes an upload once for several concurrent requests", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const parts = [await put(storage, upload, 1, bytesOf(1)), await put(storage, upload, 2, bytesOf(2))];
    const results = await Promise.all(Array.from({ length: 5 }, () => storage.completeUpload(upload, parts, ANY_SIZE)));
    expect(new Set(results.map(({ etag }) => etag)).size).toBe(1);
    expect((await bytesAt(storage, bucket)).equals(Buffer.concat([bytesOf(1), bytesOf(2)]))).toBe(true);
  });

  test("checks the conditions of a completion, and keeps the upload open if they fail", async (storage, bucket) => {
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

  test("rejects a list that does not match the parts", async (storage, bucket) => {
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

  const full = ["crc32", "crc32c", "crc64nvme"] as const;
  const composite = ["crc32", "crc32c", "md5", "sha1", "sha256", "sha512"] as const;
  const sums: readonly UploadChecksum[] = [
    ...full.map((algorithm) => ({ algorithm, type: "FULL_OBJECT" }) as const),
    ...composite.map((algorithm) => ({ algorithm, type: "COMPOSITE" }) as const),
  ];
  for (const { algorithm, type } of sums) {
    test(`computes a ${type} ${algorithm} from the checksums of the parts`, async (storage, bucket) => {
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
      // A copy has one piece, and a checksum of all bytes.
      const source = { bucket, key: "big.bin" };
      const copy = await storage.copy(source, { bucket, key: "copy" }, { sourceEtag: completed.etag });
      const whole = Buffer.concat(bytes);
      expect([copy?.etag, copy?.checksums]).toEqual([md5(whole), { [algorithm]: checksumOf(algorithm, whole) }]);
    });
  }

  test("rejects a part that is named with another checksum, even if the upload has none", async (storage, bucket) => {
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

  test("accepts a part by its own checksum, even if the upload has none", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const algorithm = "sha256" as const;
    const value = checksumOf(algorithm, bytesOf(1));
    const checksum = { algorithm, expected: value };
    const part = await storage.putPart(upload, 1, chunks(bytesOf(1)), { contentLength: PART, checksum });
    expect(part.checksum).toEqual({ algorithm, value });
    const named = { number: 1, etag: part.etag, checksum: value, algorithm };
    const { etag } = await storage.completeUpload(upload, [named], ANY_SIZE);
    // As a client does after it lost the response.
    expect((await storage.completeUpload(upload, [named], ANY_SIZE)).etag).toBe(etag);
  });
}
