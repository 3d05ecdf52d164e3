import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openDatabase } from "../../src/sqlite/database.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { hashedPath } from "../../src/storage/disk/objects/key-path.ts";
import { chunks, openDisk, ownRoot } from "./temp-root.ts";

/** The tables of version 1, as it made them. */
const VERSION_1 = `
  PRAGMA journal_mode = WAL;
  CREATE TABLE objects (
    bucket TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, settled INTEGER NOT NULL, etag TEXT NOT NULL,
    content_type TEXT NOT NULL, headers TEXT, metadata TEXT, checksums TEXT, PRIMARY KEY (bucket, key, fingerprint)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX unsettled ON objects (bucket, key) WHERE settled = 0;
  CREATE TABLE folders (path TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE gateway (run TEXT NOT NULL) STRICT;
  PRAGMA user_version = 1;
`;

/** A root with an index of version 1, which has a row for each of these keys. */
async function olderRoot(paths: Readonly<Record<string, (root: string) => string>>): Promise<string> {
  const root = ownRoot();
  mkdirSync(join(root, ".daypass"));
  const database = await openDatabase(join(root, ".daypass/index.db"));
  database.exec(VERSION_1);
  const insert = database.prepare(
    "INSERT INTO objects VALUES ('bucket', ?, ?, 1, 'the etag', 'x/y', NULL, '{\"a\":\"1\"}', NULL)",
  );
  for (const [key, pathIn] of Object.entries(paths)) {
    const path = pathIn(root);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, "uploaded");
    const { ino, size, mtimeNs } = statSync(path, { bigint: true });
    insert.run(key, `${ino}:${size}:${mtimeNs}`);
  }
  database.close();
  return root;
}

it("migrates the index of an earlier version with all its rows", async () => {
  const root = await olderRoot({
    "a.txt": (folder) => join(folder, "bucket/a.txt"),
    "a//b": (folder) => hashedPath(folder, "bucket", "a//b"),
  });
  const ref = { bucket: "bucket", key: "a.txt" };
  const big = { bucket: "bucket", key: "big.bin" };
  const storage = await openDisk({ root });
  const info = await storage.head(ref, { parts: true });
  expect(info).toMatchObject({ etag: "the etag", contentType: "x/y", metadata: { a: "1" }, checksums: {} });
  expect([info?.tags, info?.parts]).toEqual([undefined, undefined]);
  await storage.setTags(ref, { b: "2" });
  const upload = await storage.createUpload(big);
  const { etag } = await storage.putPart(upload, 1, chunks("part"), { contentLength: 4 });
  await storage.completeUpload(upload, [{ number: 1, etag }], { minPartSize: 0 });
  await storage.close();
  const again = await openDisk({ root });
  expect((await again.head(ref))?.tags).toEqual({ b: "2" });
  expect((await again.head(big, { parts: true }))?.parts).toEqual([{ size: 4 }]);
  const { entries } = await again.list("bucket", { prefix: "", limit: 10 });
  expect(entries.map((entry) => entry.kind === "object" && [entry.key, entry.etag])).toEqual([
    ["a.txt", "the etag"],
    ["a//b", "the etag"],
    ["big.bin", expect.stringMatching(/-1$/)],
  ]);
});

it("gives a migrated index the tables of a new one", async () => {
  const schemaOf = async (root: string) => {
    await (await disk({ root })).close();
    const database = await openDatabase(join(root, ".daypass/index.db"), { readOnly: true });
    const rows = database.prepare("SELECT type, name FROM sqlite_schema ORDER BY type, name").all();
    const columns = database.prepare("SELECT name FROM pragma_table_info('objects') ORDER BY name").all();
    database.close();
    return [rows, columns].map((list) => list.map((row) => Object.values(row)));
  };
  expect(await schemaOf(await olderRoot({}))).toEqual(await schemaOf(ownRoot()));
});
