import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ListOptions, positionAfter } from "../../src/storage/contract/listing.ts";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { openDatabase } from "../../src/storage/disk/database/sqlite.ts";
import { chunks, openDisk, openIndex, ownRoot, removeRoot, withDisk } from "./temp-root.ts";

async function listed(storage: Storage, options: Partial<ListOptions> = {}, bucket = "bucket"): Promise<string[]> {
  const { entries } = await storage.list(bucket, { prefix: "", limit: 1000, ...options });
  return entries.map((entry) => (entry.kind === "object" ? entry.key : `${entry.prefix} *`));
}

/** A listing and `head` speak of one object, or one of them lies. */
async function expectTruth(storage: Storage, bucket = "bucket"): Promise<void> {
  const { entries } = await storage.list(bucket, { prefix: "", limit: 1000 });
  for (const entry of entries) {
    if (entry.kind !== "object") throw new Error("no prefix was asked for");
    const head = await storage.head({ bucket, key: entry.key });
    const { size, etag, lastModified, checksums = {} } = entry;
    expect({ size, etag, lastModified, checksums }).toEqual({
      size: head?.size,
      etag: head?.etag,
      lastModified: head?.lastModified,
      checksums: head?.checksums,
    });
  }
}

/** A clock by which no change is so recent that its folder is read once more. */
const longAfter = (): number => Date.now() + 10_000;

function write(root: string, ...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(root, "bucket", path, ".."), { recursive: true });
    writeFileSync(join(root, "bucket", path), path);
  }
}

