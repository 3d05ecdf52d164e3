import { existsSync, linkSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { chunks, contents } from "../../src/testing/contract-tools.ts";
import { withDisk } from "./temp-root.ts";

describe("the cache of small files", () => {
  const later = { clock: () => Date.now() + 10_000 };
  const ref = { bucket: "bucket", key: "a.txt" };

  it("returns the same object while its file is unchanged", async () => {
    await withDisk(async (storage, root) => {
      writeFileSync(join(root, "bucket/a.txt"), "small");
      expect(storage.getCached?.(ref)).toBeUndefined();
      const object = await storage.get(ref);
      expect(storage.getCached?.(ref)).toBe(object);
      expect(await storage.get(ref)).toBe(object);
      expect(object?.body({ start: 1, end: 2 })).toEqual({ kind: "bytes", bytes: Buffer.from("ma") });
    }, later);
  });

  it("keeps out an object that is read once, as for a zip", async () => {
    await withDisk(async (storage, root) => {
      writeFileSync(join(root, "bucket/a.txt"), "small");
      await storage.get(ref, { once: true });
      expect(storage.getCached?.(ref)).toBeUndefined();
    }, later);
  });

  it("skips a file that changed less than two seconds ago", async () => {
    await withDisk(async (storage, root) => {
      writeFileSync(join(root, "bucket/a.txt"), "small");
      utimesSync(join(root, "bucket/a.txt"), 1, 1);
      await storage.get(ref);
      expect(storage.getCached?.(ref)).toBeUndefined();
    });
  });

  it.each<[string, (path: string) => void]>([
    [
      "was written in place with the old times",
      (path) => {
        writeFileSync(path, "other");
        utimesSync(path, 1, 1);
      },
    ],
    [
      "was replaced",
      (path) => {
        writeFileSync(`${path}.new`, "other");
        utimesSync(`${path}.new`, 1, 1);
        renameSync(`${path}.new`, path);
      },
    ],
    ["was deleted", (path) => rmSync(path)],
    ["got a second name", (path) => linkSync(path, `${path}.link`)],
  ])("opens the file again after it %s", async (_title, change) => {
    await withDisk(async (storage, root) => {
      const path = join(root, "bucket/a.txt");
      writeFileSync(path, "small");
      utimesSync(path, 1, 1);
      await storage.get(ref);
      expect(storage.getCached?.(ref)).toBeDefined();
      change(path);
      expect(storage.getCached?.(ref)).toBeUndefined();
      expect(await contents(storage, "bucket", "a.txt")).toBe(
        existsSync(path) ? readFileSync(path, "utf8") : undefined,
      );
    }, later);
  });

  it("stays within its memory, and keeps used files", async () => {
    await withDisk(
      async (storage, root) => {
        const refs = Array.from({ length: 20 }, (_, index) => ({ bucket: "bucket", key: `${index}.bin` }));
        for (const { key } of refs) writeFileSync(join(root, "bucket", key), Buffer.alloc(1000));
        for (const each of refs) {
          await storage.get(each);
          storage.getCached?.({ bucket: "bucket", key: "0.bin" });
        }
        const kept = refs.filter((each) => storage.getCached?.(each) !== undefined);
        expect(kept.length).toBe(5);
        expect(kept.map(({ key }) => key)).toContain("0.bin");
      },
      { ...later, cacheBytes: 5 * (1000 + 1024) },
    );
  });

  it("evicts a file that is no longer used", async () => {
    const refs = Array.from({ length: 9 }, (_, index) => ({ bucket: "bucket", key: `${index}.bin` }));
    await withDisk(
      async (storage, root) => {
        for (const { key } of refs) writeFileSync(join(root, "bucket", key), Buffer.alloc(1000));
        const [first = ref, ...others] = refs;
        await storage.get(first);
        expect(storage.getCached?.(first)).toBeDefined();
        for (const each of others) await storage.get(each);
        expect(storage.getCached?.(first)).toBeUndefined();
      },
      { ...later, cacheBytes: 3 * (1000 + 1024) },
    );
  });

  it("drops a file of `.daypass` without the folder of its bucket", async () => {
    await withDisk(async (storage, root) => {
      const hashed = { bucket: "bucket", key: "a//b" };
      await storage.put(hashed, chunks("small"));
      await storage.get(hashed);
      expect(storage.getCached?.(hashed)).toBeDefined();
      renameSync(join(root, "bucket"), join(root, "away"));
      expect(storage.getCached?.(hashed)).toBeUndefined();
    }, later);
  });

  it("counts headers and metadata, so that empty objects cannot fill the memory", async () => {
    await withDisk(
      async (storage) => {
        const keys = Array.from({ length: 20 }, (_, index) => `${index}`);
        const contentDisposition = `attachment; filename="${"x".repeat(8000)}"`;
        for (const key of keys)
          await storage.put({ bucket: "bucket", key }, chunks(), { headers: { contentDisposition } });
        for (const key of keys) await storage.get({ bucket: "bucket", key });
        expect(keys.filter((key) => storage.getCached?.({ bucket: "bucket", key }) !== undefined)).toEqual([
          "18",
          "19",
        ]);
      },
      { ...later, cacheBytes: 40 * 1024 },
    );
  });

  it("leaves a large file to its descriptor", async () => {
    await withDisk(
      async (storage, root) => {
        writeFileSync(join(root, "bucket/a.txt"), "12345");
        const object = await storage.get(ref);
        const body = object?.body({ start: 1, end: 3 });
        expect(body).toMatchObject({ kind: "file", start: 1, length: 3 });
        expect(() => object?.body()).toThrow(TypeError);
        if (body?.kind === "file") body.close();
        object?.close();
      },
      { smallBytes: 4 },
    );
  });
});
