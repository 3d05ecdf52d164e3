/** Roots that were copied or restored from a backup. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openDatabase } from "../../src/sqlite/database.ts";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { chunks, openDisk, ownRoot } from "./temp-root.ts";

const PLAIN = { bucket: "bucket", key: "a/plain.bin" };
const HASHED = { bucket: "bucket", key: "a//b" };
const IN_PARTS = { bucket: "bucket", key: "parts" };
const OPTIONS = { contentType: "text/x-own", metadata: { who: "me" }, tags: { a: "b" }, headers: {} } as const;
const FOREIGN = expect.stringMatching(/-f$/);

async function seen(storage: Storage) {
  const infos = [];
  for (const ref of [PLAIN, HASHED, IN_PARTS]) infos.push(await storage.head(ref, { parts: true }));
  return infos;
}

/** Runs a step on storage that is open meanwhile. */
async function opened<T>(root: string, step: (storage: Storage) => Promise<T>): Promise<T> {
  const storage = await openDisk({ root });
  const result = await step(storage);
  await storage.close();
  return result;
}

async function fill(storage: Storage) {
  for (const ref of [PLAIN, HASHED]) await storage.put(ref, chunks("hello"), OPTIONS);
  const upload = await storage.createUpload(IN_PARTS, OPTIONS);
  const part = await storage.putPart(upload, 1, chunks("part"), {});
  await storage.completeUpload(upload, [{ number: 1, etag: part.etag }], { minPartSize: 1 });
  return seen(storage);
}

function copy(from: string, to: string): void {
  rmSync(to, { recursive: true });
  execFileSync("cp", ["-a", from, to]);
}

it("keeps ETags, metadata, checksums, tags, parts and times in a copy, and in a copy of it", async () => {
  const [root, place] = [ownRoot(), ownRoot()];
  const before = await opened(root, fill);
  expect(before[0]).toMatchObject({ metadata: { who: "me" }, contentType: "text/x-own", tags: { a: "b" } });
  copy(root, place);
  for (let start = 0; start < 2; start++) expect(await opened(place, seen)).toEqual(before);
  copy(place, root);
  expect(await opened(root, seen)).toEqual(before);
});

it("restores metadata from a backup that was copied over its own root", async () => {
  const [root, backup] = [ownRoot(), ownRoot()];
  const before = await opened(root, fill);
  copy(root, backup);
  utimesSync(join(backup, ".daypass/index-file"), 0, 0);
  // The moved file keeps its inode, so the restored one has another.
  renameSync(join(root, "bucket/a/plain.bin"), join(root, "bucket/a/moved.bin"));
  const index = lstatSync(join(root, ".daypass/index.db")).ino;
  execFileSync("cp", ["-a", `${backup}/.`, root]);
  expect(lstatSync(join(root, ".daypass/index.db")).ino).toBe(index);
  expect(await opened(root, seen)).toEqual(before);
});

it("continues a multipart upload in a copy", async () => {
  const [root, place] = [ownRoot(), ownRoot()];
  const [upload, first] = await opened(root, async (storage) => {
    const begun = await storage.createUpload(IN_PARTS, OPTIONS);
    return [begun, await storage.putPart(begun, 1, chunks("aaaa"), {})] as const;
  });
  copy(root, place);
  await opened(place, async (again) => {
    const second = await again.putPart(upload, 2, chunks("b"), {});
    const parts = [first, second].map(({ etag }, at) => ({ number: at + 1, etag }));
    await again.completeUpload(upload, parts, { minPartSize: 1 });
    expect(await again.head(IN_PARTS)).toMatchObject({ size: 5, metadata: { who: "me" } });
  });
});

it("serves files that differ from a saved index as files that were not uploaded", async () => {
  const [root, place, saved] = [ownRoot(), ownRoot(), join(ownRoot(), "index.db")];
  const storage = await openDisk({ root });
  const before = await fill(storage);
  const index = await openDatabase(join(root, ".daypass/index.db"), { readOnly: true });
  index.exec(`VACUUM INTO '${saved}'`);
  index.close();
  await storage.put(PLAIN, chunks("other"), { metadata: { who: "another" } });
  await storage.put({ ...PLAIN, key: "late" }, chunks("late"), OPTIONS);
  copy(root, place);
  for (const name of readdirSync(join(place, ".daypass")))
    if (name.startsWith("index.db")) rmSync(join(place, ".daypass", name));
  renameSync(saved, join(place, ".daypass/index.db"));
  await opened(place, async (again) => {
    expect(await again.head(PLAIN)).toMatchObject({ etag: FOREIGN, metadata: {} });
    expect(await again.head({ ...PLAIN, key: "late" })).toMatchObject({ size: 4, metadata: {} });
    expect((await seen(again)).slice(1)).toEqual(before.slice(1));
  });
});

it("matches size and time only in a copy", async () => {
  const [root, place] = [ownRoot(), ownRoot()];
  await opened(root, fill);
  const path = join(root, "bucket/a/plain.bin");
  // Replaces the file like `cp -p`: with the same size and time.
  execFileSync("touch", ["-r", path, `${root}/time`]);
  writeFileSync(`${path}.new`, "hullo");
  execFileSync("touch", ["-r", `${root}/time`, `${path}.new`]);
  renameSync(`${path}.new`, path);
  const head = (storage: Storage) => storage.head(PLAIN);
  expect(await opened(root, head)).toMatchObject({ etag: FOREIGN });
  copy(root, place);
  utimesSync(join(place, "bucket/a/plain.bin"), 0, 0);
  expect(await opened(place, head)).toMatchObject({ metadata: {} });
});

/** The digests of all files below a folder, without the shared memory of SQLite. */
function digestsOf(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => !name.endsWith("-shm"));
  const files = names.filter((name) => statSync(join(folder, name)).isFile()).toSorted();
  const digest = (name: string) =>
    createHash("sha256")
      .update(readFileSync(join(folder, name)))
      .digest("hex");
  return Object.fromEntries(files.map((name) => [name, digest(name)]));
}

it("refuses the index of a later release without changing a byte, and serves the files without it", async () => {
  const root = ownRoot();
  await opened(root, fill);
  const index = join(root, ".daypass/index.db");
  const newer = await openDatabase(index);
  newer.exec("PRAGMA user_version = 99");
  newer.close();
  const before = digestsOf(root);
  await expect(disk({ root })).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringContaining("version 99, but this gateway reads version 3: a later release wrote it"),
  });
  expect(digestsOf(root)).toEqual(before);
  for (const suffix of ["", "-wal", "-shm"]) rmSync(index + suffix, { force: true });
  await opened(root, async (storage) => {
    expect(await seen(storage)).toMatchObject([PLAIN, HASHED, IN_PARTS].map(() => ({ metadata: {} })));
    const { entries } = await storage.list("bucket", { limit: 10, prefix: "" });
    expect(entries.map((entry) => "key" in entry && entry.key)).toEqual([PLAIN.key, IN_PARTS.key]);
  });
});
