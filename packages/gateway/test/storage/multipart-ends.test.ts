/** Completions and aborts that are interrupted, raced or repeated. */
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { NamedPart, UploadRef } from "../../src/storage/contract/multipart.ts";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { type DiskIndex, disk, type IndexWriter } from "../../src/storage/disk/index.ts";
import { readBody } from "../../src/testing/contract-tools.ts";
import { chunks, leakedTemps, openDisk, openIndex, ownRoot, withDisk } from "./temp-root.ts";

const ref = { bucket: "bucket", key: "big.bin" };
const ANY_SIZE = { minPartSize: 0 };
const LOST = "the process ended here";

async function put(storage: Storage, upload: UploadRef, number: number, text: string): Promise<NamedPart> {
  const { etag } = await storage.putPart(upload, number, chunks(text), { contentLength: text.length });
  return { number, etag };
}

/** Stores parts in the given order, and names them in the order of their numbers. */
async function putAll(storage: Storage, upload: UploadRef, texts: Readonly<Record<number, string>>, order?: number[]) {
  const parts: NamedPart[] = [];
  const numbers = order ?? Object.keys(texts).map(Number);
  for (const number of numbers) parts.push(await put(storage, upload, number, texts[number] ?? ""));
  return parts.sort((a, b) => a.number - b.number);
}

async function textAt(storage: Storage): Promise<string | undefined> {
  const object = await storage.get(ref);
  return object && (await readBody(object.body())).toString();
}

type Outcome = Parameters<Awaited<ReturnType<IndexWriter["closeUpload"]>>["finish"]>[0];

/** A writer whose process dies before it records such an end. */
function losing(index: DiskIndex, lost: Outcome): IndexWriter {
  return {
    ...index.writer,
    async closeUpload(id) {
      const claim = await index.writer.closeUpload(id);
      return {
        ...claim,
        async finish(outcome) {
          await claim.finish(outcome === lost ? "kept" : outcome);
          if (outcome === lost) throw new Error(LOST);
        },
      };
    },
  };
}

/** A writer whose process dies, or is refused, between the claim and the rename. */
function losingClaims(writer: IndexWriter, outcome: "unknown" | "abandoned"): IndexWriter {
  return {
    ...writer,
    async claim(...parameters) {
      (await writer.claim(...parameters)).finish(outcome);
      throw new Error(LOST);
    },
  };
}

async function opened() {
  const root = ownRoot();
  const index = await openIndex(root);
  const worker = (writer: IndexWriter) => openDisk({ root, writer });
  const uploads = () => readdirSync(join(root, ".daypass/uploads"));
  return { root, index, worker, uploads, other: await worker(index.writer) };
}

/** Parts of one size are renamed in place. Parts that begin with a short one are copied. */
const LAYOUTS = [
  ["renamed", { 1: "12345", 2: "67890", 3: "x" }],
  ["copied", { 1: "x", 2: "12345", 3: "67890" }],
] as const;

describe.each(LAYOUTS)("a completion whose file is %s", (_how, texts) => {
  const whole = Object.values(texts).join("");

  it("is recorded by the next start after a crash, and returns its result again", async () => {
    const { root, index, worker } = await opened();
    const first = await worker(losing(index, "completed"));
    const upload = await first.createUpload(ref);
    const parts = await putAll(first, upload, texts);
    await expect(first.completeUpload(upload, parts, ANY_SIZE)).rejects.toThrow(LOST);
    index.close();
    const second = await openDisk({ root });
    expect(await textAt(second)).toBe(whole);
    expect(existsSync(join(root, ".daypass/uploads", upload.uploadId))).toBe(false);
    expect((await second.listUploads("bucket", { prefix: "", limit: 1 })).entries).toEqual([]);
    await second.put(ref, chunks("newer"));
    expect((await second.completeUpload(upload, parts, ANY_SIZE)).etag).toMatch(/^[0-9a-f]{32}-3$/);
    expect(await textAt(second)).toBe("newer");
  });

  it("is undone by the next start after a crash before the rename, and can be repeated", async () => {
    const { root, index, worker } = await opened();
    const first = await worker(losingClaims(index.writer, "unknown"));
    const upload = await first.createUpload(ref);
    const parts = await putAll(first, upload, texts);
    await expect(first.completeUpload(upload, parts, ANY_SIZE)).rejects.toThrow(LOST);
    index.close();
    const second = await openDisk({ root });
    expect(await second.head(ref)).toBe(undefined);
    expect((await second.listParts(upload, { after: 0, limit: 10 })).parts.length).toBe(3);
    await second.completeUpload(upload, parts, ANY_SIZE);
    expect(await textAt(second)).toBe(whole);
    expect(leakedTemps(root)).toEqual([]);
  });

  it("is found by another worker if its worker died before the record", async () => {
    const { root, index, worker, other, uploads } = await opened();
    const first = await worker(losing(index, "completed"));
    const upload = await first.createUpload(ref);
    const parts = await putAll(first, upload, texts, [3, 1, 2]);
    await expect(first.completeUpload(upload, parts, ANY_SIZE)).rejects.toThrow(LOST);
    const { ino } = statSync(join(root, "bucket/big.bin"));
    expect((await other.completeUpload(upload, parts, ANY_SIZE)).etag).toMatch(/-3$/);
    expect([await textAt(other), statSync(join(root, "bucket/big.bin")).ino, uploads()]).toEqual([whole, ino, []]);
  });
});

