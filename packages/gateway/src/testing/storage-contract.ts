/**
 * The contract of every storage driver, as one suite. It works with any test framework: pass its three functions.
 * @module
 */
import { createHash } from "node:crypto";
import type { ChecksumAlgorithm, PutOptions, Storage } from "../storage/contract/storage.ts";
import { completionContract } from "./completion-contract.ts";
import {
  checksumOf,
  chunks,
  codeOf,
  contents,
  failing,
  md5,
  readBody,
  type StorageTest,
  type TestFunctions,
} from "./contract-tools.ts";
import { copyContract } from "./copy-contract.ts";
import { HOSTILE_KEYS } from "./hostile-keys.ts";
import { bucketContract, listingContract } from "./listing-contract.ts";
import { multipartContract } from "./multipart-contract.ts";

export type { TestFunctions } from "./contract-tools.ts";

/** Options of {@link storageContract}. */
export interface StorageContractOptions {
  /** The driver's name, for the report. */
  readonly name: string;
  /** Opens storage with one empty bucket. Called for each test; `close` also removes what was stored. */
  open(): Promise<{ readonly storage: Storage; readonly bucket: string; close(): Promise<void> }>;
}

/** Checksums of the nine digits: the CRCs are the check values of https://reveng.sourceforge.io/crc-catalogue/ */
const CHECK_VALUES: Readonly<Record<ChecksumAlgorithm, string>> = {
  crc32: "y/Q5Jg==",
  crc32c: "4waSgw==",
  crc64nvme: "rosUhgp5mIg=",
  md5: "JfnnlDI7RTiF9RgfG2JNCw==",
  sha1: "98O8HYCOBHMq32eZZczDTKeuNEE=",
  sha256: "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
  sha512: "2eZ2LdHI6vbWGzxhkvxAjU1tXxF20MKRabwk5xw/J0rSf81YEbMT1oH35V7ALXPUmclUVba1u1A6z1dPuo/+hQ==",
};

/** Longer than the pieces of any driver. */
const LARGE = Buffer.alloc(2_500_001, "daypass");

