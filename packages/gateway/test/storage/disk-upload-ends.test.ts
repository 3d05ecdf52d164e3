/** Ends of uploads in parts that were begun, and came to nothing or were not written down. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { IN_NAMESPACE, needsMounts } from "../../../../tools/mounts.ts";
import type { NamedPart, UploadRef } from "../../src/storage/contract/multipart.ts";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { type DiskIndex, disk, type IndexWriter, openDiskIndex } from "../../src/storage/disk/index.ts";
import { bundledFixture } from "./bundled-fixture.ts";
import { chunks, removeRoot, tempRoot, withDisk } from "./temp-root.ts";

const ref = { bucket: "bucket", key: "big.bin" };
const ANY_SIZE = { minPartSize: 0 };

async function put(storage: Storage, upload: UploadRef, number: number, text: string): Promise<NamedPart> {
  const { etag } = await storage.putPart(upload, number, chunks(text), { contentLength: text.length });
  return { number, etag };
}

async function textAt(storage: Storage): Promise<string | undefined> {
  const body = (await storage.get(ref))?.body();
  return body?.kind === "bytes" ? Buffer.from(body.bytes).toString() : undefined;
}

type Outcome = Parameters<Awaited<ReturnType<IndexWriter["closeUpload"]>>["finish"]>[0];

/** As from a worker that dies in the moment in which it would write down such an end. */
function losing(index: DiskIndex, lost: Outcome): IndexWriter {
  return {
    ...index.writer,
    async closeUpload(id) {
      const claim = await index.writer.closeUpload(id);
      return {
        ...claim,
        async finish(outcome) {
          await claim.finish(outcome === lost ? "kept" : outcome);
          if (outcome === lost) throw new Error("the worker ended here");
        },
      };
    },
  };
}

/** As where the object may not take its place after all, such as by the rights of its folder. */
function refusing(writer: IndexWriter): IndexWriter {
  return {
    ...writer,
    async claim(...parameters) {
      (await writer.claim(...parameters)).finish("abandoned");
      throw new Error("refused behind the claim");
    },
  };
}

async function withIndex(body: (index: DiskIndex, root: string) => Promise<void>): Promise<void> {
  const root = tempRoot();
  const index = await openDiskIndex(root);
  try {
    await body(index, root);
  } finally {
    index.close();
    removeRoot(root);
  }
}

/** The first does not live to write down that it made the object. */
async function twoWorkers(index: DiskIndex, root: string) {
  return [
    await disk({ root, writer: losing(index, "completed") }),
    await disk({ root, writer: index.writer }),
  ] as const;
}

describe("an end that made the object, and that nobody lived to write down", () => {
  for (const conditions of [{}, { ifNoneMatch: "*" } as const]) {
    const how = "ifNoneMatch" in conditions ? "linked" : "renamed";
    it(`leaves an object that no later part is written into, ${how}`, async () => {
      await withIndex(async (index, root) => {
        const [worker, other] = await twoWorkers(index, root);
        const upload = await worker.createUpload(ref);
        const first = await put(worker, upload, 1, "12345");
        await expect(worker.completeUpload(upload, [first], { ...ANY_SIZE, ...conditions })).rejects.toThrow("ended");
        const second = await put(other, upload, 2, "67890");
        await expect(other.putPart(upload, 3, chunks("short"), { contentLength: 50_000 })).rejects.toMatchObject({
          code: "INCOMPLETE_BODY",
        });
        expect(await textAt(other)).toBe("12345");
        expect((await other.head(ref))?.etag).toMatch(/-1$/);
        // The bytes of the first went with the object: with zeros in their place it would be an object of its ETag.
        await other.delete(ref);
        const again = other.completeUpload(upload, [first, second], ANY_SIZE);
        if (how === "renamed") {
          await expect(again).rejects.toMatchObject({ code: "NO_SUCH_UPLOAD" });
        } else {
          await again;
          expect(await textAt(other)).toBe("1234567890");
        }
        await worker.close();
        await other.close();
      });
    });
  }

  it("leaves none of its parts once it was asked for again", async () => {
    await withIndex(async (index, root) => {
      const [worker, other] = await twoWorkers(index, root);
      const upload = await worker.createUpload(ref);
      // In an order in which they have to be copied.
      const last = await put(worker, upload, 2, "678");
      const parts = [await put(worker, upload, 1, "12345"), last];
      await expect(worker.completeUpload(upload, parts, ANY_SIZE)).rejects.toThrow("ended");
      await other.completeUpload(upload, parts, ANY_SIZE);
      expect([await textAt(other), readdirSync(join(root, ".daypass/uploads"))]).toEqual(["12345678", []]);
      await worker.close();
      await other.close();
    });
  });

  it("leaves it whole where a part that had its place before fails afterwards", async () => {
    await withIndex(async (index, root) => {
      let fail = (): void => {};
      let given = (): void => {};
      const failing = new Promise<void>((resolve) => {
        fail = resolve;
      });
      const givenBack = new Promise<void>((resolve) => {
        given = resolve;
      });
      const lost = losing(index, "completed");
      const writer: IndexWriter = {
        ...lost,
        async openPart(request) {
          const claim = await lost.openPart(request);
          return { ...claim, finish: (part) => claim.finish(part).finally(part === undefined ? given : () => {}) };
        },
      };
      const storage = await disk({ root, writer });
      const upload = await storage.createUpload(ref);
      await put(storage, upload, 2, "67890");
      // One that comes again lies in a file of its own, until the end fills it in.
      const parts = [await put(storage, upload, 1, "12345"), await put(storage, upload, 2, "67890")];
      async function* body() {
        yield* chunks("x");
        await failing;
      }
      const late = storage.putPart(upload, 3, body(), { contentLength: 5 });
      await new Promise((resolve) => setImmediate(resolve));
      // Somebody else's turn, behind which the end and the giving back of the room wait in this order.
      const turn = await index.writer.closeUpload(upload.uploadId);
      const ended = storage.completeUpload(upload, parts, { ...ANY_SIZE, ifNoneMatch: "*" });
      fail();
      await givenBack;
      await turn.finish("kept");
      await expect(ended).rejects.toThrow("ended");
      await expect(late).rejects.toMatchObject({ code: "INCOMPLETE_BODY" });
      expect(await textAt(storage)).toBe("1234567890");
      await storage.close();
    });
  });
});

