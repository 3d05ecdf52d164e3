import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../../src/sqlite/database.ts";
import { type ListOptions, positionAfter } from "../../src/storage/contract/listing.ts";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { chunks, openDisk, openIndex, ownRoot, withDisk } from "./temp-root.ts";

async function listed(storage: Storage, options: Partial<ListOptions> = {}, bucket = "bucket"): Promise<string[]> {
  const { entries } = await storage.list(bucket, { prefix: "", limit: 1000, ...options });
  return entries.map((entry) => (entry.kind === "object" ? entry.key : `${entry.prefix} *`));
}

/** Compares each listed object with `head`. */
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

/** A clock for which no change is recent. A recently changed folder is read again. */
const longAfter = (): number => Date.now() + 10_000;

function write(root: string, ...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(root, "bucket", path, ".."), { recursive: true });
    writeFileSync(join(root, "bucket", path), path);
  }
}

describe("a listing of a folder that other programs change", () => {
  it("shows existing files, uploads and keys that no path can hold", () =>
    withDisk(async (storage, root) => {
      write(root, "b.txt", "a/1.png", "a/2/3.txt", "a-file", "c/d/e/f");
      await storage.put({ bucket: "bucket", key: "a/up" }, chunks("x"));
      await storage.put({ bucket: "bucket", key: "a//hash" }, chunks("x"));
      expect(await listed(storage)).toEqual(["a-file", "a//hash", "a/1.png", "a/2/3.txt", "a/up", "b.txt", "c/d/e/f"]);
      expect(await listed(storage, { delimiter: "/" })).toEqual(["a-file", "a/ *", "b.txt", "c/ *"]);
      expect(await listed(storage, { prefix: "a/2" })).toEqual(["a/2/3.txt"]);
      await expectTruth(storage);
    }));

  it("shows files that appear, disappear, move and change, in folders of any depth", () =>
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

  it("shows a prefix whose known files are gone if new ones exist below it", () =>
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

  it("shows a prefix whose known file is gone if a new one precedes it", () =>
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

  it("shows a new file in a folder between the last keys of a page", () =>
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

  it("shows new files in more folders than one step checks, and each key once", () =>
    withDisk(
      async (storage, root) => {
        const folders = Array.from({ length: 600 }, (_, i) => `f${String(i).padStart(3, "0")}/`);
        for (const folder of folders) mkdirSync(join(root, "bucket", folder));
        write(root, "a", "z");
        // Each of the keys is also the name of a folder. The first step ends with 256 folders.
        const keys = ["f254/", "f255/", "f450/", "f599/"];
        for (const key of keys) await storage.put({ bucket: "bucket", key }, chunks("x"));
        expect(await listed(storage)).toEqual(["a", ...keys, "z"]);
        write(root, "f500/new", "f599/new");
        const all = ["a", "f254/", "f255/", "f450/", "f500/new", "f599/", "f599/new", "z"];
        for (let time = 0; time < 2; time++) expect(await listed(storage)).toEqual(all);
        const rolled = ["a", "f254/ *", "f255/ *", "f450/ *", "f500/ *", "f599/ *", "z"];
        expect(await listed(storage, { delimiter: "/" })).toEqual(rolled);
        unlinkSync(join(root, "bucket/f500/new"));
        expect(await listed(storage, { delimiter: "/" })).toEqual(rolled.filter((name) => name !== "f500/ *"));
      },
      { clock: longAfter },
    ));

  it("reports more entries if a page has as many as one step checks", () =>
    withDisk(async (storage, root) => {
      const keys = Array.from({ length: 300 }, (_, i) => `k${String(i).padStart(3, "0")}`);
      write(root, ...keys);
      const { entries, truncated } = await storage.list("bucket", { prefix: "", limit: 256 });
      expect([entries.length, truncated]).toEqual([256, true]);
    }));

  it("removes names without a file from the index, but none of an upload in progress", async () => {
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
    // An upload that is about to store its file, and two that stored theirs after the listing.
    const ref = { bucket: "bucket", key: "a//coming" };
    const row = { ref, fingerprint: "1", etag: "e", contentType: "t", headers: {}, metadata: {}, checksums: {} };
    const claim = await index.writer.claim(ref, { kind: "put", row });
    await index.writer.forget("bucket", ["a//coming", "by//hash", "plain"]);
    expect(names()).toEqual(["a//coming", "by//hash", "plain"]);
    claim.finish("abandoned");
  });

  it("shows an upload that another program has overwritten or restored", () =>
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

  it("omits links, devices, the gateway's own names, and names that no key can have", () =>
    withDisk(async (storage, root) => {
      const bucket = join(root, "bucket");
      mkdirSync(join(root, "outside"));
      writeFileSync(join(root, "outside/secret"), "secret");
      write(root, "a", "folder/b", ".daypass-x", ".daypass/c", "line\nbreak", "back\\slash", ".hidden");
      symlinkSync(join(root, "outside"), join(bucket, "linked"));
      symlinkSync(join(root, "outside/secret"), join(bucket, "link"));
      execFileSync("mkfifo", [join(bucket, "fifo")]);
      expect(await listed(storage)).toEqual([".hidden", "a", "folder/b"]);
      // CVE-2026-54094: a folder that becomes a link after it was read must not show the target.
      writeFileSync(join(root, "outside/b"), "of another");
      rmSync(join(bucket, "folder"), { recursive: true });
      symlinkSync(join(root, "outside"), join(bucket, "folder"));
      expect(await listed(storage)).toEqual([".hidden", "a"]);
      expect(await listed(storage, { delimiter: "/" })).toEqual([".hidden", "a"]);
      expect(await listed(storage, { prefix: "folder/" })).toEqual([]);
      expect(await listed(storage, { prefix: "../outside/" })).toEqual([]);
      expect(await listed(storage, { prefix: "linked/" })).toEqual([]);
    }));

  it("shows the loose files as a bucket without folders", () =>
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

describe("the buckets of a root", () => {
  it("are its folders whose names a bucket can have", () =>
    withDisk(async (storage, root) => {
      for (const name of ["Media Files", ".git", "-", "back\\slash"]) mkdirSync(join(root, name));
      symlinkSync(join(root, "bucket"), join(root, "link"));
      expect((await storage.buckets()).map(({ name }) => name)).toEqual(["Media Files", "bucket", "files"]);
      for (const name of ["link", "-"]) expect(await storage.hasBucket(name)).toBe(false);
      await expect(storage.createBucket("link")).rejects.toMatchObject({ code: "BUCKET_NAME_TAKEN" });
    }));

  it("are removed with empty folders in them, but not with a link", () =>
    withDisk(async (storage, root) => {
      mkdirSync(join(root, "bucket/a/b/c"), { recursive: true });
      symlinkSync(root, join(root, "bucket/a/link"));
      await expect(storage.deleteBucket("bucket")).rejects.toMatchObject({ code: "BUCKET_NOT_EMPTY" });
      unlinkSync(join(root, "bucket/a/link"));
      await storage.deleteBucket("bucket");
      expect(readdirSync(root)).toEqual([".daypass"]);
    }));

  it("drop the metadata of an earlier bucket of the same name", () =>
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

  it("drop the settings of a bucket whose folder was removed by hand", async () => {
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

it("reads the folders again if the index lost their names", async () => {
  const root = ownRoot();
  write(root, "a/b", "c");
  const before = await openDisk({ root });
  await listed(before);
  await before.close();
  const database = await openDatabase(join(root, ".daypass/index.db"));
  database.exec("DELETE FROM names; DELETE FROM listed_folders");
  database.close();
  expect(await listed(await openDisk({ root }))).toEqual(["a/b", "c"]);
});

it("lists ten thousand files once each, in a tree of folders and in one", async () => {
  const root = ownRoot();
  const keys = Array.from({ length: 5000 }, (_, i) => [`flat/${i}`, `tree/${i % 50}/${i % 500}/${i}`]).flat();
  write(root, ...keys);
  const storage = await openDisk({ root });
  const all: string[] = [];
  for (let after: ListOptions["after"], pages = 0; pages < 100; pages++) {
    const page = await storage.list("bucket", { prefix: "", limit: 1000, after });
    all.push(...page.entries.map((entry) => (entry.kind === "object" ? entry.key : "")));
    const last = page.entries.at(-1);
    if (!page.truncated || last === undefined) break;
    after = positionAfter(last);
  }
  expect(all).toEqual(keys.sort());
  expect(await listed(storage, { delimiter: "/" })).toEqual(["flat/ *", "tree/ *"]);
  const folders = Array.from({ length: 50 }, (_, i) => `tree/${i}/ *`).sort();
  expect(await listed(storage, { delimiter: "/", prefix: "tree/" })).toEqual(folders);
  const first = await listed(storage, { delimiter: "5", prefix: "flat/", limit: 3 });
  expect(first).toEqual(["flat/0", "flat/1", "flat/10"]);
});