/**
 * Registers the suite.
 *
 * @example
 * ```ts
 * import { mkdir, mkdtemp, rm } from "node:fs/promises";
 * import { disk } from "@daypass/gateway/disk";
 * import { storageContract } from "@daypass/gateway/testing";
 * import { describe, expect, it } from "vitest";
 *
 * storageContract({ describe, it, expect }, {
 *   name: "disk",
 *   async open() {
 *     const root = await mkdtemp("/tmp/contract-");
 *     await mkdir(`${root}/bucket`);
 *     const storage = await disk({ root });
 *     const close = async () => {
 *       await storage.close();
 *       await rm(root, { recursive: true });
 *     };
 *     return { storage, bucket: "bucket", close };
 *   },
 * });
 * ```
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a suite is a list of tests
export function storageContract({ describe, it, expect }: TestFunctions, { name, open }: StorageContractOptions): void {
  const test: StorageTest = (title, body) => {
    it(title, async () => {
      const { storage, bucket, close } = await open();
      try {
        await body(storage, bucket);
      } finally {
        await close();
      }
    });
  };

  // biome-ignore lint/complexity/noExcessiveLinesPerFunction: as above
  describe(`storage contract: ${name}`, () => {
    test("returns what was stored, with all its metadata", async (storage, bucket) => {
      const ref = { bucket, key: "folder/report.pdf" };
      const options: PutOptions = {
        contentType: "application/x-report",
        headers: { cacheControl: "max-age=60", contentDisposition: "inline", contentLanguage: "de", expires: "never" },
        metadata: { author: "Zo\u00eb", empty: "" },
      };
      const stored = await storage.put(ref, chunks("hello ", "world"), options);
      const object = await storage.get(ref);
      expect((await readBody(object?.body())).toString()).toBe("hello world");
      expect(object?.info).toEqual(stored);
      expect(await storage.head(ref)).toEqual(stored);
      const { size, contentType, headers, metadata } = stored;
      expect([size, { contentType, headers, metadata }]).toEqual([11, options]);
      expect(Math.abs(stored.lastModified.getTime() - Date.now()) < 60_000).toBe(true);
    });

    test("uses the MD5 of the bytes as ETag", async (storage, bucket) => {
      const info = await storage.put({ bucket, key: "a" }, chunks("hello"));
      expect(info.etag).toBe(md5("hello"));
    });

    test("keeps the checked SHA-256 as checksum", async (storage, bucket) => {
      const sha256 = createHash("sha256").update("hello").digest();
      const info = await storage.put({ bucket, key: "a" }, chunks("hello"), { digests: { sha256 } });
      expect(info.checksums).toEqual({ sha256: sha256.toString("base64") });
    });

    for (const algorithm of Object.keys(CHECK_VALUES) as ChecksumAlgorithm[]) {
      test(`computes, keeps and compares ${algorithm} of a short and a long body`, async (storage, bucket) => {
        const ref = { bucket, key: "a" };
        for (const [bytes, value] of [
          [Buffer.from("123456789"), CHECK_VALUES[algorithm]],
          [LARGE, checksumOf(algorithm, LARGE)],
        ] as const) {
          for (const expected of [undefined, value, () => value, () => undefined]) {
            const info = await storage.put(ref, chunks(bytes), { checksum: { algorithm, expected } });
            expect(info.checksums).toEqual({ [algorithm]: value });
            expect((await storage.head(ref))?.checksums).toEqual({ [algorithm]: value });
          }
          const other = checksumOf(algorithm, Buffer.from("something else"));
          for (const expected of [other, () => other, value.toLowerCase(), ""]) {
            const put = storage.put(ref, chunks(bytes), { checksum: { algorithm, expected } });
            expect(await codeOf(put)).toBe("CHECKSUM_MISMATCH");
          }
        }
      });
    }

    test("reads the checksum of a trailer only after the last byte", async (storage, bucket) => {
      let ended = false;
      async function* body(): AsyncGenerator<Uint8Array> {
        yield Buffer.from("12345");
        yield Buffer.from("6789");
        ended = true;
      }
      const expected = () => (ended ? CHECK_VALUES.crc32c : "too early");
      await storage.put({ bucket, key: "a" }, body(), { checksum: { algorithm: "crc32c", expected } });
    });

    test("compares a declared digest in addition to the checksum", async (storage, bucket) => {
      const ref = { bucket, key: "a" };
      const checksum = { algorithm: "crc32", expected: CHECK_VALUES.crc32 } as const;
      const sha256 = createHash("sha256").update("123456789").digest();
      const info = await storage.put(ref, chunks("123456789"), { checksum, digests: { sha256 } });
      expect(info.checksums).toEqual({ crc32: CHECK_VALUES.crc32 });
      const put = storage.put(ref, chunks("123456789"), { checksum, digests: { sha256: new Uint8Array(32) } });
      expect(await codeOf(put)).toBe("DIGEST_MISMATCH");
    });

    test("derives the type from the extension by default", async (storage, bucket) => {
      expect((await storage.put({ bucket, key: "a.png" }, chunks("x"))).contentType).toBe("image/png");
    });

    test("reads ranges", async (storage, bucket) => {
      const ref = { bucket, key: "digits" };
      await storage.put(ref, chunks("0123456789"));
      for (const range of ["0-0", "2-5", "9-9", "0-9"]) {
        const [start = 0, end = 0] = range.split("-").map(Number);
        const object = await storage.get(ref);
        expect((await readBody(object?.body({ start, end }))).toString()).toBe("0123456789".slice(start, end + 1));
      }
    });

    test("stores an empty object", async (storage, bucket) => {
      const ref = { bucket, key: "empty" };
      const info = await storage.put(ref, chunks());
      expect([info.size, info.etag]).toEqual([0, md5("")]);
      expect(await contents(storage, bucket, "empty")).toBe("");
    });

    test("stores a long body that arrives in odd pieces", async (storage, bucket) => {
      const ref = { bucket, key: "large" };
      const piece = Buffer.from(Uint8Array.from({ length: 70_001 }, (_, index) => index * 31));
      const whole = Buffer.concat(Array.from({ length: 50 }, () => piece));
      const sha256 = createHash("sha256").update(whole).digest();
      const info = await storage.put(ref, chunks(...Array.from({ length: 50 }, () => piece)), { digests: { sha256 } });
      expect([info.size, info.etag]).toEqual([whole.length, md5(whole)]);
      expect((await readBody((await storage.get(ref))?.body())).equals(whole)).toBe(true);
      const range = { start: 1_048_570, end: 1_048_585 };
      const part = await readBody((await storage.get(ref))?.body(range));
      expect(part.equals(whole.subarray(range.start, range.end + 1))).toBe(true);
    });

    for (const size of [65_536, 65_537, 131_072, 131_073, 1_048_576, 1_048_577, 2_097_152]) {
      test(`stores ${size} bytes, announced or not`, async (storage, bucket) => {
        const bytes = Buffer.alloc(size, "daypass");
        for (const options of [{}, { contentLength: size }]) {
          const info = await storage.put({ bucket, key: "sized" }, chunks(bytes), options);
          expect([info.size, info.etag]).toEqual([size, md5(bytes)]);
        }
      });
    }

    test("keeps hostile keys apart", async (storage, bucket) => {
      for (const key of HOSTILE_KEYS) await storage.put({ bucket, key }, chunks(`the value of ${JSON.stringify(key)}`));
      for (const key of HOSTILE_KEYS) {
        expect(await contents(storage, bucket, key)).toBe(`the value of ${JSON.stringify(key)}`);
        expect((await storage.head({ bucket, key }))?.etag).toBe(md5(`the value of ${JSON.stringify(key)}`));
      }
      for (const key of HOSTILE_KEYS) expect(await storage.delete({ bucket, key })).toBe(true);
      for (const key of HOSTILE_KEYS) expect(await contents(storage, bucket, key)).toBe(undefined);
    });

    test("keeps a key and the keys below it apart if they arrive at once", async (storage, bucket) => {
      const keys = ["x/y/z", "x", "x/y", "x/y/z/", "x/y/z/0", "x/"];
      await Promise.all(keys.map((key) => storage.put({ bucket, key }, chunks(key))));
      for (const key of keys) expect(await contents(storage, bucket, key)).toBe(key);
      await Promise.all(keys.map((key) => storage.delete({ bucket, key })));
      for (const key of keys) expect(await contents(storage, bucket, key)).toBe(undefined);
    });

    test("rejects a key that is no text", async (storage, bucket) => {
      for (const key of ["", "a\0b", "\ud800", "a\udfff/b"]) {
        expect(await codeOf(storage.put({ bucket, key }, chunks("x")))).toBe("KEY_NOT_STORABLE");
        expect(await storage.get({ bucket, key })).toBe(undefined);
        expect(await storage.head({ bucket, key })).toBe(undefined);
        expect(await storage.delete({ bucket, key })).toBe(false);
      }
    });

    test("returns undefined for a missing object and false for its deletion", async (storage, bucket) => {
      expect(await storage.get({ bucket, key: "none" })).toBe(undefined);
      expect(await storage.head({ bucket, key: "none" })).toBe(undefined);
      expect(await storage.delete({ bucket, key: "none" })).toBe(false);
    });

    test("rejects a missing bucket and an impossible name", async (storage, bucket) => {
      expect(await storage.hasBucket(bucket)).toBe(true);
      for (const other of ["no-such-bucket", "", ".", "..", `${bucket}/..`, ".daypass", "a\0b", "a\\b"]) {
        expect(await storage.hasBucket(other)).toBe(false);
        const ref = { bucket: other, key: "a" };
        const calls = [storage.get(ref), storage.head(ref), storage.put(ref, chunks("x")), storage.delete(ref)];
        expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => "NO_SUCH_BUCKET"));
      }
    });

    test("replaces an object with its metadata", async (storage, bucket) => {
      const ref = { bucket, key: "a.txt" };
      await storage.put(ref, chunks("first"), { metadata: { a: "1" }, contentType: "x/first" });
      const info = await storage.put(ref, chunks("second"), { metadata: { b: "2" } });
      expect(await storage.head(ref)).toEqual(info);
      expect(info.metadata).toEqual({ b: "2" });
      expect(await contents(storage, bucket, "a.txt")).toBe("second");
    });

    test("shows a deletion to every reader", async (storage, bucket) => {
      const ref = { bucket, key: "a" };
      await storage.put(ref, chunks("x"));
      expect(await contents(storage, bucket, "a")).toBe("x");
      expect(await storage.delete(ref)).toBe(true);
      expect(storage.getCached?.(ref)).toBe(undefined);
      expect(await storage.get(ref)).toBe(undefined);
      expect(await storage.delete(ref)).toBe(false);
    });

    test("keeps an opened object readable while it is replaced and deleted", async (storage, bucket) => {
      const ref = { bucket, key: "a" };
      const old = Buffer.alloc(200_000, "old");
      await storage.put(ref, chunks(old));
      const first = await storage.get(ref);
      const second = await storage.get(ref);
      await storage.put(ref, chunks("new"));
      expect((await readBody(first?.body())).equals(old)).toBe(true);
      await storage.delete(ref);
      expect((await readBody(second?.body())).equals(old)).toBe(true);
    });

    const refused: readonly (readonly [title: string, code: string, options: PutOptions])[] = [
      ["longer than allowed", "TOO_LARGE", { maxBytes: 10 }],
      ["announced as longer than allowed", "TOO_LARGE", { maxBytes: 10, contentLength: 11 }],
      ["shorter than required", "TOO_SMALL", { minBytes: 12 }],
      ["announced as shorter than required", "TOO_SMALL", { minBytes: 12, contentLength: 11 }],
      ["shorter than announced", "INCOMPLETE_BODY", { contentLength: 12 }],
      ["longer than announced", "INCOMPLETE_BODY", { contentLength: 10 }],
      ["with another MD5 than declared", "DIGEST_MISMATCH", { digests: { md5: new Uint8Array(16) } }],
      ["with another SHA-256 than declared", "DIGEST_MISMATCH", { digests: { sha256: new Uint8Array(32) } }],
      ["with a digest of the wrong length", "DIGEST_MISMATCH", { digests: { md5: new Uint8Array(3) } }],
      ["that was aborted", "INCOMPLETE_BODY", { signal: AbortSignal.abort() }],
    ];
    for (const [title, code, options] of refused) {
      test(`rejects a body ${title}, and keeps the old object`, async (storage, bucket) => {
        await storage.put({ bucket, key: "a" }, chunks("old"));
        expect(await codeOf(storage.put({ bucket, key: "a" }, chunks("hello world"), options))).toBe(code);
        expect(await contents(storage, bucket, "a")).toBe("old");
        expect(await codeOf(storage.put({ bucket, key: "b" }, chunks("hello world"), options))).toBe(code);
        expect(await contents(storage, bucket, "b")).toBe(undefined);
      });
    }

    test("accepts a body of exactly the limits, with the declared digests", async (storage, bucket) => {
      const digests = {
        md5: createHash("md5").update("hello").digest(),
        sha256: createHash("sha256").update("hello").digest(),
      };
      const options = { maxBytes: 5, minBytes: 5, contentLength: 5, digests };
      expect((await storage.put({ bucket, key: "a" }, chunks("hel", "lo"), options)).size).toBe(5);
    });

    test("reports a broken connection as an incomplete body, and passes other errors on", async (storage, bucket) => {
      const broken = Object.assign(new Error("aborted"), { code: "ECONNRESET" });
      expect(await codeOf(storage.put({ bucket, key: "a" }, failing(broken)))).toBe("INCOMPLETE_BODY");
      const other = new Error("the chunk signature does not match");
      expect(await storage.put({ bucket, key: "a" }, failing(other)).catch((error: unknown) => error)).toBe(other);
      expect(await contents(storage, bucket, "a")).toBe(undefined);
    });

    test("rejects a create-only upload if the object exists", async (storage, bucket) => {
      const ref = { bucket, key: "a" };
      await storage.put(ref, chunks("first"), { ifNoneMatch: "*" });
      expect(await codeOf(storage.put(ref, chunks("second"), { ifNoneMatch: "*" }))).toBe("PRECONDITION_FAILED");
      expect(await contents(storage, bucket, "a")).toBe("first");
    });

    test("accepts exactly one of many create-only uploads", async (storage, bucket) => {
      const put = (value: string) => storage.put({ bucket, key: "a" }, chunks(value), { ifNoneMatch: "*" });
      const results = await Promise.allSettled(["0", "1", "2", "3", "4", "5", "6", "7"].map(put));
      const winners = results.flatMap((result, index) => (result.status === "fulfilled" ? [String(index)] : []));
      expect(winners.length).toBe(1);
      expect(await contents(storage, bucket, "a")).toBe(winners[0]);
    });

    test("replaces only the object with the given ETag", async (storage, bucket) => {
      const ref = { bucket, key: "a" };
      expect(await codeOf(storage.put(ref, chunks("x"), { ifMatch: "*" }))).toBe("PRECONDITION_FAILED");
      const { etag } = await storage.put(ref, chunks("first"));
      expect(await codeOf(storage.put(ref, chunks("x"), { ifMatch: md5("other") }))).toBe("PRECONDITION_FAILED");
      await storage.put(ref, chunks("second"), { ifMatch: etag });
      await storage.put(ref, chunks("third"), { ifMatch: "*" });
      expect(await contents(storage, bucket, "a")).toBe("third");
    });

    test("accepts exactly one of many replacements of one ETag", async (storage, bucket) => {
      const ref = { bucket, key: "a" };
      const { etag } = await storage.put(ref, chunks("old"));
      const results = await Promise.allSettled(
        ["0", "1", "2", "3", "4", "5"].map((value) => storage.put(ref, chunks(value), { ifMatch: etag })),
      );
      expect(results.filter((result) => result.status === "fulfilled").length).toBe(1);
    });

    test("deletes only the object with the given ETag", async (storage, bucket) => {
      const ref = { bucket, key: "a" };
      expect(await codeOf(storage.delete(ref, { ifMatch: "*" }))).toBe("PRECONDITION_FAILED");
      const { etag } = await storage.put(ref, chunks("first"));
      expect(await codeOf(storage.delete(ref, { ifMatch: md5("other") }))).toBe("PRECONDITION_FAILED");
      expect(await contents(storage, bucket, "a")).toBe("first");
      expect(await storage.delete(ref, { ifMatch: etag })).toBe(true);
    });

    test("returns the old object or the new one, never a mixture", async (storage, bucket) => {
      const ref = { bucket, key: "a.bin" };
      const versions = ["A", "B"].map((letter) => Buffer.alloc(70_000, letter));
      let writing = true;
      const write = async (): Promise<void> => {
        for (let round = 0; round < 15; round++) {
          const bytes = versions[round % 2] ?? Buffer.alloc(0);
          await storage.put(ref, chunks(bytes), { metadata: { letter: bytes.toString("latin1", 0, 1) } });
        }
        writing = false;
      };
      const readAll = async (): Promise<void> => {
        while (writing) {
          const object = await storage.get(ref);
          if (object === undefined) continue;
          const bytes = await readBody(object.body());
          expect(object.info.etag).toBe(md5(bytes));
          expect(object.info.metadata).toEqual({ letter: bytes.toString("latin1", 0, 1) });
        }
      };
      await storage.put(ref, chunks(versions[1] ?? ""), { metadata: { letter: "B" } });
      await Promise.all([write(), readAll(), readAll()]);
    });

    copyContract({ test, expect });
    multipartContract({ test, expect });
    completionContract({ test, expect });
    listingContract({ test, expect });
    bucketContract({ test, expect });
  });
}
