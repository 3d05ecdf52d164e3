/** What other programs and failures do between the steps of an upload, a deletion or a read. */
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
import { expect, it } from "vitest";
import type { ObjectRef, Storage } from "../../src/storage/contract/storage.ts";
import type { DiskIndex, IndexRow } from "../../src/storage/disk/database/contract.ts";
import { type Folders, folders } from "../../src/storage/disk/folders.ts";
import { disk, ipcIndexWriter, serveIndexWriter } from "../../src/storage/disk/index.ts";
import { openLayout } from "../../src/storage/disk/layout.ts";
import { copyWhole } from "../../src/storage/disk/objects/file-bytes.ts";
import { objectFinder } from "../../src/storage/disk/objects/find-object.ts";
import { fingerprintOf } from "../../src/storage/disk/objects/open-file.ts";
import { type ObjectPlacer, objectPlacer, type Preconditions } from "../../src/storage/disk/objects/place-object.ts";
import { openFiles, unknownFiles } from "../open-files.ts";
import { connection } from "./connection.ts";
import { chunks, openDisk, openIndex, ownRoot } from "./temp-root.ts";

const ref = { bucket: "bucket", key: "a.txt" };

async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => "done",
    (error: { readonly code?: string }) => error.code,
  );
}

/** Storage of a worker, which calls `claimed` after it was granted a claim. */
async function withClaims() {
  const root = ownRoot();
  const index = await openIndex(root);
  const { primary, worker } = connection();
  serveIndexWriter(primary, index.writer);
  const own = ipcIndexWriter(worker);
  const options = { claimed: () => {} };
  const storage: Storage = await openDisk({
    root,
    writer: {
      ...own,
      async claim(...parameters) {
        const claim = await own.claim(...parameters);
        options.claimed();
        return claim;
      },
    },
  });
  return { root, storage, options };
}

/** A placer over an index, with some of its parts replaced. */
async function placerOf(
  root: string,
  replaced: (index: DiskIndex) => { index?: DiskIndex; folders?: Folders } = () => ({}),
) {
  const opened = await openIndex(root);
  const { index = opened, folders: replacedFolders } = replaced(opened);
  const finder = objectFinder(index, 1000);
  const placer = objectPlacer(index, { folders: replacedFolders ?? folders(opened.writer), finder });
  return { index, placer };
}

function rowOf(of: ObjectRef, fd: number): IndexRow {
  const fingerprint = fingerprintOf(fstatSync(fd, { bigint: true }));
  return { ref: of, fingerprint, etag: "e", contentType: "t", headers: {}, metadata: {}, checksums: {} };
}

/** Stores the text `mine`. */
async function store(placer: ObjectPlacer, conditions: Preconditions): Promise<void> {
  const places = placer.placesOf(ref);
  await placer.withTemp(places, async ({ fd, path }) => {
    writeSync(fd, "mine");
    await placer.commit(path, { row: rowOf(ref, fd), places, conditions });
  });
}

it.skipIf(unknownFiles).each([10, 10_000])(
  "closes a file of %i bytes that is replaced, removed, or has no readable row",
  async (size) => {
    const root = ownRoot();
    await (await disk({ root })).close();
    const path = join(root, "bucket/a.txt");
    let meanwhile = (): void => {};
    const reader = { find: (): undefined => void meanwhile() };
    const finder = objectFinder({ layout: openLayout(root, { owner: true }), reader } as unknown as DiskIndex, 1000);
    writeFileSync(path, Buffer.alloc(size));
    // Another program writes to the file all the time.
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
  },
);

it("releases a key after its tags could not be set", async () => {
  const { root, storage, options } = await withClaims();
  await storage.put(ref, chunks("x"));
  const own = join(root, ".daypass");
  options.claimed = () => {
    renameSync(join(root, "bucket/a.txt"), join(root, "bucket/b.txt"));
    renameSync(own, `${own}-away`);
  };
  await expect(storage.setTags(ref, { a: "1" })).rejects.toMatchObject({ code: "UNAVAILABLE" });
  options.claimed = () => {};
  renameSync(join(root, "bucket/b.txt"), join(root, "bucket/a.txt"));
  renameSync(`${own}-away`, own);
  expect(await storage.setTags(ref, { a: "2" })).toBe(true);
  expect((await storage.head(ref))?.tags).toEqual({ a: "2" });
});

// CVE-2026-54094
it("writes nothing through a folder that becomes a symbolic link before the temp file is opened", async () => {
  const [root, outside] = [ownRoot(), ownRoot()];
  const folder = join(root, "bucket/sub");
  const { placer } = await placerOf(root, (index) => {
    const real = folders(index.writer);
    const ensure: Folders["ensure"] = async (base, path) => {
      const isReady = await real.ensure(base, path);
      if (path === folder && isReady) {
        rmdirSync(folder);
        symlinkSync(join(outside, "bucket"), folder);
      }
      return isReady;
    };
    return { folders: { ensure } };
  });
  const places = placer.placesOf({ bucket: "bucket", key: "sub/a.txt" });
  const path = await placer.withTemp(places, async (temp) => {
    writeSync(temp.fd, "mine");
    expect(readdirSync(join(outside, "bucket"))).toEqual([]);
    return temp.path;
  });
  expect(dirname(path)).toBe(dirname(places.hashed));
});

// CVE-2026-54094
it("writes nothing through a folder that becomes a symbolic link before the rename", async () => {
  const outside = ownRoot();
  const { root, storage, options } = await withClaims();
  const folder = join(root, "bucket/sub");
  options.claimed = () => {
    renameSync(folder, `${folder}-before`);
    symlinkSync(join(outside, "bucket"), folder);
  };
  await storage.put({ bucket: "bucket", key: "sub/a.txt" }, chunks("mine")).catch(() => {});
  expect(readdirSync(join(outside, "bucket"))).toEqual([]);
});

