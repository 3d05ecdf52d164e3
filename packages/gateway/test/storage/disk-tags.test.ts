import { chmodSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { ipcIndexWriter, serveIndexWriter } from "../../src/storage/disk/index.ts";
import { connection } from "./connection.ts";
import { chunks, openDisk, openIndex, ownRoot, withDisk } from "./temp-root.ts";

/** A clock for which two seconds have passed since each change, so that files are cached at once. */
const later = () => Date.now() + 10_000;

/** Waits until the clock of the file system has advanced since the last change of a file. */
async function tick(path: string): Promise<void> {
  while (Date.now() < statSync(path).ctimeMs + 20) await new Promise((resolve) => setImmediate(resolve));
}

async function tagsInMemory(storage: Storage, key: string): Promise<unknown> {
  const object = await storage.get({ bucket: "bucket", key });
  object?.close();
  return object?.info.tags;
}

it("shows new tags of a cached file in every process", async () => {
  const root = ownRoot();
  const index = await openIndex(root);
  const { primary, worker } = connection();
  serveIndexWriter(primary, index.writer);
  const writer = ipcIndexWriter(worker);
  const [one, two] = [await openDisk({ root, writer, clock: later }), await openDisk({ root, writer, clock: later })];
  const ref = { bucket: "bucket", key: "a.txt" };
  await one.put(ref, chunks("x"), { tags: { turn: "0" } });
  for (let turn = 1; turn <= 3; turn++) {
    await tick(join(root, "bucket/a.txt"));
    for (const storage of [one, two]) {
      expect(await tagsInMemory(storage, "a.txt")).toEqual({ turn: `${turn - 1}` });
      // Otherwise, the file is not cached.
      expect(storage.getCached?.(ref)).toBeDefined();
    }
    await one.setTags(ref, { turn: `${turn}` });
    for (const storage of [one, two]) expect(await tagsInMemory(storage, "a.txt")).toEqual({ turn: `${turn}` });
  }
});

it("tags a file that was not uploaded, and keeps its bytes, times, permissions and ETag", async () => {
  await withDisk(async (storage, root) => {
    const path = join(root, "bucket/foreign.txt");
    writeFileSync(path, "foreign");
    chmodSync(path, 0o640);
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    const ref = { bucket: "bucket", key: "foreign.txt" };
    const before = await storage.head(ref);
    const { mode, mtimeNs } = statSync(path, { bigint: true });
    expect(await storage.setTags(ref, { a: "1" })).toBe(true);
    expect(await storage.head(ref)).toEqual({ ...before, tags: { a: "1" } });
    expect([statSync(path, { bigint: true }).mode, statSync(path, { bigint: true }).mtimeNs]).toEqual([mode, mtimeNs]);
    // A change by hand makes another object, without tags.
    writeFileSync(path, "changed by hand");
    expect((await storage.head(ref))?.tags).toBe(undefined);
  });
});

it("keeps the parts of a tagged object", async () => {
  await withDisk(async (storage) => {
    const ref = { bucket: "bucket", key: "big.bin" };
    const upload = await storage.createUpload(ref);
    const parts = [];
    for (const number of [1, 2]) {
      const { etag } = await storage.putPart(upload, number, chunks("12345"), { contentLength: 5 });
      parts.push({ number, etag });
    }
    await storage.completeUpload(upload, parts, { minPartSize: 0 });
    await storage.setTags(ref, { a: "1" });
    expect(await storage.head(ref, { parts: true })).toMatchObject({
      tags: { a: "1" },
      parts: [{ size: 5 }, { size: 5 }],
    });
  });
});