describe("what others do in the folder shows in the next listing", () => {
  it("files that were there, uploads and keys that no path holds, together", () =>
    withDisk(async (storage, root) => {
      write(root, "b.txt", "a/1.png", "a/2/3.txt", "a-file", "c/d/e/f");
      await storage.put({ bucket: "bucket", key: "a/up" }, chunks("x"));
      await storage.put({ bucket: "bucket", key: "a//hash" }, chunks("x"));
      expect(await listed(storage)).toEqual(["a-file", "a//hash", "a/1.png", "a/2/3.txt", "a/up", "b.txt", "c/d/e/f"]);
      expect(await listed(storage, { delimiter: "/" })).toEqual(["a-file", "a/ *", "b.txt", "c/ *"]);
      expect(await listed(storage, { prefix: "a/2" })).toEqual(["a/2/3.txt"]);
      await expectTruth(storage);
    }));

  it("files that come, go, move and change, in folders of any depth", () =>
    withDisk(async (storage, root) => {
      const bucket = join(root, "bucket");
      write(root, "a", "b/c", "b/d/e", "f/g/h/i");
      expect(await listed(storage)).toEqual(["a", "b/c", "b/d/e", "f/g/h/i"]);
      write(root, "b/d/new", "z/z/z/z", "aa");
      expect(await listed(storage)).toEqual(["a", "aa", "b/c", "b/d/e", "b/d/new", "f/g/h/i", "z/z/z/z"]);
      renameSync(join(bucket, "f"), join(bucket, "moved"));
      unlinkSync(join(bucket, "b/c"));
      appendFileSync(join(bucket, "a"), "longer");
      expect(await listed(storage)).toEqual(["a", "aa", "b/d/e", "b/d/new", "moved/g/h/i", "z/z/z/z"]);
      await expectTruth(storage);
      rmSync(join(bucket, "z"), { recursive: true });
      writeFileSync(join(bucket, "z"), "a file now");
      unlinkSync(join(bucket, "aa"));
      mkdirSync(join(bucket, "aa"));
      expect(await listed(storage)).toEqual(["a", "b/d/e", "b/d/new", "moved/g/h/i", "z"]);
      rmSync(join(bucket, "b"), { recursive: true });
      rmSync(join(bucket, "moved"), { recursive: true });
      expect(await listed(storage)).toEqual(["a", "z"]);
      expect(await listed(storage, { delimiter: "/" })).toEqual(["a", "z"]);
      await expectTruth(storage);
    }));

  it("under a rolled-up prefix whose known files are gone and others have come, however deep", () =>
    withDisk(async (storage, root) => {
      const bucket = join(root, "bucket");
      const delimited = () => listed(storage, { delimiter: "/" });
      write(root, "a/m/1", "a/x", "b/1");
      for (let i = 0; i < 40; i++) write(root, `a/many/${i}`);
      expect(await delimited()).toEqual(["a/ *", "b/ *"]);
      await listed(storage);
      rmSync(join(bucket, "a/many"), { recursive: true });
      unlinkSync(join(bucket, "a/x"));
      renameSync(join(bucket, "a/m/1"), join(bucket, "a/m/0"));
      expect(await delimited()).toEqual(["a/ *", "b/ *"]);
      unlinkSync(join(bucket, "a/m/0"));
      expect(await delimited()).toEqual(["b/ *"]);
      write(root, "a/m/n/o/p");
      expect(await delimited()).toEqual(["a/ *", "b/ *"]);
      renameSync(join(bucket, "a/m/n/o/p"), join(bucket, "a/m/n/o/q"));
      expect(await delimited()).toEqual(["a/ *", "b/ *"]);
      expect(await listed(storage)).toEqual(["a/m/n/o/q", "b/1"]);
    }));

  it("under a rolled-up prefix whose known file is gone and another has come before it", () =>
    withDisk(
      async (storage, root) => {
        const bucket = join(root, "bucket");
        write(root, "p/a/first", "p/z/old");
        unlinkSync(join(bucket, "p/a/first"));
        expect(await listed(storage)).toEqual(["p/z/old"]);
        write(root, "p/a/new");
        unlinkSync(join(bucket, "p/z/old"));
        expect(await listed(storage, { delimiter: "/" })).toEqual(["p/ *"]);
      },
      { clock: longAfter },
    ));

  it("in a folder between the last keys of a page", () =>
    withDisk(
      async (storage, root) => {
        write(root, "a", "m/gone", "y", "z");
        unlinkSync(join(root, "bucket/m/gone"));
        expect(await listed(storage)).toEqual(["a", "y", "z"]);
        write(root, "m/new");
        expect(await listed(storage, { limit: 2 })).toEqual(["a", "m/new"]);
      },
      { clock: longAfter },
    ));

  it("in one of more folders than are looked at together, with the keys around them once each", () =>
    withDisk(
      async (storage, root) => {
        const folders = Array.from({ length: 600 }, (_, i) => `f${String(i).padStart(3, "0")}/`);
        for (const folder of folders) mkdirSync(join(root, "bucket", folder));
        write(root, "a", "z");
        // Each of the keys is the name of a folder, too: with that of the bucket 256 folders end in the first.
        const keys = ["f254/", "f255/", "f450/", "f599/"];
        for (const key of keys) await storage.put({ bucket: "bucket", key }, chunks("x"));
        expect(await listed(storage)).toEqual(["a", ...keys, "z"]);
        write(root, "f500/new", "f599/new");
        const all = ["a", "f254/", "f255/", "f450/", "f500/new", "f599/", "f599/new", "z"];
        for (const _ of ["with what is new", "and once more"]) expect(await listed(storage)).toEqual(all);
        const rolled = ["a", "f254/ *", "f255/ *", "f450/ *", "f500/ *", "f599/ *", "z"];
        expect(await listed(storage, { delimiter: "/" })).toEqual(rolled);
        unlinkSync(join(root, "bucket/f500/new"));
        expect(await listed(storage, { delimiter: "/" })).toEqual(rolled.filter((name) => name !== "f500/ *"));
      },
      { clock: longAfter },
    ));

  it("of which a page holds just as many as are looked at together, and there is more", () =>
    withDisk(async (storage, root) => {
      const keys = Array.from({ length: 300 }, (_, i) => `k${String(i).padStart(3, "0")}`);
      write(root, ...keys);
      const { entries, truncated } = await storage.list("bucket", { prefix: "", limit: 256 });
      expect([entries.length, truncated]).toEqual([256, true]);
    }));

  it("but no name that the index holds in vain any longer", async () => {
    const root = ownRoot();
    const index = await openIndex(root);
    const storage = await openDisk({ root, writer: index.writer });
    const names = () =>
      index.reader.names
        .names({ bucket: "bucket", from: { text: "", inclusive: true }, until: undefined, limit: 100 })
        .map(({ key }) => key);
    write(root, "plain", "gone");
    await storage.put({ bucket: "bucket", key: "by//hash" }, chunks("x"));
    expect(await listed(storage)).toEqual(["by//hash", "gone", "plain"]);
    unlinkSync(join(root, "bucket/gone"));
    expect(await listed(storage)).toEqual(["by//hash", "plain"]);
    expect(names()).toEqual(["by//hash", "plain"]);
    // An upload that is about to take its name, and two that have taken theirs since a listing has looked.
    const ref = { bucket: "bucket", key: "a//coming" };
    const row = { ref, fingerprint: "1", etag: "e", contentType: "t", headers: {}, metadata: {}, checksums: {} };
    const claim = await index.writer.claim(ref, { kind: "put", row });
    await index.writer.forget("bucket", ["a//coming", "by//hash", "plain"]);
    expect(names()).toEqual(["a//coming", "by//hash", "plain"]);
    claim.finish("abandoned");
  });

  it("uploads that somebody has overwritten or put back", () =>
    withDisk(async (storage, root) => {
      const path = join(root, "bucket/a.txt");
      const { etag } = await storage.put({ bucket: "bucket", key: "a.txt" }, chunks("uploaded"), {
        checksum: { algorithm: "crc32" },
      });
      await expectTruth(storage);
      renameSync(path, `${path}.bak`);
      writeFileSync(path, "by hand");
      expect(await listed(storage)).toEqual(["a.txt", "a.txt.bak"]);
      await expectTruth(storage);
      renameSync(`${path}.bak`, path);
      const { entries } = await storage.list("bucket", { prefix: "", limit: 10 });
      expect(entries.map((entry) => (entry.kind === "object" ? entry.etag : ""))).toEqual([etag]);
    }));

  it("but nothing that is not served: links, devices, names of the gateway's own or of no key", () =>
    withDisk(async (storage, root) => {
      const bucket = join(root, "bucket");
      mkdirSync(join(root, "outside"));
      writeFileSync(join(root, "outside/secret"), "secret");
      write(root, "a", "folder/b", ".daypass-x", ".daypass/c", "line\nbreak", "back\\slash", ".hidden");
      symlinkSync(join(root, "outside"), join(bucket, "linked"));
      symlinkSync(join(root, "outside/secret"), join(bucket, "link"));
      execFileSync("mkfifo", [join(bucket, "fifo")]);
      expect(await listed(storage)).toEqual([".hidden", "a", "folder/b"]);
      // CVE-2026-54094: a folder that becomes a link after it was read must not tell of what is behind it.
      writeFileSync(join(root, "outside/b"), "of another");
      rmSync(join(bucket, "folder"), { recursive: true });
      symlinkSync(join(root, "outside"), join(bucket, "folder"));
      expect(await listed(storage)).toEqual([".hidden", "a"]);
      expect(await listed(storage, { delimiter: "/" })).toEqual([".hidden", "a"]);
      expect(await listed(storage, { prefix: "folder/" })).toEqual([]);
      expect(await listed(storage, { prefix: "../outside/" })).toEqual([]);
      expect(await listed(storage, { prefix: "linked/" })).toEqual([]);
    }));

  it("loose files, which are a bucket without folders", () =>
    withDisk(async (storage, root) => {
      writeFileSync(join(root, "loose.txt"), "x");
      await storage.put({ bucket: "files", key: "bucket/a" }, chunks("x"));
      write(root, "a");
      expect(await listed(storage, {}, "files")).toEqual(["bucket/a", "loose.txt"]);
      expect(await listed(storage, { prefix: "bucket/" }, "files")).toEqual(["bucket/a"]);
      expect(await listed(storage, { delimiter: "/" }, "files")).toEqual(["bucket/ *", "loose.txt"]);
      expect((await storage.buckets()).map(({ name }) => name)).toEqual(["bucket", "files"]);
      await expect(storage.deleteBucket("files")).rejects.toMatchObject({ code: "BUCKET_NOT_EMPTY" });
      await expectTruth(storage, "files");
    }));
});