it("does not remove a bucket while an upload is about to store an object in it", async () => {
  // No path can hold the key, so the folder of the bucket stays empty.
  const hashed = { bucket: "bucket", key: "a//b" };
  const { storage, options } = await withClaims();
  const removals: Promise<unknown>[] = [];
  options.claimed = () => void removals.push(codeOf(storage.deleteBucket("bucket")));
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

it.each(["a//b", "a"])("does not remove a bucket with an object %j that is newer than its listing", async (key) => {
  const root = ownRoot();
  const index = await openIndex(root);
  const storage = await openDisk({ root, writer: index.writer });
  await storage.put({ bucket: "bucket", key }, chunks("x"));
  // The owner of the index is asked to remove the bucket after its listing was empty.
  await expect(index.writer.removeBucket("bucket")).rejects.toMatchObject({ code: "BUCKET_NOT_EMPTY" });
  expect(await storage.head({ bucket: "bucket", key })).toMatchObject({ size: 1 });
});

const theirs = (path: string) => writeFileSync(path, "theirs");
const asNew = { ifNoneMatch: "*" } as const;
it.each<[string, Preconditions, (path: string) => void, (string | undefined)[]]>([
  [
    "keeps a file of another program if the object must be new",
    asNew,
    theirs,
    ["PRECONDITION_FAILED", "theirs", undefined],
  ],
  ["replaces a file of another program", {}, theirs, ["done", "mine", undefined]],
  ["stores a new object", asNew, () => {}, ["done", "mine", undefined]],
  [
    "stores the object under its hash if a folder takes the name",
    {},
    (path) => mkdirSync(path),
    ["done", undefined, "mine"],
  ],
])("%s between the last look and the rename", async (_, conditions, meanwhile, expected) => {
  const root = ownRoot();
  const path = join(root, "bucket/a.txt");
  let change = meanwhile;
  const { placer } = await placerOf(root, (index) => {
    const { isSpelledSo } = index.layout;
    const looked: typeof isSpelledSo = (...asked) => {
      change(path);
      change = () => {};
      return isSpelledSo(...asked);
    };
    return { index: { ...index, layout: { ...index.layout, isSpelledSo: looked } } };
  });
  const read = (file: string) => (existsSync(file) && statSync(file).isFile() ? readFileSync(file, "utf8") : undefined);
  const outcome = await codeOf(store(placer, conditions));
  expect([outcome, read(path), read(placer.placesOf(ref).hashed)]).toEqual(expected);
});

it.each([{}, asNew])("restores a file that can have neither its name nor its hash (%j)", async (conditions) => {
  const root = ownRoot();
  const path = join(root, "bucket/a.txt");
  const full = Object.assign(new Error("ENOSPC"), { code: "ENOSPC", syscall: "mkdir" });
  const { placer } = await placerOf(root, (index) => {
    const { isSpelledSo } = index.layout;
    // As on a disk that changes the name of a new file.
    const changed: typeof isSpelledSo = (...asked) => asked[1] !== path && isSpelledSo(...asked);
    const layout = { ...index.layout, isSpelledSo: changed };
    return { index: { ...index, layout }, folders: { ensure: () => Promise.reject(full) } };
  });
  // The common file of a multipart upload is its only copy.
  const data = join(root, ".daypass/uploads/data");
  writeFileSync(data, "parts");
  const fd = openSync(data, "r");
  const row = rowOf(ref, fd);
  closeSync(fd);
  const places = placer.placesOf(ref);
  await expect(placer.commit(data, { row, places, conditions })).rejects.toMatchObject({ code: "ENOSPC" });
  expect([readFileSync(data, "utf8"), existsSync(path)]).toEqual(["parts", false]);
});

const otherDisk =
  existsSync("/dev/shm") && statSync("/dev/shm").dev !== statSync(tmpdir()).dev ? "/dev/shm" : undefined;

it.skipIf(otherDisk === undefined).each<[string, (folder: string) => void]>([
  ["takes the name", (folder) => mkdirSync(join(folder, "a.txt"))],
  ["goes", (folder) => renameSync(folder, `${folder}-away`)],
])("fails for a bucket on another disk if a folder %s meanwhile", async (_, meanwhile) => {
  const root = ownRoot();
  const { placer } = await placerOf(root, () => ({ folders: { ensure: async () => true } }));
  const folder = join(root, "bucket/dir");
  mkdirSync(folder);
  const own = { bucket: "bucket", key: "dir/a.txt" };
  const places = { ...placer.placesOf(own), hashed: join(otherDisk ?? "", "daypass-hashed") };
  const outcome = placer.withTemp(places, async ({ fd, path }) => {
    meanwhile(folder);
    const found = existsSync(path) ? path : path.replace(folder, `${folder}-away`);
    await placer.commit(found, { row: rowOf(own, fd), places, conditions: {} });
  });
  await expect(outcome).rejects.toMatchObject({ code: "EXDEV" });
});

it("ends a copy whose source is truncated", async () => {
  const root = ownRoot();
  const [source, target] = [join(root, "source"), join(root, "target")];
  const from = openSync(source, "w+");
  const to = openSync(target, "w");
  // A sparse file needs no space.
  ftruncateSync(from, 4_000_000_000);
  const copied = codeOf(copyWhole(from, to));
  while (fstatSync(to).size === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  truncateSync(source, 1000);
  // A file system that shares blocks copies at once.
  expect(["UNAVAILABLE", "done"]).toContain(await copied);
  closeSync(from);
  closeSync(to);
});
