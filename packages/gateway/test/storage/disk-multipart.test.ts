import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { leastCpuMilliseconds } from "../../../daypass/test/cpu-time.ts";
import type { NamedPart, UploadRef } from "../../src/storage/contract/multipart.ts";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { type DiskIndex, disk, ipcIndexWriter, openDiskIndex, serveIndexWriter } from "../../src/storage/disk/index.ts";
import { connection } from "./connection.ts";
import { chunks, leakedTemps, removeRoot, tempRoot, withDisk } from "./temp-root.ts";

const ANY_SIZE = { minPartSize: 0 };
const PART = 10_000;
const ref = { bucket: "bucket", key: "big.bin" };

const bytesOf = (number: number, size = PART) => Buffer.alloc(size, createHash("sha256").update(`${number}`).digest());
const folderOf = (root: string, { uploadId }: UploadRef) => join(root, ".daypass/uploads", uploadId);

async function put(storage: Storage, upload: UploadRef, number: number, size = PART): Promise<NamedPart> {
  const bytes = bytesOf(number, size);
  const { etag } = await storage.putPart(upload, number, chunks(bytes), { contentLength: size });
  return { number, etag };
}

async function md5At(storage: Storage): Promise<string> {
  const object = await storage.get(ref);
  const body = object?.body();
  if (body?.kind !== "bytes") throw new Error("expected a small object");
  return createHash("md5").update(body.bytes).digest("hex");
}

const md5 = (...parts: Buffer[]) => createHash("md5").update(Buffer.concat(parts)).digest("hex");

/** What a crash leaves: the process ends here, and whatever it would still have done is not done. */
async function crash(index: DiskIndex): Promise<void> {
  index.close();
}

