import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { openDatabase } from "../../src/storage/disk/database/sqlite.ts";
import { disk, servedFiles } from "../../src/storage/disk/index.ts";
import { chunks, leakedTemps, openDisk, ownRoot, withDisk } from "./temp-root.ts";

async function text(storage: Storage, bucket: string, key: string): Promise<string | undefined> {
  const body = (await storage.get({ bucket, key }))?.body();
  return body?.kind === "bytes" ? Buffer.from(body.bytes).toString() : body?.kind;
}

describe("files that were there before", () => {
  it("serves each folder as a bucket and the loose files as the bucket files", async () => {
    await withDisk(async (storage, root) => {
      mkdirSync(join(root, "media/talks"), { recursive: true });
      writeFileSync(join(root, "media/talks/a b.txt"), "a talk");
      writeFileSync(join(root, "loose.txt"), "loose");
      expect(await text(storage, "media", "talks/a b.txt")).toBe("a talk");
      expect(await text(storage, "files", "loose.txt")).toBe("loose");
      expect(await storage.hasBucket("files")).toBe(true);
      expect(await storage.hasBucket("loose.txt")).toBe(false);
    });
  });

  it("gives them an ETag that no client takes for an MD5, and a new one when they change", async () => {
    await withDisk(async (storage, root) => {
      const path = join(root, "bucket/a.html");
      writeFileSync(path, "one");
      const first = await storage.head({ bucket: "bucket", key: "a.html" });
      expect(first?.etag).toMatch(/^[0-9a-f]{32}-f$/);
      expect(first?.contentType).toBe("text/html; charset=utf-8");
      writeFileSync(path, "two");
      utimesSync(path, 1, 1);
      const second = await storage.head({ bucket: "bucket", key: "a.html" });
      expect(second?.etag).not.toBe(first?.etag);
      expect(second?.lastModified).toEqual(new Date(1000));
    });
  });

  it("takes the metadata of an upload away when somebody else replaces its file", async () => {
    await withDisk(async (storage, root) => {
      const ref = { bucket: "bucket", key: "a.txt" };
      await storage.put(ref, chunks("uploaded"), { metadata: { a: "1" } });
      writeFileSync(join(root, "bucket/a.txt"), "by hand");
      expect(await text(storage, "bucket", "a.txt")).toBe("by hand");
      expect((await storage.head(ref))?.metadata).toEqual({});
      expect((await storage.head(ref))?.etag).toMatch(/-f$/);
    });
  });

  it("keeps uploads into the loose bucket out of the other buckets", async () => {
    await withDisk(async (storage, root) => {
      await storage.put({ bucket: "files", key: "bucket/a.txt" }, chunks("x"));
      await storage.put({ bucket: "files", key: "bucket" }, chunks("y"));
      await storage.put({ bucket: "files", key: "plain.txt" }, chunks("z"));
      expect(await storage.head({ bucket: "bucket", key: "a.txt" })).toBeUndefined();
      expect(await text(storage, "files", "bucket/a.txt")).toBe("x");
      expect(await text(storage, "files", "bucket")).toBe("y");
      expect(readFileSync(join(root, "plain.txt"), "utf8")).toBe("z");
    });
  });

  it("takes a folder named files that comes later for the bucket of that name at the next start, if nothing was uploaded among them", async () => {
    await withDisk(async (storage, root) => {
      writeFileSync(join(root, "loose.txt"), "loose");
      mkdirSync(join(root, "files"));
      writeFileSync(join(root, "files/a.txt"), "in the folder");
      expect(await text(storage, "files", "loose.txt")).toBe("loose");
      // A process that comes later knows it no better.
      expect(servedFiles(root)(["loose.txt"])).toEqual({ bucket: "files", key: "loose.txt" });
      await storage.close();
      const next = await disk({ root });
      try {
        expect(await text(next, "files", "a.txt")).toBe("in the folder");
        expect(await text(next, "files", "loose.txt")).toBeUndefined();
        // Nor do loose files come into the bucket when its folder goes.
        rmSync(join(root, "files"), { recursive: true });
        await expect(next.head({ bucket: "files", key: "loose.txt" })).rejects.toMatchObject({
          code: "NO_SUCH_BUCKET",
        });
        await next.createBucket("files");
        await next.put({ bucket: "files", key: "d/e.txt" }, chunks("new"));
        expect(readFileSync(join(root, "files/d/e.txt"), "utf8")).toBe("new");
      } finally {
        await next.close();
      }
    });
  });

  it("refuses to start if a new folder files would hide uploads among the loose files", async () => {
    await withDisk(async (storage, root) => {
      await storage.put({ bucket: "files", key: "up.txt" }, chunks("uploaded"));
      mkdirSync(join(root, "files"));
      writeFileSync(join(root, "files/up.txt"), "another");
      expect(await text(storage, "files", "up.txt")).toBe("uploaded");
      await storage.close();
      for (let start = 0; start < 2; start++) {
        await expect(disk({ root })).rejects.toMatchObject({
          code: "UNAVAILABLE",
          message: expect.stringContaining("rename that folder"),
        });
      }
      renameSync(join(root, "files"), join(root, "renamed"));
      const next = await disk({ root });
      expect(await text(next, "files", "up.txt")).toBe("uploaded");
      await next.close();
    });
  });

  it("takes a folder named files for the bucket of that name", async () => {
    const root = ownRoot();
    mkdirSync(join(root, "files"));
    writeFileSync(join(root, "files/a.txt"), "inside");
    writeFileSync(join(root, "b.txt"), "loose");
    await withDisk(
      async (storage) => {
        expect(await text(storage, "files", "a.txt")).toBe("inside");
        expect(await text(storage, "files", "b.txt")).toBeUndefined();
      },
      { root },
    );
  });

  it("finds uploads and their metadata again after a restart", async () => {
    const root = ownRoot();
    const first = await openDisk({ root });
    const info = await first.put({ bucket: "bucket", key: "a//b" }, chunks("x"), { metadata: { a: "1" } });
    await first.close();
    await withDisk(async (storage) => expect(await storage.head({ bucket: "bucket", key: "a//b" })).toEqual(info), {
      root,
    });
  });
});

