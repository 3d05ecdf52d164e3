/** The files of multipart uploads, and the positions of their parts. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { NamedPart, UploadRef } from "../../src/storage/contract/multipart.ts";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { ipcIndexWriter, serveIndexWriter } from "../../src/storage/disk/index.ts";
import { uploadLister } from "../../src/storage/disk/uploads/list-uploads.ts";
import { readBody } from "../../src/testing/contract-tools.ts";
import { connection } from "./connection.ts";
import { chunks, openDisk, openIndex, ownRoot, withDisk } from "./temp-root.ts";

const ANY_SIZE = { minPartSize: 0 };
const PART = 10_000;
const ref = { bucket: "bucket", key: "big.bin" };

const bytesOf = (number: number, size = PART) => Buffer.alloc(size, createHash("sha256").update(`${number}`).digest());
const folderOf = (root: string, { uploadId }: UploadRef) => join(root, ".daypass/uploads", uploadId);
const md5 = (...parts: Buffer[]) => createHash("md5").update(Buffer.concat(parts)).digest("hex");

async function put(storage: Storage, upload: UploadRef, number: number, size = PART): Promise<NamedPart> {
  const { etag } = await storage.putPart(upload, number, chunks(bytesOf(number, size)), { contentLength: size });
  return { number, etag };
}

async function md5At(storage: Storage): Promise<string> {
  return md5(await readBody((await storage.get(ref))?.body()));
}

/** An index with one upload, and storage over it. */
async function indexed(clock?: () => number) {
  const root = ownRoot();
  const index = await openIndex(root, { clock });
  const storage = await openDisk({ root, writer: index.writer });
  const { uploadId } = await storage.createUpload(ref);
  const open = (number: number, size?: number) => index.writer.openPart({ uploadId, ref, number, size });
  return { root, index, storage, uploadId, open };
}

describe("the common file of an upload", () => {
  it("becomes the object by a rename if all parts have one size", async () => {
    await withDisk(async (storage, root) => {
      const upload = await storage.createUpload(ref);
      const parts = [await put(storage, upload, 2), await put(storage, upload, 1), await put(storage, upload, 3, 5)];
      parts.sort((a, b) => a.number - b.number);
      expect(readdirSync(folderOf(root, upload))).toEqual(["data"]);
      const { ino } = statSync(join(folderOf(root, upload), "data"));
      await storage.completeUpload(upload, parts, ANY_SIZE);
      expect(statSync(join(root, "bucket/big.bin")).ino).toBe(ino);
      expect(await md5At(storage)).toBe(md5(bytesOf(1), bytesOf(2), bytesOf(3, 5)));
      expect(existsSync(folderOf(root, upload))).toBe(false);
    });
  });

  it("becomes the object even if a part was sent again, under its hash if a folder has the name", async () => {
    await withDisk(async (storage, root) => {
      await storage.put({ bucket: "bucket", key: "big.bin/below" }, chunks("a folder has the name"));
      const upload = await storage.createUpload(ref);
      await put(storage, upload, 2);
      const parts = [await put(storage, upload, 1), await put(storage, upload, 2), await put(storage, upload, 3)];
      expect(readdirSync(folderOf(root, upload)).length).toBe(2);
      const { ino } = statSync(join(folderOf(root, upload), "data"));
      await storage.completeUpload(upload, parts, { ...ANY_SIZE, ifNoneMatch: "*" });
      expect(await md5At(storage)).toBe(md5(bytesOf(1), bytesOf(2), bytesOf(3)));
      const hashed = readdirSync(join(root, ".daypass/objects"), { recursive: true, encoding: "utf8" });
      expect(hashed.map((name) => statSync(join(root, ".daypass/objects", name)).ino)).toContain(ino);
    });
  });

  it("is copied if it has an acknowledged part that is not named", async () => {
    await withDisk(async (storage, root) => {
      const upload = await storage.createUpload(ref);
      const parts = [await put(storage, upload, 1), await put(storage, upload, 2)];
      await put(storage, upload, 3);
      const { ino } = statSync(join(folderOf(root, upload), "data"));
      await storage.completeUpload(upload, parts, ANY_SIZE);
      expect(statSync(join(root, "bucket/big.bin")).ino).not.toBe(ino);
      expect(await md5At(storage)).toBe(md5(bytesOf(1), bytesOf(2)));
    });
  });

  it("has at most one other file for a part that is sent again and again", async () => {
    await withDisk(async (storage, root) => {
      const upload = await storage.createUpload(ref);
      for (let turn = 0; turn < 4; turn++) await put(storage, upload, 1, PART + turn);
      expect(readdirSync(folderOf(root, upload)).length).toBe(2);
    });
  });
});