it.each([
  ["renamed", {}],
  ["linked", { ifNoneMatch: "*" } as const],
])("writes no later part into an object that was %s without a record", async (how, conditions) => {
  const { index, worker, other } = await opened();
  const first = await worker(losing(index, "completed"));
  const upload = await first.createUpload(ref);
  const one = await put(first, upload, 1, "12345");
  await expect(first.completeUpload(upload, [one], { ...ANY_SIZE, ...conditions })).rejects.toThrow(LOST);
  const two = await put(other, upload, 2, "67890");
  const short = other.putPart(upload, 3, chunks("short"), { contentLength: 50_000 });
  await expect(short).rejects.toMatchObject({ code: "INCOMPLETE_BODY" });
  expect(await textAt(other)).toBe("12345");
  expect((await other.head(ref))?.etag).toMatch(/-1$/);
  await other.delete(ref);
  const again = other.completeUpload(upload, [one, two], ANY_SIZE);
  // The bytes of the first part went with a renamed object. Zeros in their place would have its ETag.
  if (how === "renamed") await expect(again).rejects.toMatchObject({ code: "NO_SUCH_UPLOAD" });
  else {
    await again;
    expect(await textAt(other)).toBe("1234567890");
  }
});

it("keeps a completed object whole when a part with an earlier position fails afterwards", async () => {
  const { root, index } = await opened();
  const [failing, released] = [deferred(), deferred()];
  const lost = losing(index, "completed");
  const writer: IndexWriter = {
    ...lost,
    async openPart(request) {
      const claim = await lost.openPart(request);
      return {
        ...claim,
        finish: (part) => claim.finish(part).finally(part === undefined ? released.resolve : () => {}),
      };
    },
  };
  const storage = await openDisk({ root, writer });
  const upload = await storage.createUpload(ref);
  // A part that is sent again has its own file until the completion.
  const parts = (await putAll(storage, upload, { 1: "12345", 2: "67890" }, [2, 1, 2])).slice(0, 2);
  async function* body() {
    yield* chunks("x");
    await failing.promise;
  }
  const late = storage.putPart(upload, 3, body(), { contentLength: 5 });
  await new Promise((resolve) => setImmediate(resolve));
  // The completion, and then the release of the position, wait for this claim.
  const turn = await index.writer.closeUpload(upload.uploadId);
  const ended = storage.completeUpload(upload, parts, { ...ANY_SIZE, ifNoneMatch: "*" });
  failing.resolve();
  await released.promise;
  await turn.finish("kept");
  await expect(ended).rejects.toThrow(LOST);
  await expect(late).rejects.toMatchObject({ code: "INCOMPLETE_BODY" });
  expect(await textAt(storage)).toBe("1234567890");
});