describe("parts of one size", () => {
  it("become the object by a rename of the file in which they lie", async () => {
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

  it("become it so even where a few came twice, and the object takes no name that is taken", async () => {
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
      const inodes = hashed.map((name) => statSync(join(root, ".daypass/objects", name)).ino);
      expect(inodes).toContain(ino);
    });
  });

  it("leave no file of a part that came once more, and again", async () => {
    await withDisk(async (storage, root) => {
      const upload = await storage.createUpload(ref);
      for (let turn = 0; turn < 4; turn++) await put(storage, upload, 1, PART + turn);
      expect(readdirSync(folderOf(root, upload)).length).toBe(2);
    });
  });

  it("are copied where an acknowledged part would be lost with a crash before the rename", async () => {
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
});

describe("after a crash", () => {
  it("acknowledged parts are there, bytes of others are not", async () => {
    const root = tempRoot();
    const first = await disk({ root });
    const upload = await first.createUpload(ref, { metadata: { a: "1" } });
    const parts = [await put(first, upload, 1), await put(first, upload, 2), await put(first, upload, 3, 77)];
    await put(first, upload, 2);
    await first.close();
    const folder = folderOf(root, upload);
    writeFileSync(join(folder, "5-0123456789abcdef"), "a part under way");
    mkdirSync(join(root, ".daypass/uploads/0123"));
    writeFileSync(join(root, ".daypass/uploads/0123/data"), "an upload that nobody has heard of");

    const second = await disk({ root });
    expect(existsSync(join(root, ".daypass/uploads/0123"))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.startsWith("5-"))).toEqual([]);
    const page = await second.listParts(upload, { after: 0, limit: 10 });
    expect(page.parts.map(({ number, etag }) => ({ number, etag }))).toEqual(parts);
    await second.completeUpload(upload, parts, ANY_SIZE);
    expect(await md5At(second)).toBe(md5(bytesOf(1), bytesOf(2), bytesOf(3, 77)));
    expect((await second.head(ref))?.metadata).toEqual({ a: "1" });
    await second.close();
    removeRoot(root);
  });

  for (const inPlace of [true, false]) {
    const how = inPlace ? "renamed" : "copied";
    it(`a completion that had ${how} its file is completed, and asked again it says so`, async () => {
      const root = tempRoot();
      const index = await openDiskIndex(root);
      // The end of the upload is never written down.
      const writer = {
        ...index.writer,
        closeUpload: async (id: string) => {
          const claim = await index.writer.closeUpload(id);
          return { ...claim, finish: () => Promise.reject(new Error("the process ended here")) };
        },
      };
      const first = await disk({ root, writer });
      const upload = await first.createUpload(ref);
      const sizes = inPlace ? [PART, PART, 5] : [5, PART, PART];
      const parts: NamedPart[] = [];
      for (const [i, size] of sizes.entries()) parts.push(await put(first, upload, i + 1, size));
      await expect(first.completeUpload(upload, parts, ANY_SIZE)).rejects.toThrow("ended here");
      await crash(index);

      const second = await disk({ root });
      const expected = md5(...sizes.map((size, i) => bytesOf(i + 1, size)));
      expect(await md5At(second)).toBe(expected);
      expect(existsSync(folderOf(root, upload))).toBe(false);
      expect((await second.listUploads("bucket", { prefix: "", limit: 1 })).entries).toEqual([]);
      await second.put(ref, chunks("newer"));
      const again = await second.completeUpload(upload, parts, ANY_SIZE);
      expect(again.etag).toMatch(/^[0-9a-f]{32}-3$/);
      expect(await md5At(second)).toBe(md5(Buffer.from("newer")));
      await second.close();
      removeRoot(root);
    });

    it(`a completion that had not yet ${how} its file is undone, and can be made again`, async () => {
      const root = tempRoot();
      const index = await openDiskIndex(root);
      // The claim is on the disk, and the rename never comes.
      const writer = {
        ...index.writer,
        claim: async (...parameters: Parameters<DiskIndex["writer"]["claim"]>) => {
          await index.writer.claim(...parameters);
          throw new Error("the process ended here");
        },
      };
      const first = await disk({ root, writer });
      const upload = await first.createUpload(ref);
      const sizes = inPlace ? [PART, PART, 5] : [5, PART, PART];
      const parts: NamedPart[] = [];
      for (const [i, size] of sizes.entries()) parts.push(await put(first, upload, i + 1, size));
      await expect(first.completeUpload(upload, parts, ANY_SIZE)).rejects.toThrow("ended here");
      await crash(index);

      const second = await disk({ root });
      expect(await second.head(ref)).toBe(undefined);
      expect((await second.listParts(upload, { after: 0, limit: 10 })).parts.length).toBe(3);
      await second.completeUpload(upload, parts, ANY_SIZE);
      expect(await md5At(second)).toBe(md5(...sizes.map((size, i) => bytesOf(i + 1, size))));
      await second.close();
      expect(leakedTemps(root)).toEqual([]);
      removeRoot(root);
    });
  }

  it("a worker's completion that it did not live to tell of is found by the next who asks", async () => {
    const root = tempRoot();
    const index = await openDiskIndex(root);
    const lost = {
      ...index.writer,
      closeUpload: async (id: string) => {
        const claim = await index.writer.closeUpload(id);
        return {
          ...claim,
          async finish() {
            await claim.finish("kept");
            throw new Error("the worker ended here");
          },
        };
      },
    };
    const worker = await disk({ root, writer: lost });
    const upload = await worker.createUpload(ref);
    const parts = [await put(worker, upload, 1), await put(worker, upload, 2)];
    await expect(worker.completeUpload(upload, parts, ANY_SIZE)).rejects.toThrow("ended here");
    const other = await disk({ root, writer: index.writer });
    const { ino } = statSync(join(root, "bucket/big.bin"));
    expect((await other.completeUpload(upload, parts, ANY_SIZE)).etag).toMatch(/-2$/);
    expect(statSync(join(root, "bucket/big.bin")).ino).toBe(ino);
    await worker.close();
    await other.close();
    index.close();
    removeRoot(root);
  });
});

describe("workers", () => {
  it("share an upload: each sees the parts of the other, and no place is written twice", async () => {
    const root = tempRoot();
    const index = await openDiskIndex(root);
    const ends = [connection(), connection()];
    const workers = await Promise.all(
      ends.map(({ primary, worker }) => {
        serveIndexWriter(primary, index.writer);
        return disk({ root, writer: ipcIndexWriter(worker) });
      }),
    );
    const [one, two] = workers as [Storage, Storage];
    const upload = await one.createUpload(ref);
    const numbers = Array.from({ length: 20 }, (_, i) => i + 1);
    // Both send every part: one of each pair is the last, and it is that one that is named.
    const etags = await Promise.all(
      numbers.map(async (number) => {
        await Promise.all([put(one, upload, number), put(two, upload, number)]);
        return { number, etag: md5(bytesOf(number)) };
      }),
    );
    const page = await two.listParts(upload, { after: 0, limit: 100 });
    expect(page.parts.map(({ number, etag }) => ({ number, etag }))).toEqual(etags);
    await two.completeUpload(upload, etags, ANY_SIZE);
    const object = await one.get(ref);
    expect(object?.info.size).toBe(20 * PART);
    object?.close();
    for (const worker of workers) await worker.close();
    index.close();
    removeRoot(root);
  });

  it("have a place in the common file for each part that can lie there alone, and for no other", async () => {
    const root = tempRoot();
    const index = await openDiskIndex(root);
    const storage = await disk({ root, writer: index.writer });
    const { uploadId } = await storage.createUpload(ref);
    const open = (number: number, size: number) => index.writer.openPart({ uploadId, ref, number, size });
    // The last of those that come together decides: the first is longer than the places then are.
    const [long, short] = await Promise.all([open(1, 5), open(2, 4)]);
    expect([long.position, short.position]).toEqual([undefined, 4]);
    await short.finish(undefined);
    const end = await index.writer.closeUpload(uploadId);
    expect(end.busy).toBe(false);
    // What is written there from now on would be written into the object.
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
    await storage.close();
    index.close();
    removeRoot(root);
  });

  it("leave no part in the index when its upload ends, however it does, and take none behind it", async () => {
    const root = tempRoot();
    const index = await openDiskIndex(root);
    const storage = await disk({ root, writer: index.writer });
    const ends = ["completed", "aborted"] as const;
    for (const end of ends) {
      const upload = await storage.createUpload(ref);
      await storage.putPart(upload, 1, chunks("x"), { contentLength: 1 });
      const parts = () => index.reader.uploads.parts(upload.uploadId, { after: 0, limit: 10 }).length;
      expect(parts()).toBe(1);
      const late = await index.writer.openPart({ uploadId: upload.uploadId, ref, number: 2, size: undefined });
      await (await index.writer.closeUpload(upload.uploadId)).finish(end);
      expect(parts()).toBe(0);
      const part = { number: 2, size: 1, etag: "e", checksum: undefined, modified: 0, place: { file: "f" } };
      await expect(late.finish(part)).rejects.toMatchObject({ code: "NO_SUCH_UPLOAD" });
      expect(parts()).toBe(0);
    }
    await storage.close();
    index.close();
    removeRoot(root);
  });

  it("remember for a day that an upload was completed", async () => {
    const root = tempRoot();
    let now = Date.now();
    const index = await openDiskIndex(root, { clock: () => now });
    const storage = await disk({ root, writer: index.writer });
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => storage.createUpload(ref)));
    const isKnown = () => index.reader.uploads.upload(first?.uploadId ?? "") !== undefined;
    const known: boolean[] = [];
    for (const [upload, hours] of [
      [first, 0],
      [second, 24],
      [third, 1],
    ] as const) {
      now += hours * 60 * 60 * 1000;
      await (await index.writer.closeUpload(upload?.uploadId ?? "")).finish("completed");
      known.push(isKnown());
    }
    expect(known).toEqual([true, true, false]);
    await storage.close();
    index.close();
    removeRoot(root);
  });

  it("that die give their places and their turns back", async () => {
    const root = tempRoot();
    const index = await openDiskIndex(root);
    const { primary, worker, close } = connection();
    serveIndexWriter(primary, index.writer);
    const remote = ipcIndexWriter(worker);
    const storage = await disk({ root, writer: index.writer });
    const upload = await storage.createUpload(ref);
    const request = { uploadId: upload.uploadId, ref, number: 1, size: PART };
    const first = await remote.openPart(request);
    expect(first.position).toBe(0);
    expect((await index.writer.openPart(request)).position).toBe(undefined);
    const turn = await remote.closeUpload(upload.uploadId);
    expect(turn.busy).toBe(true);
    const next = index.writer.closeUpload(upload.uploadId);
    close();
    const claim = await next;
    expect(claim.busy).toBe(false);
    await claim.finish("kept");
    expect((await index.writer.openPart(request)).position).toBe(0);
    await expect(remote.openPart(request)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await storage.close();
    index.close();
    removeRoot(root);
  });
});

describe("the list of uploads", () => {
  it("reads about as many rows as it has entries, where each stands for a prefix of its own", async () => {
    await withDisk(async (storage) => {
      const keys = Array.from({ length: 600 }, (_, i) => `${i + 1000}/k`);
      await Promise.all(keys.map((key) => storage.createUpload({ bucket: "bucket", key })));
      const list = async () => {
        const { entries } = await storage.listUploads("bucket", { prefix: "", delimiter: "/", limit: 1000 });
        expect(entries.length).toBe(600);
      };
      // Read whole for each, it is 180,000 rows and 200 ms in which no other request is heard.
      expect(await leastCpuMilliseconds(3, list)).toBeLessThan(50);
    });
  });
});