describe("the position of a part", () => {
  it("is written once by two workers that send the same parts", async () => {
    const root = ownRoot();
    const index = await openIndex(root);
    const [one, two] = await Promise.all(
      [1, 2].map(() => {
        const { primary, worker } = connection();
        serveIndexWriter(primary, index.writer);
        return openDisk({ root, writer: ipcIndexWriter(worker) });
      }),
    );
    if (one === undefined || two === undefined) throw new Error("two were opened");
    const upload = await one.createUpload(ref);
    const numbers = Array.from({ length: 20 }, (_, i) => i + 1);
    const etags = await Promise.all(
      numbers.map(async (number) => {
        await Promise.all([put(one, upload, number), put(two, upload, number)]);
        return { number, etag: md5(bytesOf(number)) };
      }),
    );
    const page = await two.listParts(upload, { after: 0, limit: 100 });
    expect(page.parts.map(({ number, etag }) => ({ number, etag }))).toEqual(etags);
    await two.completeUpload(upload, etags, ANY_SIZE);
    expect((await one.head(ref))?.size).toBe(20 * PART);
  });

  it("is reserved only for a part that fits and is alone there", async () => {
    const { index, storage, uploadId, open } = await indexed();
    // The last of several first parts decides the size of a position.
    const [long, short] = await Promise.all([open(1, 5), open(2, 4)]);
    expect([long.position, short.position]).toEqual([undefined, 4]);
    await short.finish(undefined);
    const end = await index.writer.closeUpload(uploadId);
    expect(end.busy).toBe(false);
    // From now on, a write there would change the object.
    expect((await open(3, 4)).position).toBe(undefined);
    await end.finish("kept");
    expect((await open(3, 4)).position).toBe(8);
    const distant = await storage.createUpload(ref);
    const claim = index.writer.openPart({ uploadId: distant.uploadId, ref, number: 10_000, size: 5 * 1024 ** 3 });
    expect((await claim).position).toBe(undefined);
    const refused = { code: "NO_SUCH_UPLOAD" };
    for (const other of [{ bucket: "other" }, { key: "other" }]) {
      const elsewhere = { uploadId, ref: { ...ref, ...other }, number: 4, size: 4 };
      await expect(index.writer.openPart(elsewhere)).rejects.toMatchObject(refused);
    }
    await (await index.writer.closeUpload(uploadId)).finish("completed");
    await expect(open(4, 4)).rejects.toMatchObject(refused);
  });

  it("is released when its worker dies, and so is the claim on the upload", async () => {
    const { index, uploadId, open } = await indexed();
    const { primary, worker, close } = connection();
    serveIndexWriter(primary, index.writer);
    const remote = ipcIndexWriter(worker);
    const request = { uploadId, ref, number: 1, size: PART };
    expect((await remote.openPart(request)).position).toBe(0);
    expect((await open(1, PART)).position).toBe(undefined);
    expect((await remote.closeUpload(uploadId)).busy).toBe(true);
    const next = index.writer.closeUpload(uploadId);
    close();
    const claim = await next;
    expect(claim.busy).toBe(false);
    await claim.finish("kept");
    expect((await open(1, PART)).position).toBe(0);
    await expect(remote.openPart(request)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});

it.each(["completed", "aborted"] as const)("removes all parts of a %s upload, and rejects later ones", async (end) => {
  const { index, storage, uploadId, open } = await indexed();
  await storage.putPart({ ...ref, uploadId }, 1, chunks("x"), { contentLength: 1 });
  const parts = () => index.reader.uploads.parts(uploadId, { after: 0, limit: 10 }).length;
  expect(parts()).toBe(1);
  const late = await open(2);
  await (await index.writer.closeUpload(uploadId)).finish(end);
  const part = { number: 2, size: 1, etag: "e", checksum: undefined, modified: 0, place: { file: "f" } };
  await expect(late.finish(part)).rejects.toMatchObject({ code: "NO_SUCH_UPLOAD" });
  expect(parts()).toBe(0);
});

it("remembers a completed upload for a day", async () => {
  let now = Date.now();
  const { index, storage, uploadId } = await indexed(() => now);
  const known: boolean[] = [];
  for (const hours of [0, 24, 1]) {
    now += hours * 60 * 60 * 1000;
    const next = hours === 0 ? uploadId : (await storage.createUpload(ref)).uploadId;
    await (await index.writer.closeUpload(next)).finish("completed");
    known.push(index.reader.uploads.upload(uploadId) !== undefined);
  }
  expect(known).toEqual([true, true, false]);
});

it("reads about as many rows for a page of uploads as it has entries, even if each has its own prefix", async () => {
  const { index, storage } = await indexed();
  mkdirSync(join(index.layout.root, "other"));
  const keys = Array.from({ length: 600 }, (_, i) => `${i + 1000}/k`);
  await Promise.all(keys.map((key) => storage.createUpload({ bucket: "other", key })));
  let rows = 0;
  const { reader } = index;
  const openUploads: typeof reader.uploads.openUploads = (range) => {
    const found = reader.uploads.openUploads(range);
    rows += found.length;
    return found;
  };
  const list = uploadLister({ ...index, reader: { ...reader, uploads: { ...reader.uploads, openUploads } } });
  expect(list("other", { prefix: "", delimiter: "/", limit: 1000 }).entries.length).toBe(600);
  expect(rows).toBeLessThan(700);
});
