import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Storage } from "../../src/storage/contract/storage.ts";
import type { IndexWriter, OpenIndex } from "../../src/storage/disk/database/contract.ts";
import { type Folders, folders } from "../../src/storage/disk/folders.ts";
import { disk, ipcIndexWriter, openDiskIndex, serveIndexWriter } from "../../src/storage/disk/index.ts";
import { openLayout } from "../../src/storage/disk/layout.ts";
import { copyWhole } from "../../src/storage/disk/objects/file-bytes.ts";
import { objectFinder } from "../../src/storage/disk/objects/find-object.ts";
import { fingerprintOf } from "../../src/storage/disk/objects/open-file.ts";
import { objectPlacer } from "../../src/storage/disk/objects/place-object.ts";
import { openFiles, unknownFiles } from "../open-files.ts";
import { connection } from "./connection.ts";
import { chunks, removeRoot, tempRoot, withDisk } from "./temp-root.ts";

const ref = { bucket: "bucket", key: "a.txt" };
const otherDisk =
  existsSync("/dev/shm") && statSync("/dev/shm").dev !== statSync(tmpdir()).dev ? "/dev/shm" : undefined;

/** A storage whose claims somebody may come between. */
async function withClaims(
  body: (storage: Storage, options: { readonly root: string; claimed: () => void }) => Promise<void>,
): Promise<void> {
  const root = tempRoot();
  const options = { root, claimed: () => {} };
  const index = await openDiskIndex(root);
  const { primary, worker } = connection();
  serveIndexWriter(primary, index.writer);
  const own = ipcIndexWriter(worker);
  const writer: IndexWriter = {
    ...own,
    async claim(...parameters) {
      const claim = await own.claim(...parameters);
      options.claimed();
      return claim;
    },
  };
  const storage = await disk({ root, writer });
  try {
    await body(storage, options);
  } finally {
    await storage.close();
    index.close();
    removeRoot(root);
  }
}

describe.skipIf(unknownFiles)(`descriptors of a disk storage${unknownFiles ?? ""}`, () => {
  it("are closed where the file is replaced or gone before its row was read, and where the index fails", async () => {
    const root = tempRoot();
    await (await disk({ root })).close();
    const layout = openLayout(root, { owner: true });
    const path = join(root, "bucket/a.txt");
    let meanwhile = (): void => {};
    const find = (): undefined => void meanwhile();
    const finder = objectFinder({ layout, reader: { find } } as unknown as OpenIndex, 1000);
    for (const size of [10, 10_000]) {
      writeFileSync(path, Buffer.alloc(size));
      // A file to which somebody writes all the time.
      meanwhile = () => writeFileSync(path, Buffer.alloc(size), { flag: "a" });
      await expect(finder.find(ref)).rejects.toMatchObject({ code: "UNAVAILABLE" });
      expect(openFiles(join(root, "bucket"))).toEqual([]);
      meanwhile = () => {
        throw new Error("the index cannot be read");
      };
      await expect(finder.find(ref)).rejects.toThrow("cannot be read");
      expect(openFiles(join(root, "bucket"))).toEqual([]);
      meanwhile = () => rmSync(path);
      expect(await finder.find(ref)).toBe(undefined);
      expect(openFiles(join(root, "bucket"))).toEqual([]);
    }
    removeRoot(root);
  });
});

it("a key can be written to again after its tags could not be set", async () => {
  await withClaims(async (storage, options) => {
    await storage.put(ref, chunks("x"));
    const own = join(options.root, ".daypass");
    options.claimed = () => {
      renameSync(join(options.root, "bucket/a.txt"), join(options.root, "bucket/b.txt"));
      renameSync(own, `${own}-away`);
    };
    await expect(storage.setTags(ref, { a: "1" })).rejects.toMatchObject({ code: "UNAVAILABLE" });
    options.claimed = () => {};
    renameSync(join(options.root, "bucket/b.txt"), join(options.root, "bucket/a.txt"));
    renameSync(`${own}-away`, own);
    expect(await storage.setTags(ref, { a: "2" })).toBe(true);
    expect((await storage.head(ref))?.tags).toEqual({ a: "2" });
  });
});

describe("CVE-2026-54094: a folder that becomes a symbolic link while an upload is on its way to it leads nowhere", () => {
  it("as its file is opened", async () => {
    const [root, outside] = [tempRoot(), tempRoot()];
    const index = await openDiskIndex(root);
    const folder = join(root, "bucket/sub");
    const real = folders(index.writer);
    const turning: Folders = {
      async ensure(base, path) {
        const isThere = await real.ensure(base, path);
        if (path === folder && isThere) {
          rmdirSync(folder);
          symlinkSync(join(outside, "bucket"), folder);
        }
        return isThere;
      },
    };
    const finder = objectFinder(index, 1000);
    const placer = objectPlacer(index, { folders: turning, finder });
    const places = placer.placesOf({ bucket: "bucket", key: "sub/a.txt" });
    const path = await placer.withTemp(places, async (temp) => {
      writeSync(temp.fd, "mine");
      expect(readdirSync(join(outside, "bucket"))).toEqual([]);
      return temp.path;
    });
    expect(dirname(path)).toBe(dirname(places.hashed));
    index.close();
    for (const made of [root, outside]) removeRoot(made);
  });

  it("as it takes its name", async () => {
    const outside = tempRoot();
    await withClaims(async (storage, options) => {
      const folder = join(options.root, "bucket/sub");
      options.claimed = () => {
        renameSync(folder, `${folder}-before`);
        symlinkSync(join(outside, "bucket"), folder);
      };
      await storage.put({ bucket: "bucket", key: "sub/a.txt" }, chunks("mine")).catch(() => {});
      expect(readdirSync(join(outside, "bucket"))).toEqual([]);
    });
    removeRoot(outside);
  });
});