describe("an end that came to nothing", () => {
  for (const restarted of [true, false]) {
    it(`is none once the upload was aborted, ${restarted ? "after a start" : "by the same process"}`, async () => {
      const root = tempRoot();
      let index = await openDiskIndex(root);
      const storage = await disk({ root, writer: refusing(losing(index, "aborted")) });
      const upload = await storage.createUpload(ref);
      const parts = [await put(storage, upload, 1, "12345")];
      await expect(storage.completeUpload(upload, parts, ANY_SIZE)).rejects.toThrow("behind the claim");
      await expect(storage.abortUpload(upload)).rejects.toThrow("ended");
      await storage.close();
      if (restarted) {
        index.close();
        index = await openDiskIndex(root);
      }
      const later = await disk({ root, writer: index.writer });
      await expect(later.completeUpload(upload, parts, ANY_SIZE)).rejects.toMatchObject({ code: "NO_SUCH_UPLOAD" });
      expect(await later.head(ref)).toBe(undefined);
      await later.close();
      index.close();
      removeRoot(root);
    });
  }
});

it("an end finds a part that is sent once more in the very moment, and no other in its place", async () => {
  await withIndex(async (index, root) => {
    let meanwhile = async (): Promise<unknown> => undefined;
    // Between the list of parts and the first of their bytes a folder is noted.
    const writer: IndexWriter = {
      ...index.writer,
      addFolder: (path) => meanwhile().then(() => index.writer.addFolder(path)),
    };
    for (const [key, text, code] of [
      ["same/a", "first", undefined],
      ["other/a", "other", "INVALID_PART"],
    ] as const) {
      const storage = await disk({ root, writer });
      const upload = await storage.createUpload({ ...ref, key });
      // Of no announced length, and so in a file of its own.
      const send = (sent: string) => storage.putPart(upload, 1, chunks(sent));
      const { etag } = await send("first");
      meanwhile = async () => {
        meanwhile = async () => undefined;
        await send(text);
      };
      const ended = storage.completeUpload(upload, [{ number: 1, etag }], ANY_SIZE);
      if (code === undefined) await ended;
      else await expect(ended).rejects.toMatchObject({ code });
      expect((await storage.head({ ...ref, key }))?.size).toBe(code === undefined ? 5 : undefined);
      await storage.close();
    }
  });
});

it("an upload whose only part is empty becomes an object, also where a longer one was given up before it", async () => {
  await withDisk(async (storage, root) => {
    const upload = await storage.createUpload(ref);
    await expect(storage.putPart(upload, 1, chunks("short"), { contentLength: 10 })).rejects.toMatchObject({
      code: "INCOMPLETE_BODY",
    });
    await storage.close();
    const next = await disk({ root });
    await next.completeUpload(upload, [await put(next, upload, 1, "")], ANY_SIZE);
    expect((await next.head(ref))?.size).toBe(0);
    await next.close();
  });
});

it("the end of a bucket ends its uploads, and none of another bucket of its name", async () => {
  await withDisk(async (storage) => {
    // Each takes some milliseconds, and their bucket is gone by then.
    const old = await Promise.all(Array.from({ length: 20 }, (_, i) => storage.createUpload({ ...ref, key: `${i}` })));
    const removed = storage.deleteBucket("bucket");
    while (await storage.hasBucket("bucket")) await new Promise((resolve) => setImmediate(resolve));
    await storage.createBucket("bucket");
    const upload = await storage.createUpload({ ...ref, key: "x" });
    await removed;
    expect((await storage.getUpload(upload)).uploadId).toBe(upload.uploadId);
    for (const ended of old) await expect(storage.getUpload(ended)).rejects.toMatchObject({ code: "NO_SUCH_UPLOAD" });
  });
});

it("a bucket that is made in the place of one whose folder was taken away has none of its uploads", async () => {
  await withDisk(async (storage, root) => {
    const upload = await storage.createUpload(ref);
    rmdirSync(join(root, "bucket"));
    await storage.createBucket("bucket");
    await expect(storage.getUpload(upload)).rejects.toMatchObject({ code: "NO_SUCH_UPLOAD" });
    expect((await storage.listUploads("bucket", { prefix: "", limit: 10 })).entries).toEqual([]);
  });
});

const reason = needsMounts();
const SCRIPT = `
mount --bind "$1/folder" "$1/root/mounted"
exec "$2" "$3" "$1/root"
`;

describe.skipIf(reason)(`a bucket that is a mounted folder of the root's own disk${reason ?? ""}`, () => {
  it("gets objects from parts", async () => {
    const program = await bundledFixture("bound-bucket.ts");
    const folder = tempRoot();
    mkdirSync(join(folder, "root/mounted"), { recursive: true });
    mkdirSync(join(folder, "folder"));
    const run = [...IN_NAMESPACE, SCRIPT, "sh", folder, process.execPath, program];
    expect(JSON.parse(execFileSync("unshare", run).toString())).toEqual([6, 6]);
    removeRoot(folder);
  });
});
