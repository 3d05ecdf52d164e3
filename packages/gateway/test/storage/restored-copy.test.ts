import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { openDatabase } from "../../src/storage/disk/database/sqlite.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { chunks, ownRoot } from "./temp-root.ts";

const PLAIN = { bucket: "bucket", key: "a/plain.bin" };
const HASHED = { bucket: "bucket", key: "a//b" };
const IN_PARTS = { bucket: "bucket", key: "parts" };
const OPTIONS = { contentType: "text/x-own", metadata: { who: "me" }, tags: { a: "b" }, headers: {} } as const;

async function fill(storage: Storage): Promise<void> {
  for (const ref of [PLAIN, HASHED]) await storage.put(ref, chunks("hello"), OPTIONS);
  const upload = await storage.createUpload(IN_PARTS, OPTIONS);
  const part = await storage.putPart(upload, 1, chunks("part"), {});
  await storage.completeUpload(upload, [{ number: 1, etag: part.etag }], { minPartSize: 1 });
}

async function seen(storage: Storage) {
  const infos = [];
  for (const ref of [PLAIN, HASHED, IN_PARTS]) infos.push(await storage.head(ref, { parts: true }));
  return infos;
}

async function opened<T>(root: string, work: (storage: Storage) => Promise<T>): Promise<T> {
  const storage = await disk({ root });
  try {
    return await work(storage);
  } finally {
    await storage.close();
  }
}

const copy = (from: string, to: string): void => {
  rmSync(to, { recursive: true });
  execFileSync("cp", ["-a", from, to]);
};

it("a root that was copied file by file knows its uploads: ETag, type, metadata, checksums, tags, parts and time", async () => {
  const [root, place] = [ownRoot(), ownRoot()];
  const before = await opened(root, async (storage) => {
    await fill(storage);
    return seen(storage);
  });
  expect(before[0]).toMatchObject({ metadata: { who: "me" }, contentType: "text/x-own", tags: { a: "b" } });
  copy(root, place);
  expect(await opened(place, seen)).toEqual(before);
  // Also at the next start, and in a copy of the copy.
  expect(await opened(place, seen)).toEqual(before);
  copy(place, root);
  expect(await opened(root, seen)).toEqual(before);
});

it("a backup that was copied over the root it was made of gives back what is gone since", async () => {
  const [root, backup] = [ownRoot(), ownRoot()];
  const before = await opened(root, async (storage) => {
    await fill(storage);
    return seen(storage);
  });
  copy(root, backup);
  utimesSync(join(backup, ".daypass/index-file"), 0, 0);
  // It keeps its inode, so the file that comes back has another one.
  renameSync(join(root, "bucket/a/plain.bin"), join(root, "bucket/a/moved.bin"));
  const index = lstatSync(join(root, ".daypass/index.db")).ino;
  execFileSync("cp", ["-a", `${backup}/.`, root]);
  expect(lstatSync(join(root, ".daypass/index.db")).ino).toBe(index);
  expect(await opened(root, seen)).toEqual(before);
});

it("an upload in parts that was under way goes on in the copy", async () => {
  const [root, place] = [ownRoot(), ownRoot()];
  const storage = await disk({ root });
  const upload = await storage.createUpload(IN_PARTS, OPTIONS);
  const first = await storage.putPart(upload, 1, chunks("aaaa"), {});
  await storage.close();
  copy(root, place);
  await opened(place, async (again) => {
    const second = await again.putPart(upload, 2, chunks("b"), {});
    const parts = [first, second].map(({ etag }, at) => ({ number: at + 1, etag }));
    await again.completeUpload(upload, parts, { minPartSize: 1 });
    expect(await again.head(IN_PARTS)).toMatchObject({ size: 5, metadata: { who: "me" } });
  });
});

it("of a copy that was made while the gateway stores, by a copy of the index, what is not as the index says is a stranger's", async () => {
  const [root, place] = [ownRoot(), ownRoot()];
  const storage = await disk({ root });
  onTestFinished(() => storage.close());
  await fill(storage);
  const before = await seen(storage);
  const index = await openDatabase(join(root, ".daypass/index.db"), { readOnly: true });
  const saved = join(ownRoot(), "index.db");
  index.exec(`VACUUM INTO '${saved}'`);
  index.close();
  await storage.put(PLAIN, chunks("other"), { metadata: { who: "another" } });
  await storage.put({ ...PLAIN, key: "late" }, chunks("late"), OPTIONS);
  copy(root, place);
  for (const name of readdirSync(join(place, ".daypass")))
    if (name.startsWith("index.db")) rmSync(join(place, ".daypass", name));
  renameSync(saved, join(place, ".daypass/index.db"));
  await opened(place, async (again) => {
    expect(await again.head(PLAIN)).toMatchObject({ etag: expect.stringMatching(/-f$/), metadata: {} });
    expect(await again.head({ ...PLAIN, key: "late" })).toMatchObject({ size: 4, metadata: {} });
    expect((await seen(again)).slice(1)).toEqual(before.slice(1));
  });
});

it("a file with the size and time of an upload is that upload in a copy alone", async () => {
  const root = ownRoot();
  await opened(root, fill);
  const path = join(root, "bucket/a/plain.bin");
  // As `cp -p` does.
  const put = (bytes: string): void => {
    execFileSync("touch", ["-r", path, `${root}/time`]);
    writeFileSync(`${path}.new`, bytes);
    execFileSync("touch", ["-r", `${root}/time`, `${path}.new`]);
    renameSync(`${path}.new`, path);
  };
  put("hullo");
  expect(await opened(root, (storage) => storage.head(PLAIN))).toMatchObject({ etag: expect.stringMatching(/-f$/) });
  const place = ownRoot();
  copy(root, place);
  utimesSync(join(place, "bucket/a/plain.bin"), 0, 0);
  expect(await opened(place, (storage) => storage.head(PLAIN))).toMatchObject({ metadata: {} });
});

/** All that a folder holds, by name. */
function bytesOf(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  // What processes that have SQLite's index open share in memory, and make anew.
  const kept = names.filter((name) => !name.endsWith("-shm"));
  const files = kept.filter((name) => statSync(join(folder, name)).isFile()).toSorted();
  const digest = (name: string) =>
    createHash("sha256")
      .update(readFileSync(join(folder, name)))
      .digest("hex");
  return Object.fromEntries(files.map((name) => [name, digest(name)]));
}

it("an index of a later release is refused, and not a byte is changed; without it all is there but what it knew", async () => {
  const root = ownRoot();
  await opened(root, fill);
  const index = join(root, ".daypass/index.db");
  const newer = await openDatabase(index);
  newer.exec("PRAGMA user_version = 99");
  newer.close();
  const before = bytesOf(root);
  await expect(disk({ root })).rejects.toThrow("a later release wrote it");
  expect(bytesOf(root)).toEqual(before);
  for (const suffix of ["", "-wal", "-shm"]) rmSync(index + suffix, { force: true });
  await opened(root, async (storage) => {
    expect(await seen(storage)).toMatchObject([PLAIN, HASHED, IN_PARTS].map(() => ({ metadata: {} })));
    const { entries } = await storage.list("bucket", { limit: 10, prefix: "" });
    expect(entries.map((entry) => "key" in entry && entry.key)).toEqual([PLAIN.key, IN_PARTS.key]);
  });
});