it("a bucket is not removed from under an upload that is about to take its name", async () => {
  // No path can hold it, so its bucket's folder is empty all the while.
  const hashed = { bucket: "bucket", key: "a//b" };
  await withClaims(async (storage, options) => {
    const removals: Promise<unknown>[] = [];
    options.claimed = () => {
      removals.push(
        storage.deleteBucket("bucket").then(
          () => "removed",
          (error: { readonly code?: string }) => error.code,
        ),
      );
    };
    await Promise.all([storage.put(hashed, chunks("x")), storage.put({ ...hashed, key: "c//d" }, chunks("y"))]);
    expect(await Promise.all(removals)).toEqual(["BUCKET_NOT_EMPTY", "BUCKET_NOT_EMPTY"]);
    options.claimed = () => {};
    for (const key of ["a//b", "c//d"]) {
      expect(await storage.head({ ...hashed, key })).toMatchObject({ size: 1 });
      await storage.delete({ ...hashed, key });
    }
    await storage.deleteBucket("bucket");
    await expect(storage.head(hashed)).rejects.toMatchObject({ code: "NO_SUCH_BUCKET" });
  });
});

it("a bucket is not removed with an object that came after it was seen to be empty, also where that lies elsewhere", async () => {
  const root = tempRoot();
  const index = await openDiskIndex(root);
  const storage = await disk({ root, writer: index.writer });
  for (const key of ["a//b", "a"]) {
    await storage.put({ bucket: "bucket", key }, chunks("x"));
    // What the removal of a bucket asks of the index's process once it has listed nothing.
    await expect(index.writer.removeBucket("bucket")).rejects.toMatchObject({ code: "BUCKET_NOT_EMPTY" });
    expect(await storage.head({ bucket: "bucket", key })).toMatchObject({ size: 1 });
    await storage.delete({ bucket: "bucket", key });
  }
  await storage.close();
  index.close();
  removeRoot(root);
});

describe("a name that somebody else takes between the last look and the commit", () => {
  /** Puts `mine` under `a.txt`, where `meanwhile` comes after the look and before the name. Tells what is there then. */
  async function put(conditions: { readonly ifNoneMatch?: "*" }, meanwhile: (path: string) => void) {
    const root = tempRoot();
    const index = await openDiskIndex(root);
    const path = join(root, "bucket/a.txt");
    const finder = objectFinder(index, 1000);
    const placer = objectPlacer(index, { folders: folders(index.writer), finder });
    const places = placer.placesOf(ref);
    // The last look before the file moves.
    const { isSpelledSo } = index.layout;
    Object.assign(index.layout, {
      isSpelledSo: (...asked: Parameters<typeof isSpelledSo>) => {
        meanwhile(path);
        meanwhile = () => {};
        return isSpelledSo(...asked);
      },
    });
    const outcome = await placer
      .withTemp(places, async (temp) => {
        writeSync(temp.fd, "mine");
        const fingerprint = fingerprintOf(fstatSync(temp.fd, { bigint: true }));
        const row = {
          ref,
          fingerprint,
          etag: "e",
          contentType: "text/plain",
          headers: {},
          metadata: {},
          checksums: {},
        };
        await placer.commit(temp.path, { row, places, conditions });
      })
      .then(
        () => "stored",
        (error: { readonly code?: string }) => error.code,
      );
    const read = (file: string) =>
      existsSync(file) && statSync(file).isFile() ? readFileSync(file, "utf8") : undefined;
    const found = [outcome, read(path), read(places.hashed)];
    index.close();
    removeRoot(root);
    return found;
  }

  it("keeps it, and its file, where the object had to be new", async () => {
    const theirs = (path: string) => writeFileSync(path, "theirs");
    expect(await put({ ifNoneMatch: "*" }, theirs)).toEqual(["PRECONDITION_FAILED", "theirs", undefined]);
    expect(await put({}, theirs)).toEqual(["stored", "mine", undefined]);
    expect(await put({ ifNoneMatch: "*" }, () => {})).toEqual(["stored", "mine", undefined]);
  });

  it("keeps it where it is a folder, and the object lies elsewhere", async () => {
    expect(await put({}, (path) => mkdirSync(path))).toEqual(["stored", undefined, "mine"]);
  });
});

