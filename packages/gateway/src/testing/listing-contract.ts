/** The storage contract for listings and buckets. */
import { type ListEntry, type ListOptions, positionAfter } from "../storage/contract/listing.ts";
import type { ObjectInfo, Storage } from "../storage/contract/storage.ts";
import { type ContractTools, chunks, codeOf } from "./contract-tools.ts";
import { HOSTILE_KEYS } from "./hostile-keys.ts";

/** The entries that a listing of these keys must show, by definition. */
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

/** The entries of all pages. */
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

  test("stops when its signal is aborted", async (storage, bucket) => {
    const signal = AbortSignal.abort();
    expect(await codeOf(storage.list(bucket, { prefix: "", limit: 10, signal }))).toBe("INCOMPLETE_BODY");
  });

  test("lists each hostile key once, in the order of its bytes", async (storage, bucket) => {
    await store(storage, bucket, HOSTILE_KEYS);
    expect(await listed(storage, bucket)).toEqual(expected(HOSTILE_KEYS, {}));
    expect(await listed(storage, bucket, { limit: 10 })).toEqual(expected(HOSTILE_KEYS, {}));
    expect(await listed(storage, bucket, { delimiter: "/" })).toEqual(expected(HOSTILE_KEYS, { delimiter: "/" }));
  });

  test("sorts by UTF-8, not by UTF-16 units", async (storage, bucket) => {
    const keys = ["\u{1f511}", "\uffee", "\ue000", "\u{10ffff}", "\ud7ff", "z", "\u00e9", "a\u{1f511}", "a\uffee"];
    await store(storage, bucket, keys);
    const sorted = ["a\uffee", "a\u{1f511}", "z", "\u00e9", "\ud7ff", "\ue000", "\uffee", "\u{1f511}", "\u{10ffff}"];
    expect(await listed(storage, bucket)).toEqual(sorted);
    expect(await listed(storage, bucket, { limit: 1 })).toEqual(sorted);
    expect(await listed(storage, bucket, { after: { key: "\uffee" } })).toEqual(["\u{1f511}", "\u{10ffff}"]);
    expect(await listed(storage, bucket, { prefix: "\ud7ff" })).toEqual(["\ud7ff"]);
    expect(await listed(storage, bucket, { prefix: "\u{10ffff}" })).toEqual(["\u{10ffff}"]);
  });

  test("lists the same facts about an object as `head`", async (storage, bucket) => {
    await store(storage, bucket, ["a", "b/c", "b//d"]);
    const { entries } = await storage.list(bucket, { prefix: "", limit: 10 });
    expect(entries.length).toBe(3);
    for (const entry of entries) {
      const key = entry.kind === "object" ? entry.key : "";
      const info = await storage.head({ bucket, key });
      const { size, etag, lastModified } = info ?? ({} as Partial<ObjectInfo>);
      expect(entry).toEqual({ kind: "object", key, size, etag, lastModified });
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

  test("continues after a key, and after all keys of a prefix", async (storage, bucket) => {
    await store(storage, bucket, ["a", "b/1", "b/2", "b/3", "b0", "c"]);
    const cases: readonly (readonly [options: Partial<ListOptions>, keys: string])[] = [
      [{ after: { key: "b/1" } }, "b/2 b/3 b0 c"],
      [{ after: { key: "b/10" } }, "b/2 b/3 b0 c"],
      [{ after: { key: "zz" } }, ""],
      [{ after: { key: "b/1" }, delimiter: "/" }, "b/ * b0 c"],
      [{ after: { prefix: "b/" } }, "b0 c"],
      [{ after: { prefix: "b/" }, delimiter: "/" }, "b0 c"],
      [{ after: { key: "a" }, prefix: "b/" }, "b/1 b/2 b/3"],
      [{ after: { prefix: "a" }, prefix: "b/" }, "b/1 b/2 b/3"],
      [{ after: { key: "a" }, prefix: "b0" }, "b0"],
      [{ after: { key: "c" }, prefix: "b/" }, ""],
      [{ after: { prefix: "\u{10ffff}" } }, ""],
    ];
    for (const [options, keys] of cases) expect((await listed(storage, bucket, options)).join(" ")).toBe(keys);
  });

  test("reports whether more entries follow", async (storage, bucket) => {
    await store(storage, bucket, ["a", "b/1", "b/2", "c"]);
    for (const limit of [1, 2, 3, 4]) {
      expect((await storage.list(bucket, { prefix: "", delimiter: "/", limit })).truncated).toBe(limit < 3);
    }
    expect((await storage.list(bucket, { prefix: "b/", limit: 2 })).truncated).toBe(false);
  });

  test("shows stores, replacements and deletions at once", async (storage, bucket) => {
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

  test("shows unchanged keys while others are stored and deleted", async (storage, bucket) => {
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

  test("pages through random keys by definition", async (storage, bucket) => {
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
  test("creates, lists and removes buckets", async (storage, bucket) => {
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

  test("rejects an existing bucket and an impossible name", async (storage, bucket) => {
    expect(await codeOf(storage.createBucket(bucket))).toBe("BUCKET_EXISTS");
    for (const other of ["", ".", "..", "-", ".daypass", "a/b", "a\0b", "a\\b", "\ud800"]) {
      expect([other, await codeOf(storage.createBucket(other))]).toEqual([other, "BUCKET_NAME_TAKEN"]);
      expect([other, await codeOf(storage.deleteBucket(other))]).toEqual([other, "NO_SUCH_BUCKET"]);
      expect([other, await storage.hasBucket(other)]).toEqual([other, false]);
    }
  });

  test("rejects the removal of a bucket with any object", async (storage) => {
    for (const key of ["a", "a/b", "a//b", "../a", "\u{1f511}".repeat(70)]) {
      await storage.createBucket("full");
      await storage.put({ bucket: "full", key }, chunks("x"));
      expect(await codeOf(storage.deleteBucket("full"))).toBe("BUCKET_NOT_EMPTY");
      expect((await storage.head({ bucket: "full", key }))?.size).toBe(1);
      await storage.delete({ bucket: "full", key });
      await storage.deleteBucket("full");
    }
  });

  test("stores nothing in a removed bucket, and restores nothing in a new bucket of its name", async (storage) => {
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

  test("ends the open uploads of a removed bucket", async (storage) => {
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

  test("rejects a listing and the removal of a missing bucket", async (storage) => {
    expect(await codeOf(storage.list("no-such-bucket", { prefix: "", limit: 1 }))).toBe("NO_SUCH_BUCKET");
    expect(await codeOf(storage.deleteBucket("no-such-bucket"))).toBe("NO_SUCH_BUCKET");
  });

  test("keeps the CORS rules of a bucket until its removal", async (storage, bucket) => {
    const origins = ["https://app.example.com", "https://*.example.com"];
    const rule = { id: "all", origins, methods: ["GET", "PUT"], headers: ["*"], exposeHeaders: ["etag"], maxAge: 60 };
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
