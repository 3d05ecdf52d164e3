/** Which files of a root are objects, and how a key is kept inside of it. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { disk, servedFiles } from "../../src/storage/disk/index.ts";
import { modifiedAt } from "../../src/storage/disk/objects/open-file.ts";
import { contents } from "../../src/testing/contract-tools.ts";
import { chunks, leakedTemps, openDisk, ownRoot, removeRoot } from "./temp-root.ts";

const inFiles = (key: string) => ({ bucket: "files", key });
const inBucket = (key: string) => ({ bucket: "bucket", key });

/** Writes files by their path below a root, with the path as content. */
function write(root: string, ...paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), path);
  }
}

async function opened(...files: readonly string[]): Promise<{ readonly root: string; readonly storage: Storage }> {
  const root = ownRoot();
  write(root, ...files);
  return { root, storage: await openDisk({ root }) };
}

it("serves each folder as a bucket, and the loose files as the bucket files", async () => {
  const { storage } = await opened("media/talks/a b.txt", "loose.txt");
  expect(await contents(storage, "media", "talks/a b.txt")).toBe("media/talks/a b.txt");
  expect(await contents(storage, "files", "loose.txt")).toBe("loose.txt");
  expect(await storage.hasBucket("files")).toBe(true);
  expect(await storage.hasBucket("loose.txt")).toBe(false);
});

it("gives a file that was not uploaded an ETag that is no MD5, and a new one when it changes", async () => {
  const { root, storage } = await opened("bucket/a.html");
  const first = await storage.head(inBucket("a.html"));
  expect(first).toMatchObject({
    etag: expect.stringMatching(/^[0-9a-f]{32}-f$/),
    contentType: "text/html; charset=utf-8",
  });
  utimesSync(join(root, "bucket/a.html"), 1, 1);
  const second = await storage.head(inBucket("a.html"));
  expect(second?.etag).not.toBe(first?.etag);
  expect(second?.lastModified).toEqual(new Date(1000));
});

it("drops the metadata of an upload when another program replaces its file", async () => {
  const { root, storage } = await opened();
  await storage.put(inBucket("a.txt"), chunks("uploaded"), { metadata: { a: "1" } });
  writeFileSync(join(root, "bucket/a.txt"), "by hand");
  expect(await contents(storage, "bucket", "a.txt")).toBe("by hand");
  expect(await storage.head(inBucket("a.txt"))).toMatchObject({ metadata: {}, etag: expect.stringMatching(/-f$/) });
});

it("finds uploads and their metadata after a restart", async () => {
  const { root, storage } = await opened();
  const info = await storage.put(inBucket("a//b"), chunks("x"), { metadata: { a: "1" } });
  await storage.close();
  expect(await (await openDisk({ root })).head(inBucket("a//b"))).toEqual(info);
});

it("keeps uploads to the loose files out of the other buckets", async () => {
  const { root, storage } = await opened();
  for (const key of ["bucket/a.txt", "bucket", "plain.txt"]) await storage.put(inFiles(key), chunks(key));
  expect(await storage.head(inBucket("a.txt"))).toBeUndefined();
  for (const key of ["bucket/a.txt", "bucket"]) expect(await contents(storage, "files", key)).toBe(key);
  expect(readFileSync(join(root, "plain.txt"), "utf8")).toBe("plain.txt");
});

it("serves a folder files as the bucket of that name from the next start", async () => {
  const { root, storage } = await opened("loose.txt");
  write(root, "files/a.txt");
  expect(await contents(storage, "files", "loose.txt")).toBe("loose.txt");
  // Later processes follow the decision of the start.
  expect(servedFiles(root)(["loose.txt"])).toEqual(inFiles("loose.txt"));
  await storage.close();
  const next = await openDisk({ root });
  expect(await contents(next, "files", "a.txt")).toBe("files/a.txt");
  expect(await contents(next, "files", "loose.txt")).toBeUndefined();
  rmSync(join(root, "files"), { recursive: true });
  await expect(next.head(inFiles("loose.txt"))).rejects.toMatchObject({ code: "NO_SUCH_BUCKET" });
  await next.createBucket("files");
  await next.put(inFiles("d/e.txt"), chunks("new"));
  expect(readFileSync(join(root, "files/d/e.txt"), "utf8")).toBe("new");
});