describe("a key never leads out of the root", () => {
  it("serves nothing that lies outside, whatever the key", async () => {
    await withDisk(async (storage, root) => {
      writeFileSync(join(root, "secret"), "loose");
      for (const key of [
        "../secret",
        "..",
        "./../secret",
        "a/../../secret",
        "/etc/passwd",
        "..\\secret",
        "%2e%2e/secret",
      ]) {
        expect(await storage.get({ bucket: "bucket", key })).toBeUndefined();
      }
      for (const bucket of ["..", ".", "bucket/..", "", "/", "bucket\0"]) {
        await expect(storage.get({ bucket, key: "etc/passwd" })).rejects.toMatchObject({ code: "NO_SUCH_BUCKET" });
      }
    });
  });

  it("does not give out its own folder, nor an upload under way", async () => {
    await withDisk(async (storage, root) => {
      expect(existsSync(join(root, ".daypass/index.db"))).toBe(true);
      await expect(storage.get({ bucket: ".daypass", key: "index.db" })).rejects.toMatchObject({
        code: "NO_SUCH_BUCKET",
      });
      expect(await storage.get({ bucket: "files", key: ".daypass/index.db" })).toBeUndefined();
      writeFileSync(join(root, "bucket/.daypass-00-00.tmp"), "half");
      expect(await storage.get({ bucket: "bucket", key: ".daypass-00-00.tmp" })).toBeUndefined();
    });
  });

  // CVE-2026-54094 (filebrowser): a symbolic link inside the share led out of it.
  it("follows no symbolic link, neither at the end of a path nor on the way", async () => {
    const outside = ownRoot();
    writeFileSync(join(outside, "bucket/secret.txt"), "outside");
    await withDisk(async (storage, root) => {
      symlinkSync(join(outside, "bucket/secret.txt"), join(root, "bucket/link.txt"));
      symlinkSync(join(outside, "bucket"), join(root, "bucket/folder"));
      symlinkSync(join(outside, "bucket"), join(root, "linked"));
      symlinkSync("link.txt", join(root, "bucket/again.txt"));
      writeFileSync(join(root, "bucket/inside.txt"), "inside");
      symlinkSync("inside.txt", join(root, "bucket/also-inside.txt"));
      for (const key of ["link.txt", "folder/secret.txt", "again.txt", "also-inside.txt"]) {
        expect(await storage.get({ bucket: "bucket", key })).toBeUndefined();
        expect(await storage.head({ bucket: "bucket", key })).toBeUndefined();
        expect(await storage.delete({ bucket: "bucket", key })).toBe(false);
      }
      await expect(storage.get({ bucket: "linked", key: "secret.txt" })).rejects.toMatchObject({
        code: "NO_SUCH_BUCKET",
      });
      expect(readFileSync(join(outside, "bucket/secret.txt"), "utf8")).toBe("outside");
    });
  });

  it("writes through no symbolic link, and leaves the link as it is", async () => {
    const outside = ownRoot();
    writeFileSync(join(outside, "bucket/secret.txt"), "outside");
    await withDisk(async (storage, root) => {
      symlinkSync(join(outside, "bucket"), join(root, "bucket/folder"));
      symlinkSync(join(outside, "bucket/secret.txt"), join(root, "bucket/link.txt"));
      for (const key of ["folder/secret.txt", "folder/new/deep.txt", "link.txt"]) {
        await storage.put({ bucket: "bucket", key }, chunks("uploaded"));
        expect(await text(storage, "bucket", key)).toBe("uploaded");
      }
      expect(readFileSync(join(root, "bucket/link.txt"), "utf8")).toBe("outside");
    });
    expect(readFileSync(join(outside, "bucket/secret.txt"), "utf8")).toBe("outside");
    expect(existsSync(join(outside, "bucket/new"))).toBe(false);
    expect(leakedTemps(outside)).toEqual([]);
  });

  it("stops serving a folder from memory when a symbolic link to another takes its place", async () => {
    await withDisk(
      async (storage, root) => {
        const ref = { bucket: "bucket", key: "folder/a.txt" };
        mkdirSync(join(root, "bucket/folder"));
        writeFileSync(join(root, "bucket/folder/a.txt"), "inside");
        mkdirSync(join(root, "other"));
        writeFileSync(join(root, "other/a.txt"), "beyond");
        await storage.get(ref);
        expect(storage.getCached?.(ref)).toBeDefined();
        rmSync(join(root, "bucket/folder"), { recursive: true });
        symlinkSync(join(root, "other"), join(root, "bucket/folder"));
        expect(storage.getCached?.(ref)).toBeUndefined();
        expect(await storage.get(ref)).toBeUndefined();
      },
      { clock: () => Date.now() + 10_000 },
    );
  });

  it("takes a FIFO, a socket and a folder for missing, and waits for none of them", async () => {
    await withDisk(async (storage, root) => {
      execFileSync("mkfifo", [join(root, "bucket/fifo")]);
      mkdirSync(join(root, "bucket/folder"));
      const server = createServer().listen(join(root, "bucket/socket"));
      await new Promise((resolve) => server.once("listening", resolve));
      for (const key of ["fifo", "folder", "socket"]) {
        expect(await storage.get({ bucket: "bucket", key })).toBeUndefined();
        expect(await storage.head({ bucket: "bucket", key })).toBeUndefined();
        expect(await storage.delete({ bucket: "bucket", key })).toBe(false);
        await storage.put({ bucket: "bucket", key }, chunks("beside it"));
        expect(await text(storage, "bucket", key)).toBe("beside it");
      }
      await new Promise((resolve) => server.close(resolve));
    });
  });
});

