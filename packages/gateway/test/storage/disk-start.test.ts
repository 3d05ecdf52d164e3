import { cpSync, mkdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openIndexDatabase } from "../../src/storage/disk/database/index-database.ts";
import { sweep } from "../../src/storage/disk/database/sweep.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { tempName } from "../../src/storage/disk/objects/key-path.ts";
import { chunks, leakedTemps, withDisk } from "./temp-root.ts";

const ref = { bucket: "bucket", key: "a.txt" };

it("a bucket that a crash did not let come to be leaves no folder", async () => {
  await withDisk(async (storage, root) => {
    await storage.createBucket("made-here");
    await storage.close();
    mkdirSync(join(root, tempName("0123456789abcdef", "00")));
    const again = await disk({ root });
    expect(leakedTemps(root)).toEqual([]);
    expect((await again.buckets()).map(({ name }) => name)).toEqual(["bucket", "files", "made-here"]);
    await again.close();
  });
});

it("a start leaves to the next what it cannot clean", async () => {
  await withDisk(async (storage, root) => {
    await storage.put(ref, chunks("x"));
    await storage.put({ bucket: "bucket", key: "deep/a.txt" }, chunks("y"));
    await storage.close();
    // A folder in the place of a temp file that cannot be removed, and beside it one that can.
    const stuck = join(root, "bucket", tempName("0123456789abcdef", "00"));
    mkdirSync(stuck);
    writeFileSync(join(stuck, "kept"), "");
    const removed = join(root, "bucket/deep", tempName("0123456789abcdef", "01"));
    writeFileSync(removed, "");
    const again = await disk({ root });
    expect((await again.get(ref))?.info.size).toBe(1);
    expect(leakedTemps(root)).toEqual([join("bucket", tempName("0123456789abcdef", "00"))]);
    await again.close();
    rmSync(join(stuck, "kept"));
    await (await disk({ root })).close();
    expect(leakedTemps(root)).toEqual([]);
  });
});

it.each(["moved", "copied"])("a start on a root that was %s after a crash cleans it where it is now", async (how) => {
  await withDisk(async (storage, root) => {
    await storage.put(ref, chunks("x"));
    await storage.put({ bucket: "bucket", key: "deep/a.txt" }, chunks("y"));
    await storage.put({ bucket: "files", key: "loose" }, chunks("z"));
    await storage.close();
    for (const folder of ["bucket", "bucket/deep", "."])
      writeFileSync(join(root, folder, tempName("0123456789abcdef", "01")), "");
    const now = join(`${root}-${how}`, "served");
    mkdirSync(`${root}-${how}`);
    if (how === "moved") renameSync(root, now);
    else cpSync(root, now, { recursive: true, preserveTimestamps: true });
    try {
      const again = await disk({ root: now });
      expect(leakedTemps(now)).toEqual([]);
      expect((await again.get({ bucket: "bucket", key: "deep/a.txt" }))?.info.size).toBe(1);
      await again.close();
      const database = await openIndexDatabase(join(now, ".daypass/index.db"), "0123456789abcdef");
      expect(database.folders()).toEqual([]);
      database.close();
      // Those of the other root may be of uploads that are under way.
      if (how === "copied") expect(leakedTemps(root)).toHaveLength(3);
    } finally {
      if (how === "moved") renameSync(now, root);
      rmSync(`${root}-${how}`, { recursive: true });
    }
  });
});

it("a start does not fail over a bucket whose folder cannot be looked into", async () => {
  await withDisk(async (storage, root) => {
    await storage.put({ bucket: "bucket", key: "sub/a.txt" }, chunks("x"));
    await storage.close();
    rmSync(join(root, "bucket/sub/a.txt"));
    rmdirSync(join(root, "bucket/sub"));
    const database = await openIndexDatabase(join(root, ".daypass/index.db"), "0123456789abcdef");
    const noted = database.folders();
    expect(noted).toEqual([join(root, "bucket/sub")]);
    const mayBeAway = (): boolean => {
      throw Object.assign(new Error("EACCES"), { code: "EACCES", syscall: "opendir" });
    };
    await sweep({ database, root, run: "fedcba9876543210", currentFingerprint: () => undefined, mayBeAway });
    expect(database.folders()).toEqual(noted);
    database.close();
  });
});
