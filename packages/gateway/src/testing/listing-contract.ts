/** The storage contract on listings and on buckets. */
import { type ListEntry, type ListOptions, positionAfter } from "../storage/contract/listing.ts";
import type { Storage } from "../storage/contract/storage.ts";
import { type ContractTools, chunks, codeOf } from "./contract-tools.ts";
import { HOSTILE_KEYS } from "./hostile-keys.ts";

/** What a listing of these keys has to show, by the definition and not by any index. */
function expected(keys: readonly string[], options: Partial<ListOptions>): string[] {
  const { prefix = "", delimiter } = options;
  const shown = new Set<string>();
  for (const key of [...keys].sort(byBytes)) {
    if (!key.startsWith(prefix)) continue;
    const at = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
    shown.add(at < 0 ? key : `${key.slice(0, at + (delimiter?.length ?? 0))} *`);
  }
  return [...shown];
}

const label = (entry: ListEntry): string => (entry.kind === "object" ? entry.key : `${entry.prefix} *`);

/** All pages, put together. */
async function listed(storage: Storage, bucket: string, options: Partial<ListOptions> = {}): Promise<string[]> {
  const all: string[] = [];
  let after = options.after;
  for (let pages = 0; pages < 1000; pages++) {
    const page = await storage.list(bucket, { prefix: "", limit: 1000, ...options, after });
    all.push(...page.entries.map(label));
    if (page.entries.length > (options.limit ?? 1000)) throw new Error("the page is longer than its limit");
    const last = page.entries.at(-1);
    if (!page.truncated || last === undefined) return all;
    after = positionAfter(last);
  }
  throw new Error("the pages do not end");
}

async function store(storage: Storage, bucket: string, keys: readonly string[]): Promise<void> {
  for (const key of keys) await storage.put({ bucket, key }, chunks(`of ${key}`));
}