describe("one gateway to a folder", () => {
  it("refuses a second one, and takes the folder over from one that ended", async () => {
    await withDisk(async (storage, root) => {
      await expect(disk({ root })).rejects.toMatchObject({ code: "UNAVAILABLE" });
      await storage.put({ bucket: "bucket", key: "a" }, chunks("x"));
      await storage.close();
      const next = await disk({ root });
      expect(await text(next, "bucket", "a")).toBe("x");
      await next.close();
    });
  });

  it("refuses a folder that is not there", async () => {
    await expect(disk({ root: "/nonexistent/daypass" })).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("refuses an index that a later release has written, and says so", async () => {
    const root = ownRoot();
    await (await disk({ root })).close();
    const database = await openDatabase(join(root, ".daypass/index.db"));
    database.exec("PRAGMA user_version = 99");
    database.close();
    await expect(disk({ root })).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("version 99"),
    });
  });
});

describe("a file system that folds names", () => {
  it("keeps names that it would change or refuse under their hash", async () => {
    const root = ownRoot();
    // disk-folded-names.test.ts mounts one, which needs root; what tells it apart is that the probe answers to another spelling.
    mkdirSync(join(root, ".daypass"));
    writeFileSync(join(root, ".daypass/probe-\u00e9"), "");
    await withDisk(
      async (storage, folder) => {
        for (const key of ["con", "a:b", "ends.", "Plain"]) {
          await storage.put({ bucket: "bucket", key }, chunks(key));
          expect(await text(storage, "bucket", key)).toBe(key);
        }
        expect(readdirSync(join(folder, "bucket"))).toEqual(["Plain"]);
      },
      { root },
    );
  });
});