describe("buckets of a folder", () => {
  it("are its folders, as far as a bucket can have the name", () =>
    withDisk(async (storage, root) => {
      for (const name of ["Media Files", ".git", "-", "back\\slash"]) mkdirSync(join(root, name));
      symlinkSync(join(root, "bucket"), join(root, "link"));
      expect((await storage.buckets()).map(({ name }) => name)).toEqual(["Media Files", "bucket", "files"]);
      for (const name of ["link", "-"]) expect(await storage.hasBucket(name)).toBe(false);
      await expect(storage.createBucket("link")).rejects.toMatchObject({ code: "BUCKET_NAME_TAKEN" });
    }));

  it("are removed with the empty folders in them, and with nothing else", () =>
    withDisk(async (storage, root) => {
      mkdirSync(join(root, "bucket/a/b/c"), { recursive: true });
      symlinkSync(root, join(root, "bucket/a/link"));
      await expect(storage.deleteBucket("bucket")).rejects.toMatchObject({ code: "BUCKET_NOT_EMPTY" });
      unlinkSync(join(root, "bucket/a/link"));
      await storage.deleteBucket("bucket");
      expect(readdirSync(root)).toEqual([".daypass"]);
    }));

  it("know nothing of a file that comes back and was uploaded to an earlier bucket of the name", () =>
    withDisk(async (storage, root) => {
      const ref = { bucket: "bucket", key: "a.txt" };
      await storage.put(ref, chunks("x"), { contentType: "text/html", metadata: { of: "the earlier" } });
      renameSync(join(root, "bucket/a.txt"), join(root, "aside"));
      await storage.deleteBucket("bucket");
      await storage.createBucket("bucket");
      renameSync(join(root, "aside"), join(root, "bucket/a.txt"));
      expect(await storage.head(ref)).toMatchObject({
        size: 1,
        contentType: "text/plain; charset=utf-8",
        metadata: {},
      });
    }));

  it("come back without what was set for them when their folder was taken away by hand", async () => {
    const root = ownRoot();
    const rule = { origins: ["*"], methods: ["GET"], headers: [], exposeHeaders: [] };
    const before = await openDisk({ root });
    await before.setCorsRules("bucket", [rule]);
    await before.put({ bucket: "bucket", key: "a//b" }, chunks("x"));
    await before.close();
    rmSync(join(root, "bucket"), { recursive: true });
    await withDisk(
      async (storage) => {
        await storage.createBucket("bucket");
        expect(await storage.corsRules("bucket")).toEqual([]);
        expect(await listed(storage)).toEqual([]);
      },
      { root },
    );
  });
});