function deferred() {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

it.each(["after a start", "in the same process"])("does not complete an aborted upload %s", async (when) => {
  const { root, index, worker, other } = await opened();
  const first = await worker(losingClaims(losing(index, "aborted"), "abandoned"));
  const upload = await first.createUpload(ref);
  const parts = await putAll(first, upload, { 1: "12345" });
  await expect(first.completeUpload(upload, parts, ANY_SIZE)).rejects.toThrow(LOST);
  await expect(first.abortUpload(upload)).rejects.toThrow(LOST);
  if (when === "after a start") index.close();
  const later = when === "after a start" ? await openDisk({ root }) : other;
  await expect(later.completeUpload(upload, parts, ANY_SIZE)).rejects.toMatchObject({ code: "NO_SUCH_UPLOAD" });
  expect(await later.head(ref)).toBe(undefined);
});

it.each([
  ["the same", "first", undefined],
  ["another", "other", "INVALID_PART"],
])("checks the list again if a part is replaced by %s during the completion", async (name, text, code) => {
  const { index, worker } = await opened();
  let meanwhile = async (): Promise<unknown> => undefined;
  // A folder is recorded after the list of parts was read, and before their bytes are.
  const addFolder: IndexWriter["addFolder"] = (path) => meanwhile().then(() => index.writer.addFolder(path));
  const storage = await worker({ ...index.writer, addFolder });
  const own = { ...ref, key: `${name.replace(" ", "-")}/a` };
  const upload = await storage.createUpload(own);
  // Without an announced length, a part has its own file.
  const send = (sent: string) => storage.putPart(upload, 1, chunks(sent));
  const { etag } = await send("first");
  meanwhile = async () => {
    meanwhile = async () => undefined;
    await send(text);
  };
  const ended = storage.completeUpload(upload, [{ number: 1, etag }], ANY_SIZE);
  if (code === undefined) await ended;
  else await expect(ended).rejects.toMatchObject({ code });
  expect((await storage.head(own))?.size).toBe(code === undefined ? 5 : undefined);
});

it("completes an upload with one empty part after a longer one failed", async () => {
  await withDisk(async (storage, root) => {
    const upload = await storage.createUpload(ref);
    const short = storage.putPart(upload, 1, chunks("short"), { contentLength: 10 });
    await expect(short).rejects.toMatchObject({ code: "INCOMPLETE_BODY" });
    await storage.close();
    const next = await disk({ root });
    await next.completeUpload(upload, [await put(next, upload, 1, "")], ANY_SIZE);
    expect((await next.head(ref))?.size).toBe(0);
    await next.close();
  });
});

it("keeps acknowledged parts after a crash, and removes all other files", async () => {
  const root = ownRoot();
  const first = await openDisk({ root });
  const upload = await first.createUpload(ref, { metadata: { a: "1" } });
  const parts = (await putAll(first, upload, { 1: "12345", 2: "67890", 3: "x" }, [1, 2, 3, 2])).toSpliced(1, 1);
  await first.close();
  const uploads = join(root, ".daypass/uploads");
  writeFileSync(join(uploads, upload.uploadId, "5-0123456789abcdef"), "an unfinished part");
  mkdirSync(join(uploads, "0123"));
  writeFileSync(join(uploads, "0123/data"), "an unknown upload");
  const second = await openDisk({ root });
  expect(readdirSync(uploads)).toEqual([upload.uploadId]);
  expect(readdirSync(join(uploads, upload.uploadId)).filter((name) => name.startsWith("5-"))).toEqual([]);
  const page = await second.listParts(upload, { after: 0, limit: 10 });
  expect(page.parts.map(({ number, etag }) => ({ number, etag }))).toEqual(parts);
  await second.completeUpload(upload, parts, ANY_SIZE);
  expect([await textAt(second), (await second.head(ref))?.metadata]).toEqual(["1234567890x", { a: "1" }]);
});

it("reports NO_SUCH_UPLOAD for an aborted upload without a record", async () => {
  await withDisk(async (storage, root) => {
    const upload = await storage.createUpload(ref);
    const named = [await put(storage, upload, 1, "x")];
    rmSync(join(root, ".daypass/uploads", upload.uploadId), { recursive: true });
    const completed = storage.completeUpload(upload, named, ANY_SIZE);
    await expect(completed).rejects.toMatchObject({ code: "NO_SUCH_UPLOAD" });
    await storage.abortUpload(upload);
  });
});

it("does not fill up truncated parts with zeros", async () => {
  await withDisk(async (storage, root) => {
    const upload = await storage.createUpload(ref);
    const named = [await put(storage, upload, 1, "whole")];
    const data = join(root, ".daypass/uploads", upload.uploadId, "data");
    truncateSync(data, 2);
    await expect(storage.completeUpload(upload, named, ANY_SIZE)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect([statSync(data).size, await storage.head(ref)]).toEqual([2, undefined]);
    await put(storage, upload, 1, "whole");
    await storage.completeUpload(upload, named, ANY_SIZE);
    expect(await textAt(storage)).toBe("whole");
  });
});

it("ends the uploads of a removed bucket, and none of a new bucket with its name", async () => {
  await withDisk(async (storage) => {
    // Each takes some milliseconds, and the bucket is gone by then.
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

it("ends the uploads of a bucket whose folder was removed by hand when the bucket is created again", async () => {
  await withDisk(async (storage, root) => {
    const upload = await storage.createUpload(ref);
    rmdirSync(join(root, "bucket"));
    await storage.createBucket("bucket");
    await expect(storage.getUpload(upload)).rejects.toMatchObject({ code: "NO_SUCH_UPLOAD" });
    expect((await storage.listUploads("bucket", { prefix: "", limit: 10 })).entries).toEqual([]);
  });
});
