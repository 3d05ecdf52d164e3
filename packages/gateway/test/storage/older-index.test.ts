import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../../src/storage/disk/database/sqlite.ts";
import { chunks, openDisk, ownRoot } from "./temp-root.ts";

const PART = 10_000;
const ref = { bucket: "bucket", key: "big.bin" };

describe("the index of an earlier release", () => {
  it("is brought to the present version with all that it holds", async () => {
    const root = ownRoot();
    mkdirSync(join(root, ".daypass/objects"), { recursive: true });
    writeFileSync(join(root, "bucket/a.txt"), "uploaded");
    const { ino, size, mtimeNs } = statSync(join(root, "bucket/a.txt"), { bigint: true });
    const database = await openDatabase(join(root, ".daypass/index.db"));
    // The tables of version 1, as it made them.
    database.exec(`
      PRAGMA journal_mode = WAL;
      CREATE TABLE objects (
        bucket TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, settled INTEGER NOT NULL, etag TEXT NOT NULL,
        content_type TEXT NOT NULL, headers TEXT, metadata TEXT, checksums TEXT, PRIMARY KEY (bucket, key, fingerprint)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX unsettled ON objects (bucket, key) WHERE settled = 0;
      CREATE TABLE folders (path TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
      CREATE TABLE gateway (run TEXT NOT NULL) STRICT;
      PRAGMA user_version = 1;
    `);
    database
      .prepare("INSERT INTO objects VALUES ('bucket', 'a.txt', ?, 1, 'the etag', 'x/y', NULL, '{\"a\":\"1\"}', NULL)")
      .run(`${ino}:${size}:${mtimeNs}`);
    database.close();

    const storage = await openDisk({ root });
    const info = await storage.head({ bucket: "bucket", key: "a.txt" }, { parts: true });
    expect(info).toMatchObject({ etag: "the etag", contentType: "x/y", metadata: { a: "1" }, checksums: {} });
    expect([info?.tags, info?.parts]).toEqual([undefined, undefined]);
    await storage.setTags({ bucket: "bucket", key: "a.txt" }, { b: "2" });
    const upload = await storage.createUpload(ref);
    const { etag } = await storage.putPart(upload, 1, chunks(Buffer.alloc(PART)), { contentLength: PART });
    await storage.completeUpload(upload, [{ number: 1, etag }], { minPartSize: 0 });
    await storage.close();
    const again = await openDisk({ root });
    expect((await again.head({ bucket: "bucket", key: "a.txt" }))?.tags).toEqual({ b: "2" });
    expect((await again.head(ref, { parts: true }))?.parts).toEqual([{ size: PART }]);
    const listed = await again.list("bucket", { prefix: "", limit: 10 });
    expect(listed.entries.map((entry) => (entry.kind === "object" ? entry.key : entry.prefix))).toEqual([
      "a.txt",
      "big.bin",
    ]);
  });

  it("has the tables of a new one", async () => {
    const schemaOf = async (path: string) => {
      const database = await openDatabase(path, { readOnly: true });
      const rows = database.prepare("SELECT type, name FROM sqlite_schema ORDER BY type, name").all();
      const columns = database.prepare("SELECT name FROM pragma_table_info('objects') ORDER BY name").all();
      database.close();
      return [rows, columns].map((list) => list.map((row) => Object.values(row as object)));
    };
    const [old, fresh] = [ownRoot(), ownRoot()];
    await (await openDisk({ root: fresh })).close();
    mkdirSync(join(old, ".daypass"));
    const database = await openDatabase(join(old, ".daypass/index.db"));
    database.exec(`
      CREATE TABLE objects (bucket TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, settled INTEGER NOT NULL,
        etag TEXT NOT NULL, content_type TEXT NOT NULL, headers TEXT, metadata TEXT, checksums TEXT,
        PRIMARY KEY (bucket, key, fingerprint)) STRICT, WITHOUT ROWID;
      CREATE INDEX unsettled ON objects (bucket, key) WHERE settled = 0;
      CREATE TABLE folders (path TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
      CREATE TABLE gateway (run TEXT NOT NULL) STRICT;
      PRAGMA user_version = 1;
    `);
    database.close();
    await (await openDisk({ root: old })).close();
    expect(await schemaOf(join(old, ".daypass/index.db"))).toEqual(await schemaOf(join(fresh, ".daypass/index.db")));
  });
});