describe("an index of an earlier version", () => {
  it("is taken over, with the keys that no path holds", async () => {
    const root = ownRoot();
    const before = await openDisk({ root });
    const { etag } = await before.put({ bucket: "bucket", key: "a//b" }, chunks("x"));
    await before.put({ bucket: "bucket", key: "c" }, chunks("x"));
    await before.close();
    // What version 1 had, and nothing that came after it.
    const database = await openDatabase(join(root, ".daypass/index.db"));
    for (const table of ["names", "listed_folders", "bucket_settings", "uploads", "parts"]) {
      database.exec(`DROP TABLE ${table}`);
    }
    database.exec("ALTER TABLE objects DROP COLUMN tags; ALTER TABLE objects DROP COLUMN parts");
    database.exec("PRAGMA user_version = 1");
    database.close();
    await withDisk(
      async (storage) => {
        expect(await listed(storage)).toEqual(["a//b", "c"]);
        const { entries } = await storage.list("bucket", { prefix: "a", limit: 10 });
        expect(entries.map((entry) => (entry.kind === "object" ? entry.etag : ""))).toEqual([etag]);
      },
      { root },
    );
  });

  it("that lost the names of folders reads them again", async () => {
    const root = ownRoot();
    write(root, "a/b", "c");
    const before = await openDisk({ root });
    await listed(before);
    await before.close();
    const database = await openDatabase(join(root, ".daypass/index.db"));
    database.exec("DELETE FROM names; DELETE FROM listed_folders");
    database.close();
    await withDisk(async (storage) => expect(await listed(storage)).toEqual(["a/b", "c"]), { root });
  });
});

describe("fifty thousand files", () => {
  it("are listed once each, in a tree of folders and in one", async () => {
    const root = ownRoot();
    const keys: string[] = [];
    for (let i = 0; i < 25_000; i++) keys.push(`flat/${i}`, `tree/${i % 50}/${i % 500}/${i}`);
    const made = new Set<string>();
    for (const key of keys) {
      const path = join(root, "bucket", key);
      const folder = join(path, "..");
      if (!made.has(folder)) mkdirSync(folder, { recursive: true });
      made.add(folder);
      writeFileSync(path, "");
    }
    await withDisk(
      async (storage) => {
        const all: string[] = [];
        for (let after: ListOptions["after"], pages = 0; pages < 100; pages++) {
          const page = await storage.list("bucket", { prefix: "", limit: 1000, after });
          all.push(...page.entries.map((entry) => (entry.kind === "object" ? entry.key : "")));
          const last = page.entries.at(-1);
          if (!page.truncated || last === undefined) break;
          after = positionAfter(last);
        }
        expect(all).toEqual([...keys].sort());
        expect(await listed(storage, { delimiter: "/" })).toEqual(["flat/ *", "tree/ *"]);
        const folders = Array.from({ length: 50 }, (_, i) => `tree/${i}/ *`).sort();
        expect(await listed(storage, { delimiter: "/", prefix: "tree/" })).toEqual(folders);
        expect((await listed(storage, { delimiter: "5", prefix: "flat/" })).slice(0, 3)).toEqual([
          "flat/0",
          "flat/1",
          "flat/10",
        ]);
      },
      { root },
    );
    expect(() => statSync(root)).toThrow();
    removeRoot(root);
    // Making the files takes most of it, on a slow disk.
  }, 90_000);
});
