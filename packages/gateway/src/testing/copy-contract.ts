/** The storage contract for copies and tags. */
import { createHash } from "node:crypto";
import { CHECKSUM_BYTES } from "../http/checksum.ts";
import type { ChecksumAlgorithm, CopyOptions, ObjectInfo, PutOptions } from "../storage/contract/storage.ts";
import { type ContractTools, checksumOf, chunks, codeOf, contents, md5, readBody } from "./contract-tools.ts";

const SOURCE: PutOptions = {
  contentType: "application/x-source",
  headers: { cacheControl: "max-age=60", contentLanguage: "de" },
  metadata: { author: "Zo\u00eb" },
  tags: { colour: "red", "a b": "" },
};

/** Longer than the pieces of any driver. */
const LARGE = Buffer.alloc(2_500_001, "copied ");

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a suite is a list of tests
export function copyContract({ test, expect }: ContractTools): void {
  test("copies an object with all its metadata", async (storage, bucket) => {
    const source = { bucket, key: "folder/a.txt" };
    const target = { bucket, key: "other//b" };
    const stored = await storage.put(source, chunks("hello"), SOURCE);
    const copy = await storage.copy(source, target, { sourceEtag: stored.etag });
    expect(await contents(storage, bucket, "other//b")).toBe("hello");
    expect(await storage.head(target)).toEqual(copy);
    const { lastModified: _, ...same } = stored;
    const { lastModified, ...copied } = copy ?? stored;
    expect(copied).toEqual(same);
    expect(lastModified.getTime() >= stored.lastModified.getTime()).toBe(true);
    expect(await storage.head(source)).toEqual(stored);
  });

  test("replaces metadata and tags of a copy on request", async (storage, bucket) => {
    const source = { bucket, key: "a.txt" };
    const { etag: sourceEtag } = await storage.put(source, chunks("hello"), SOURCE);
    const copy = async (options: Omit<CopyOptions, "sourceEtag">) => {
      const info = await storage.copy(source, { bucket, key: "b.png" }, { sourceEtag, ...options });
      const { contentType, headers, metadata, tags } = info ?? ({} as Partial<ObjectInfo>);
      return { contentType, headers, metadata, tags };
    };
    const replace = { contentType: "x/y", headers: { expires: "never" }, metadata: { b: "2" } };
    expect(await copy({ replace, tags: { c: "3" } })).toEqual({ ...replace, tags: { c: "3" } });
    const bare = { contentType: "image/png", headers: {}, metadata: {}, tags: undefined };
    expect(await copy({ replace: {}, tags: {} })).toEqual(bare);
  });

  test("copies an object onto itself", async (storage, bucket) => {
    const ref = { bucket, key: "a" };
    const { etag: sourceEtag } = await storage.put(ref, chunks(LARGE), SOURCE);
    const copy = await storage.copy(ref, ref, { sourceEtag, replace: { metadata: { new: "1" } } });
    expect([copy?.etag, copy?.metadata]).toEqual([sourceEtag, { new: "1" }]);
    expect((await readBody((await storage.get(ref))?.body())).equals(LARGE)).toBe(true);
  });

  for (const algorithm of Object.keys(CHECKSUM_BYTES) as ChecksumAlgorithm[]) {
    test(`computes ${algorithm} for a copy on request, or keeps the checksum of the source`, async (storage, bucket) => {
      for (const bytes of [Buffer.from("hello"), LARGE]) {
        const source = { bucket, key: "a" };
        const value = checksumOf(algorithm, bytes);
        const { etag: sourceEtag } = await storage.put(source, chunks(bytes));
        const copy = await storage.copy(source, { bucket, key: "b" }, { sourceEtag, checksum: algorithm });
        expect([copy?.etag, copy?.checksums]).toEqual([md5(bytes), { [algorithm]: value }]);
        const again = await storage.copy({ bucket, key: "b" }, { bucket, key: "c" }, { sourceEtag });
        expect(again?.checksums).toEqual({ [algorithm]: value });
      }
    });
  }

  test("does not copy a missing or replaced source", async (storage, bucket) => {
    const target = { bucket, key: "b" };
    expect(await storage.copy({ bucket, key: "none" }, target, { sourceEtag: md5("") })).toBe(undefined);
    await storage.put({ bucket, key: "a" }, chunks("second"));
    const stale = storage.copy({ bucket, key: "a" }, target, { sourceEtag: md5("first") });
    expect(await codeOf(stale)).toBe("PRECONDITION_FAILED");
    expect(await storage.head(target)).toBe(undefined);
  });

  test("checks the conditions of a copy on its target", async (storage, bucket) => {
    const source = { bucket, key: "a" };
    const target = { bucket, key: "b" };
    const { etag: sourceEtag } = await storage.put(source, chunks("new"));
    const cases: readonly (readonly [conditions: Partial<CopyOptions>, code: string | undefined])[] = [
      [{ ifMatch: "*" }, "PRECONDITION_FAILED"],
      [{ ifNoneMatch: "*" }, undefined],
      [{ ifNoneMatch: "*" }, "PRECONDITION_FAILED"],
      [{ ifMatch: md5("x") }, "PRECONDITION_FAILED"],
      [{ ifMatch: sourceEtag }, undefined],
    ];
    for (const [conditions, code] of cases)
      expect(await codeOf(storage.copy(source, target, { sourceEtag, ...conditions }))).toBe(code);
  });

  test("rejects missing buckets on both sides of a copy", async (storage, bucket) => {
    const here = { bucket, key: "a" };
    const { etag: sourceEtag } = await storage.put(here, chunks("x"));
    for (const [source, target] of [
      [here, { bucket: "no-such-bucket", key: "a" }],
      [{ bucket: "no-such-bucket", key: "a" }, here],
    ] as const) {
      expect(await codeOf(storage.copy(source, target, { sourceEtag }))).toBe("NO_SUCH_BUCKET");
    }
    expect(await codeOf(storage.copy(here, { bucket, key: "" }, { sourceEtag }))).toBe("KEY_NOT_STORABLE");
  });

  test("copies one version of a source that is replaced meanwhile", async (storage, bucket) => {
    const source = { bucket, key: "a" };
    for (let round = 0; round < 5; round++) {
      const { etag: sourceEtag } = await storage.put(source, chunks(Buffer.alloc(1_500_000, `${round}`)));
      const [code] = await Promise.all([
        codeOf(storage.copy(source, { bucket, key: "b" }, { sourceEtag })),
        storage.put(source, chunks("replaced")),
      ]);
      if (code === "PRECONDITION_FAILED") continue;
      expect(code).toBe(undefined);
      const copy = await readBody((await storage.get({ bucket, key: "b" }))?.body());
      expect(createHash("md5").update(copy).digest("hex")).toBe(sourceEtag);
    }
  });

  test("replaces only the tags", async (storage, bucket) => {
    const ref = { bucket, key: "a.txt" };
    const stored = await storage.put(ref, chunks("hello"), SOURCE);
    expect(stored.tags).toEqual(SOURCE.tags);
    // A driver may cache the object now.
    expect(await contents(storage, bucket, "a.txt")).toBe("hello");
    expect(await storage.setTags(ref, { shape: "round" })).toBe(true);
    expect(await storage.head(ref)).toEqual({ ...stored, tags: { shape: "round" } });
    expect((await storage.get(ref))?.info.tags).toEqual({ shape: "round" });
    expect(await storage.setTags(ref, {})).toBe(true);
    const { tags: _, ...untagged } = stored;
    expect(await storage.head(ref)).toEqual(untagged);
    expect((await storage.head(ref))?.etag).toBe(md5("hello"));
  });

  test("does not tag a missing object", async (storage, bucket) => {
    expect(await storage.setTags({ bucket, key: "none" }, { a: "1" })).toBe(false);
    expect(await codeOf(storage.setTags({ bucket: "no-such-bucket", key: "a" }, { a: "1" }))).toBe("NO_SUCH_BUCKET");
    expect(await storage.head({ bucket, key: "none" })).toBe(undefined);
  });

  test("removes the tags of a replaced object", async (storage, bucket) => {
    const ref = { bucket, key: "a" };
    await storage.put(ref, chunks("1"), { tags: { a: "1" } });
    expect((await storage.put(ref, chunks("2"))).tags).toBe(undefined);
    expect((await storage.head(ref))?.tags).toBe(undefined);
  });

  test("keeps the object consistent while its tags and bytes change at once", async (storage, bucket) => {
    const ref = { bucket, key: "a" };
    await storage.put(ref, chunks("0"), { metadata: { turn: "0" } });
    for (let turn = 1; turn <= 10; turn++) {
      await Promise.all([
        storage.put(ref, chunks(`${turn}`), { metadata: { turn: `${turn}` } }),
        storage.setTags(ref, { turn: `${turn}` }),
      ]);
      const info = await storage.head(ref);
      expect([info?.etag, info?.metadata]).toEqual([md5(`${turn}`), { turn: `${turn}` }]);
    }
  });
}