it("refuses to start if a new folder files would hide uploads among the loose files", async () => {
  const { root, storage } = await opened();
  await storage.put(inFiles("up.txt"), chunks("uploaded"));
  write(root, "files/up.txt");
  expect(await contents(storage, "files", "up.txt")).toBe("uploaded");
  await storage.close();
  for (let start = 0; start < 2; start++) {
    const refused = { code: "UNAVAILABLE", message: expect.stringContaining("Rename that folder") };
    await expect(disk({ root })).rejects.toMatchObject(refused);
  }
  renameSync(join(root, "files"), join(root, "renamed"));
  expect(await contents(await openDisk({ root }), "files", "up.txt")).toBe("uploaded");
});

it("serves nothing outside of a bucket's folder, whatever the key", async () => {
  const { storage } = await opened("secret");
  const keys = ["../secret", "..", "./../secret", "a/../../secret", "/etc/passwd", "..\\secret", "%2e%2e/secret"];
  for (const key of keys) expect(await storage.get(inBucket(key))).toBeUndefined();
  for (const bucket of ["..", ".", "bucket/..", "", "/", "bucket\0"]) {
    await expect(storage.get({ bucket, key: "etc/passwd" })).rejects.toMatchObject({ code: "NO_SUCH_BUCKET" });
  }
});

it("serves neither its own folder nor an unfinished upload", async () => {
  const { root, storage } = await opened("bucket/.daypass-00-00.tmp");
  expect(existsSync(join(root, ".daypass/index.db"))).toBe(true);
  const own = storage.get({ bucket: ".daypass", key: "index.db" });
  await expect(own).rejects.toMatchObject({ code: "NO_SUCH_BUCKET" });
  expect(await storage.get(inFiles(".daypass/index.db"))).toBeUndefined();
  expect(await storage.get(inBucket(".daypass-00-00.tmp"))).toBeUndefined();
});

// CVE-2026-54094 (filebrowser): a symbolic link inside the share led out of it.
it("follows no symbolic link, at the end of a path or on the way", async () => {
  const outside = ownRoot();
  write(outside, "bucket/secret.txt");
  const { root, storage } = await opened("bucket/inside.txt");
  const links = {
    "bucket/link.txt": join(outside, "bucket/secret.txt"),
    "bucket/folder": join(outside, "bucket"),
    "bucket/again.txt": "link.txt",
    "bucket/also-inside.txt": "inside.txt",
    linked: join(outside, "bucket"),
  };
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(root, path));
  for (const key of ["link.txt", "folder/secret.txt", "again.txt", "also-inside.txt"]) {
    expect(await storage.get(inBucket(key))).toBeUndefined();
    expect(await storage.head(inBucket(key))).toBeUndefined();
    expect(await storage.delete(inBucket(key))).toBe(false);
  }
  const linked = storage.get({ bucket: "linked", key: "secret.txt" });
  await expect(linked).rejects.toMatchObject({ code: "NO_SUCH_BUCKET" });
  expect(readFileSync(join(outside, "bucket/secret.txt"), "utf8")).toBe("bucket/secret.txt");
});

it("writes through no symbolic link, and keeps the link", async () => {
  const outside = ownRoot();
  write(outside, "bucket/secret.txt");
  const { root, storage } = await opened();
  symlinkSync(join(outside, "bucket"), join(root, "bucket/folder"));
  symlinkSync(join(outside, "bucket/secret.txt"), join(root, "bucket/link.txt"));
  for (const key of ["folder/secret.txt", "folder/new/deep.txt", "link.txt"]) {
    await storage.put(inBucket(key), chunks("uploaded"));
    expect(await contents(storage, "bucket", key)).toBe("uploaded");
  }
  expect(readFileSync(join(root, "bucket/link.txt"), "utf8")).toBe("bucket/secret.txt");
  expect(existsSync(join(outside, "bucket/new"))).toBe(false);
  expect(leakedTemps(outside)).toEqual([]);
});