for (const conditions of [{}, { ifNoneMatch: "*" } as const]) {
  it(`a file that could take neither its name nor another is where it was, ${conditions.ifNoneMatch ?? "unconditionally"}`, async () => {
    const root = tempRoot();
    const index = await openDiskIndex(root);
    const { isSpelledSo } = index.layout;
    const path = join(root, "bucket/a.txt");
    // As on a disk that gives a file another name than it was told.
    const layout = {
      ...index.layout,
      isSpelledSo: (...asked: Parameters<typeof isSpelledSo>) => asked[1] !== path && isSpelledSo(...asked),
    };
    const full = Object.assign(new Error("ENOSPC"), { code: "ENOSPC", syscall: "mkdir" });
    const finder = objectFinder({ ...index, layout }, 1000);
    const placer = objectPlacer({ ...index, layout }, { finder, folders: { ensure: () => Promise.reject(full) } });
    // The parts of an upload lie in one file.
    const data = join(root, ".daypass/uploads/data");
    writeFileSync(data, "parts");
    const fingerprint = fingerprintOf(statSync(data, { bigint: true }));
    const row = { ref, fingerprint, etag: "e", contentType: "text/plain", headers: {}, metadata: {}, checksums: {} };
    const places = placer.placesOf(ref);
    await expect(placer.commit(data, { row, places, conditions })).rejects.toMatchObject({ code: "ENOSPC" });
    expect([readFileSync(data, "utf8"), existsSync(path)]).toEqual(["parts", false]);
    index.close();
    removeRoot(root);
  });
}

describe.skipIf(otherDisk === undefined)(
  "an upload to a bucket on a disk of its own (skipped: no second disk at /dev/shm)",
  () => {
    it("is no name that the disk cannot hold where a folder took the name meanwhile, or its folder went", async () => {
      for (const meanwhile of [
        (folder: string) => mkdirSync(join(folder, "a.txt")),
        (folder: string) => renameSync(folder, `${folder}-away`),
      ]) {
        const root = tempRoot();
        const index = await openDiskIndex(root);
        const finder = objectFinder(index, 1000);
        const placer = objectPlacer(index, { folders: { ensure: async () => true }, finder });
        const folder = join(root, "bucket/dir");
        mkdirSync(folder);
        const own = { bucket: "bucket", key: "dir/a.txt" };
        // What is under its hash lies on the disk of the root.
        const places = { ...placer.placesOf(own), hashed: join(otherDisk ?? "", "daypass-hashed") };
        const fields = { etag: "e", contentType: "text/plain", headers: {}, metadata: {}, checksums: {} };
        const outcome = placer.withTemp(places, async ({ fd, path }) => {
          const fingerprint = fingerprintOf(fstatSync(fd, { bigint: true }));
          meanwhile(folder);
          const there = existsSync(path) ? path : path.replace(folder, `${folder}-away`);
          await placer.commit(there, { row: { ref: own, fingerprint, ...fields }, places, conditions: {} });
        });
        await expect(outcome).rejects.toMatchObject({ code: "EXDEV" });
        index.close();
        removeRoot(root);
      }
    });
  },
);

it("a copy ends where somebody cuts its source short", async () => {
  const root = tempRoot();
  const [source, target] = [join(root, "source"), join(root, "target")];
  const from = openSync(source, "w+");
  const to = openSync(target, "w");
  // Nothing is on the disk of it.
  ftruncateSync(from, 4_000_000_000);
  const copied = copyWhole(from, to).then(
    () => "whole",
    (error: { code?: string }) => error.code,
  );
  while (fstatSync(to).size === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  truncateSync(source, 1000);
  // Where blocks are shared it was whole at once.
  expect(["UNAVAILABLE", "whole"]).toContain(await copied);
  closeSync(from);
  closeSync(to);
  removeRoot(root);
});

it("an upload whose abort was not written down says that it is gone", async () => {
  await withDisk(async (storage, root) => {
    const upload = await storage.createUpload(ref);
    const { etag } = await storage.putPart(upload, 1, chunks("x"), { contentLength: 1 });
    rmSync(join(root, ".daypass/uploads", upload.uploadId), { recursive: true });
    const named = [{ number: 1, etag }];
    await expect(storage.completeUpload(upload, named, { minPartSize: 0 })).rejects.toMatchObject({
      code: "NO_SUCH_UPLOAD",
    });
    await storage.abortUpload(upload);
    await storage.close();
  });
});

it("parts that somebody cut short are not filled up with zeros", async () => {
  await withDisk(async (storage, root) => {
    const upload = await storage.createUpload(ref);
    const { etag } = await storage.putPart(upload, 1, chunks("whole"), { contentLength: 5 });
    const data = join(root, ".daypass/uploads", upload.uploadId, "data");
    truncateSync(data, 2);
    const named = [{ number: 1, etag }];
    await expect(storage.completeUpload(upload, named, { minPartSize: 0 })).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
    expect(statSync(data).size).toBe(2);
    expect(await storage.head(ref)).toBe(undefined);
    await storage.putPart(upload, 1, chunks("whole"), { contentLength: 5 });
    await storage.completeUpload(upload, named, { minPartSize: 0 });
    expect((await storage.head(ref))?.size).toBe(5);
    await storage.close();
  });
});