export function listingContract({ test, expect }: ContractTools): void {
  test("lists nothing in an empty bucket", async (storage, bucket) => {
    expect(await storage.list(bucket, { prefix: "", limit: 10 })).toEqual({ entries: [], truncated: false });
  });

  test("gives up with its client", async (storage, bucket) => {
    const signal = AbortSignal.abort();
    expect(await codeOf(storage.list(bucket, { prefix: "", limit: 10, signal }))).toBe("INCOMPLETE_BODY");
  });

  test("lists each hostile key once, in the order of its bytes", async (storage, bucket) => {
    await store(storage, bucket, HOSTILE_KEYS);
    expect(await listed(storage, bucket)).toEqual(expected(HOSTILE_KEYS, {}));
    expect(await listed(storage, bucket, { limit: 10 })).toEqual(expected(HOSTILE_KEYS, {}));
    expect(await listed(storage, bucket, { delimiter: "/" })).toEqual(expected(HOSTILE_KEYS, { delimiter: "/" }));
  });

  test("orders by UTF-8, not by the units of UTF-16", async (storage, bucket) => {
    const keys = ["\u{1f511}", "\uffee", "\ue000", "\u{10ffff}", "\ud7ff", "z", "\u00e9", "a\u{1f511}", "a\uffee"];
    await store(storage, bucket, keys);
    const sorted = ["a\uffee", "a\u{1f511}", "z", "\u00e9", "\ud7ff", "\ue000", "\uffee", "\u{1f511}", "\u{10ffff}"];
    expect(await listed(storage, bucket)).toEqual(sorted);
    expect(await listed(storage, bucket, { limit: 1 })).toEqual(sorted);
    expect(await listed(storage, bucket, { after: { key: "\uffee" } })).toEqual(["\u{1f511}", "\u{10ffff}"]);
    expect(await listed(storage, bucket, { prefix: "\ud7ff" })).toEqual(["\ud7ff"]);
    expect(await listed(storage, bucket, { prefix: "\u{10ffff}" })).toEqual(["\u{10ffff}"]);
  });

  test("tells of an object what `head` tells", async (storage, bucket) => {
    await store(storage, bucket, ["a", "b/c", "b//d"]);
    const { entries } = await storage.list(bucket, { prefix: "", limit: 10 });
    expect(entries.length).toBe(3);
    for (const entry of entries) {
      const key = entry.kind === "object" ? entry.key : "";
      const info = await storage.head({ bucket, key });
      expect(entry).toEqual({
        kind: "object",
        key,
        size: info?.size,
        etag: info?.etag,
        lastModified: info?.lastModified,
      });
    }
  });

  test("rolls keys up to any delimiter", async (storage, bucket) => {
    const keys = ["a-b", "a-b-c", "a--b", "a/b-c", "a/b-d/e", "b", "b-", "\u00e9-\u00e9", "x::y::z", "x::z"];
    await store(storage, bucket, keys);
    for (const delimiter of ["-", "/", "--", "::", "\u00e9", "b", "no such"]) {
      for (const prefix of ["", "a", "a-", "a/", "x::", "no such"]) {
        for (const limit of [1, 2, 1000]) {
          const options = { delimiter, prefix, limit };
          expect([options, await listed(storage, bucket, options)]).toEqual([options, expected(keys, options)]);
        }
      }
    }
  });

  test("goes on after a key, and after all that a prefix holds", async (storage, bucket) => {
    await store(storage, bucket, ["a", "b/1", "b/2", "b/3", "b0", "c"]);
    expect(await listed(storage, bucket, { after: { key: "b/1" } })).toEqual(["b/2", "b/3", "b0", "c"]);
    expect(await listed(storage, bucket, { after: { key: "b/10" } })).toEqual(["b/2", "b/3", "b0", "c"]);
    expect(await listed(storage, bucket, { after: { key: "zz" } })).toEqual([]);
    expect(await listed(storage, bucket, { after: { key: "b/1" }, delimiter: "/" })).toEqual(["b/ *", "b0", "c"]);
    expect(await listed(storage, bucket, { after: { prefix: "b/" } })).toEqual(["b0", "c"]);
    expect(await listed(storage, bucket, { after: { prefix: "b/" }, delimiter: "/" })).toEqual(["b0", "c"]);
    expect(await listed(storage, bucket, { after: { key: "a" }, prefix: "b/" })).toEqual(["b/1", "b/2", "b/3"]);
    expect(await listed(storage, bucket, { after: { prefix: "a" }, prefix: "b/" })).toEqual(["b/1", "b/2", "b/3"]);
    expect(await listed(storage, bucket, { after: { key: "a" }, prefix: "b0" })).toEqual(["b0"]);
    expect(await listed(storage, bucket, { after: { key: "c" }, prefix: "b/" })).toEqual([]);
    expect(await listed(storage, bucket, { after: { prefix: "\u{10ffff}" } })).toEqual([]);
  });

  test("says whether there is more, and only then", async (storage, bucket) => {
    await store(storage, bucket, ["a", "b/1", "b/2", "c"]);
    for (const [limit, truncated] of [
      [1, true],
      [2, true],
      [3, false],
      [4, false],
    ] as const) {
      expect((await storage.list(bucket, { prefix: "", delimiter: "/", limit })).truncated).toBe(truncated);
    }
    expect((await storage.list(bucket, { prefix: "b/", limit: 2 })).truncated).toBe(false);
  });

  test("shows at once what was stored, replaced and deleted", async (storage, bucket) => {
    const keys = ["a", "b/c", "b/d", "//e"];
    for (const key of keys) {
      await storage.put({ bucket, key }, chunks("first"));
      expect((await listed(storage, bucket)).includes(key)).toBe(true);
      const { etag } = await storage.put({ bucket, key }, chunks("second"));
      const { entries } = await storage.list(bucket, { prefix: key, limit: 1 });
      expect(entries.map((entry) => (entry.kind === "object" ? entry.etag : ""))).toEqual([etag]);
    }
    for (const key of keys) {
      await storage.delete({ bucket, key });
      expect((await listed(storage, bucket)).includes(key)).toBe(false);
    }
    expect(await listed(storage, bucket, { delimiter: "/" })).toEqual([]);
  });

  test("shows what is as it is, whatever else is stored and deleted meanwhile", async (storage, bucket) => {
    const still = Array.from({ length: 30 }, (_, i) => `still/${String(i).padStart(2, "0")}`);
    await store(storage, bucket, still);
    let working = true;
    const work = async (): Promise<void> => {
      for (let round = 0; round < 20; round++) {
        await store(storage, bucket, [`still/${round}x`, `moving/${round}`, `still/x/${round}`]);
        await storage.delete({ bucket, key: `still/${round}x` });
        await storage.delete({ bucket, key: `moving/${round}` });
      }
      working = false;
    };
    const look = async (): Promise<void> => {
      while (working) {
        const all = await listed(storage, bucket, { limit: 7 });
        expect(all.filter((key) => /^still\/\d\d$/.test(key))).toEqual(still);
        expect(all).toEqual([...new Set(all)].sort(byBytes));
        expect((await listed(storage, bucket, { delimiter: "/" })).includes("still/ *")).toBe(true);
      }
    };
    await Promise.all([work(), look(), look()]);
  });

  test("pages through any set of keys as the definition says", async (storage, bucket) => {
    // A small alphabet, so that prefixes, delimiters and keys meet often.
    const random = randomNumbers(7);
    const text = (length: number): string =>
      Array.from({ length: random(length) }, () => "ab/-\u00e9\u{1f511}".at(random(5)) ?? "").join("");
    const word = (): string => text(7).replace(/[\ud800-\udfff]/g, "\u{1f511}");
    const keys = [...new Set(Array.from({ length: 120 }, () => `k${word()}`))];
    await store(storage, bucket, keys);
    for (let round = 0; round < 60; round++) {
      const options = {
        prefix: `k${word()}`.slice(0, random(4)).replace(/[\ud800-\udbff]$/, ""),
        delimiter: random(2) === 0 ? undefined : ["/", "-", "a", "//", "\u{1f511}"][random(5)],
        limit: 1 + random(9),
      };
      expect([options, await listed(storage, bucket, options)]).toEqual([options, expected(keys, options)]);
    }
  });
}