it("drops a cached file when a symbolic link replaces its folder", async () => {
  const root = ownRoot();
  write(root, "bucket/folder/a.txt", "other/a.txt");
  const storage = await openDisk({ root, clock: () => Date.now() + 10_000 });
  const ref = inBucket("folder/a.txt");
  await storage.get(ref);
  expect(storage.getCached?.(ref)).toBeDefined();
  rmSync(join(root, "bucket/folder"), { recursive: true });
  symlinkSync(join(root, "other"), join(root, "bucket/folder"));
  expect(storage.getCached?.(ref)).toBeUndefined();
  expect(await storage.get(ref)).toBeUndefined();
});

it.each(["fifo", "folder", "socket"])("treats a %s as missing, without waiting for it", async (key) => {
  const { root, storage } = await opened();
  execFileSync("mkfifo", [join(root, "bucket/fifo")]);
  mkdirSync(join(root, "bucket/folder"));
  const server = createServer().listen(join(root, "bucket/socket"));
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  expect(await storage.get(inBucket(key))).toBeUndefined();
  expect(await storage.head(inBucket(key))).toBeUndefined();
  expect(await storage.delete(inBucket(key))).toBe(false);
  await storage.put(inBucket(key), chunks("beside it"));
  expect(await contents(storage, "bucket", key)).toBe("beside it");
});

it("stores names that a folding file system would change or refuse under their hash", async () => {
  const root = ownRoot();
  // disk-folded-names.peers.test.ts mounts one. Here, only the probe has a second spelling.
  write(root, ".daypass/probe-\u00e9");
  const storage = await openDisk({ root });
  for (const key of ["con", "a:b", "ends.", "Plain"]) {
    await storage.put(inBucket(key), chunks(key));
    expect(await contents(storage, "bucket", key)).toBe(key);
  }
  expect(readdirSync(join(root, "bucket"))).toEqual(["Plain"]);
});

const LAST = "9999-12-31T23:59:59.999Z";
const FIRST = "0001-01-01T00:00:00.000Z";
it.each([
  [0n, "1970-01-01T00:00:00.000Z"],
  [-1_500_000n, "1969-12-31T23:59:59.999Z"],
  [1_999_999n, "1970-01-01T00:00:00.001Z"],
  [253_402_300_799_999_999_999n, LAST],
  [253_402_300_800_000_000_000n, LAST],
  [2n ** 63n * 10n ** 9n, LAST],
  [-62_135_596_800_000_000_000n, FIRST],
  [-(2n ** 63n) * 10n ** 9n, FIRST],
])("reads %s nanoseconds as %s", (time, text) => {
  expect(modifiedAt(time).toISOString()).toBe(text);
});

// The disk of the machine may limit times itself.
it.skipIf(!existsSync("/dev/shm"))("lists a file whose time no date can express", async () => {
  const root = mkdtempSync(join("/dev/shm", "daypass-times-"));
  onTestFinished(() => removeRoot(root));
  write(root, "bucket/a");
  execFileSync("touch", ["-d", "@9000000000000", join(root, "bucket/a")]);
  // Otherwise the disk has limited the time.
  expect(statSync(join(root, "bucket/a"), { bigint: true }).mtimeNs / 1_000_000_000n).toBe(9_000_000_000_000n);
  const storage = await openDisk({ root });
  const { entries } = await storage.list("bucket", { prefix: "", limit: 10 });
  const listed = entries.map((entry) => (entry.kind === "object" ? entry.lastModified.toISOString() : undefined));
  expect([...listed, (await storage.head(inBucket("a")))?.lastModified.toISOString()]).toEqual([LAST, LAST]);
});