export function bucketContract({ test, expect }: ContractTools): void {
  test("makes, lists and removes buckets", async (storage, bucket) => {
    const all = async (): Promise<string[]> => (await storage.buckets()).map((info) => info.name);
    expect((await all()).includes(bucket)).toBe(true);
    await storage.createBucket("made-here");
    await storage.createBucket("also-made.here");
    expect((await all()).filter((found) => found.endsWith("here"))).toEqual(["also-made.here", "made-here"]);
    const made = (await storage.buckets()).find((info) => info.name === "made-here");
    expect(Math.abs((made?.created.getTime() ?? 0) - Date.now()) < 60_000).toBe(true);
    expect(await storage.hasBucket("made-here")).toBe(true);
    await storage.put({ bucket: "made-here", key: "a" }, chunks("x"));
    expect(await storage.hasBucket("made-here")).toBe(true);
    await storage.delete({ bucket: "made-here", key: "a" });
    await storage.deleteBucket("made-here");
    expect(await storage.hasBucket("made-here")).toBe(false);
    expect((await all()).includes("made-here")).toBe(false);
    expect(await codeOf(storage.list("made-here", { prefix: "", limit: 1 }))).toBe("NO_SUCH_BUCKET");
  });

  test("makes no bucket twice, and none of a name that cannot be one", async (storage, bucket) => {
    expect(await codeOf(storage.createBucket(bucket))).toBe("BUCKET_EXISTS");
    for (const other of ["", ".", "..", "-", ".daypass", "a/b", "a\0b", "a\\b", "\ud800"]) {
      expect([other, await codeOf(storage.createBucket(other))]).toEqual([other, "BUCKET_NAME_TAKEN"]);
      expect([other, await codeOf(storage.deleteBucket(other))]).toEqual([other, "NO_SUCH_BUCKET"]);
      expect([other, await storage.hasBucket(other)]).toEqual([other, false]);
    }
  });

  test("removes no bucket that holds an object, of whatever key", async (storage) => {
    for (const key of ["a", "a/b", "a//b", "../a", "\u{1f511}".repeat(70)]) {
      await storage.createBucket("full");
      await storage.put({ bucket: "full", key }, chunks("x"));
      expect(await codeOf(storage.deleteBucket("full"))).toBe("BUCKET_NOT_EMPTY");
      expect((await storage.head({ bucket: "full", key }))?.size).toBe(1);
      await storage.delete({ bucket: "full", key });
      await storage.deleteBucket("full");
    }
  });

  test("stores nothing into a bucket that is gone, and brings nothing back with its name", async (storage) => {
    for (let round = 0; round < 10; round++) {
      await storage.createBucket("busy");
      const puts = ["a", "b/c", "d//e"].map((key) => storage.put({ bucket: "busy", key }, chunks("x")));
      const removed = codeOf(storage.deleteBucket("busy"));
      const stored = (await Promise.allSettled(puts)).filter((put) => put.status === "fulfilled").length;
      const outcome = await removed;
      expect(outcome === undefined ? 0 : stored).toBe(stored);
      if (outcome === undefined) {
        await storage.createBucket("busy");
        expect(await listed(storage, "busy")).toEqual([]);
      }
      for (const key of await listed(storage, "busy")) await storage.delete({ bucket: "busy", key });
      await storage.deleteBucket("busy");
    }
  });

  test("ends the uploads that are under way in a bucket which is removed", async (storage) => {
    await storage.createBucket("made-here");
    const ref = { bucket: "made-here", key: "a" };
    const { uploadId } = await storage.createUpload(ref);
    await storage.putPart({ ...ref, uploadId }, 1, chunks("x"));
    await storage.deleteBucket("made-here");
    await storage.createBucket("made-here");
    expect(await codeOf(storage.putPart({ ...ref, uploadId }, 2, chunks("x")))).toBe("NO_SUCH_UPLOAD");
    expect((await storage.listUploads("made-here", { prefix: "", limit: 1 })).entries).toEqual([]);
    await storage.deleteBucket("made-here");
  });

  test("lists and removes no bucket that does not exist", async (storage) => {
    expect(await codeOf(storage.list("no-such-bucket", { prefix: "", limit: 1 }))).toBe("NO_SUCH_BUCKET");
    expect(await codeOf(storage.deleteBucket("no-such-bucket"))).toBe("NO_SUCH_BUCKET");
  });

  test("keeps the cross-origin rules of a bucket until it is removed", async (storage, bucket) => {
    const rule = {
      id: "all",
      origins: ["https://app.example.com", "https://*.example.com"],
      methods: ["GET", "PUT"],
      headers: ["*"],
      exposeHeaders: ["etag"],
      maxAge: 60,
    };
    expect(await storage.corsRules(bucket)).toEqual([]);
    await storage.setCorsRules(bucket, [rule]);
    expect(await storage.corsRules(bucket)).toEqual([rule]);
    await storage.setCorsRules(bucket, [{ ...rule, maxAge: undefined }, rule]);
    expect((await storage.corsRules(bucket)).length).toBe(2);
    await storage.setCorsRules(bucket, []);
    expect(await storage.corsRules(bucket)).toEqual([]);

    await storage.createBucket("made-here");
    await storage.setCorsRules("made-here", [rule]);
    await storage.deleteBucket("made-here");
    expect(await storage.corsRules("made-here")).toEqual([]);
    expect(await codeOf(storage.setCorsRules("made-here", [rule]))).toBe("NO_SUCH_BUCKET");
    await storage.createBucket("made-here");
    expect(await storage.corsRules("made-here")).toEqual([]);
    await storage.deleteBucket("made-here");
  });
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Numbers below a limit, the same in each run. */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
