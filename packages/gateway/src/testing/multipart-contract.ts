/** The storage contract for multipart uploads, from their beginning to their completion. */
import type { NamedPart, UploadEntry, UploadRef } from "../storage/contract/multipart.ts";
import type { Storage } from "../storage/contract/storage.ts";
import { type ContractTools, chunks, codeOf, md5 } from "./contract-tools.ts";
import { ANY_SIZE, begin, bytesAt, bytesOf, PART, put } from "./upload-tools.ts";

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a suite is a list of tests
export function multipartContract({ test, expect }: ContractTools): void {
  test("uses the last part with a number, and discards parts that are not named", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const first = await put(storage, upload, 1, bytesOf(1));
    await put(storage, upload, 2, bytesOf(2));
    await put(storage, upload, 1, bytesOf(1, PART, 1));
    const second = await put(storage, upload, 2, bytesOf(2, PART, 1));
    const last = await put(storage, upload, 1, bytesOf(1, PART, 2));
    await put(storage, upload, 3, bytesOf(3));
    expect(await codeOf(storage.completeUpload(upload, [first, second], ANY_SIZE))).toBe("INVALID_PART");
    await storage.completeUpload(upload, [last, second], ANY_SIZE);
    const expected = Buffer.concat([bytesOf(1, PART, 2), bytesOf(2, PART, 1)]);
    expect((await bytesAt(storage, bucket)).equals(expected)).toBe(true);
  });

  test("keeps a part when a new one with its number fails", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const kept = [await put(storage, upload, 1, bytesOf(1)), await put(storage, upload, 2, bytesOf(2))];
    const broken = storage.putPart(upload, 2, chunks("too short"), { contentLength: PART });
    expect(await codeOf(broken)).toBe("INCOMPLETE_BODY");
    const wrong = storage.putPart(upload, 1, chunks(bytesOf(9)), { digests: { md5: new Uint8Array(16) } });
    expect(await codeOf(wrong)).toBe("DIGEST_MISMATCH");
    await storage.completeUpload(upload, kept, ANY_SIZE);
    expect((await bytesAt(storage, bucket)).equals(Buffer.concat([bytesOf(1), bytesOf(2)]))).toBe(true);
  });

  test("stores a part that is sent again after a failure", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const first = await put(storage, upload, 1, bytesOf(1));
    const broken = storage.putPart(upload, 2, chunks(bytesOf(2).subarray(0, 50_000)), { contentLength: PART });
    expect(await codeOf(broken)).toBe("INCOMPLETE_BODY");
    const second = await put(storage, upload, 2, bytesOf(2, 20));
    await storage.completeUpload(upload, [first, second], ANY_SIZE);
    expect((await bytesAt(storage, bucket)).equals(Buffer.concat([bytesOf(1), bytesOf(2, 20)]))).toBe(true);
  });

  test("lists parts by number, in pages", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    for (const number of [10, 2, 9_000, 1]) await put(storage, upload, number, bytesOf(number, number));
    const all = await storage.listParts(upload, { after: 0, limit: 1000 });
    expect(all.truncated).toBe(false);
    expect(all.parts.map(({ number, size, etag }) => [number, size, etag])).toEqual(
      [1, 2, 10, 9_000].map((number) => [number, number, md5(bytesOf(number, number))]),
    );
    const page = await storage.listParts(upload, { after: 1, limit: 2 });
    expect([page.parts.map(({ number }) => number), page.truncated]).toEqual([[2, 10], true]);
    const end = await storage.listParts(upload, { after: 10, limit: 2 });
    expect([end.parts.map(({ number }) => number), end.truncated]).toEqual([[9_000], false]);
  });

  test("lists uploads by key and age, with prefix, delimiter and pages", async (storage, bucket) => {
    const keys = ["b/2", "a", "b/1", "b/1", "c/x/1", "c/y", "\ue000", "\u{1f511}"];
    const uploads: UploadRef[] = [];
    for (const key of keys) {
      uploads.push(await begin(storage, bucket, key));
      // Uploads sort by milliseconds.
      const now = Date.now();
      while (Date.now() === now) await new Promise((resolve) => setImmediate(resolve));
    }
    const name = (entry: UploadEntry) => (entry.kind === "prefix" ? entry.prefix : entry.upload.key);
    const list = async (options: Partial<Parameters<Storage["listUploads"]>[1]>) => {
      const page = await storage.listUploads(bucket, { prefix: "", limit: 100, ...options });
      return [page.entries.map(name), page.truncated];
    };
    const sorted = ["a", "b/1", "b/1", "b/2", "c/x/1", "c/y", "\ue000", "\u{1f511}"];
    expect(await list({})).toEqual([sorted, false]);
    expect(await list({ prefix: "b/" })).toEqual([["b/1", "b/1", "b/2"], false]);
    expect(await list({ delimiter: "/" })).toEqual([["a", "b/", "c/", "\ue000", "\u{1f511}"], false]);
    expect(await list({ prefix: "c/", delimiter: "/" })).toEqual([["c/x/", "c/y"], false]);
    expect(await list({ limit: 2 })).toEqual([["a", "b/1"], true]);
    const [, , older, newer] = uploads;
    const ids = (await storage.listUploads(bucket, { prefix: "b/1", limit: 9 })).entries.map((entry) =>
      entry.kind === "upload" ? entry.upload.uploadId : "",
    );
    expect(ids).toEqual([older?.uploadId, newer?.uploadId]);
    const after = { key: "b/1", uploadId: older?.uploadId };
    expect(await list({ after, limit: 1 })).toEqual([["b/1"], true]);
    expect(await list({ after: { key: "b/1" }, limit: 2 })).toEqual([["b/2", "c/x/1"], true]);
    expect(await list({ after: { prefix: "b/" }, delimiter: "/", limit: 1 })).toEqual([["c/"], true]);
    expect(await list({ after: { prefix: "c/" }, delimiter: "/" })).toEqual([["\ue000", "\u{1f511}"], false]);
    expect(await list({ after: { key: "a" }, prefix: "c/" })).toEqual([["c/x/1", "c/y"], false]);
    await storage.abortUpload(newer as UploadRef);
    await storage.completeUpload(older as UploadRef, [await put(storage, older as UploadRef, 1, bytesOf(1))], ANY_SIZE);
    expect(await list({ prefix: "b/1" })).toEqual([[], false]);
  });

  test("ends an aborted upload, and discards its parts", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    const part = await put(storage, upload, 1, bytesOf(1));
    await storage.abortUpload(upload);
    for (const call of [
      storage.abortUpload(upload),
      storage.getUpload(upload),
      storage.putPart(upload, 2, chunks("x")),
      storage.listParts(upload, { after: 0, limit: 10 }),
      storage.completeUpload(upload, [part], ANY_SIZE),
    ]) {
      expect(await codeOf(call)).toBe("NO_SUCH_UPLOAD");
    }
    // A driver may notice the missing source first.
    const copy = storage.copyPart(upload, 2, { bucket, key: "none" }, { sourceEtag: "" });
    expect((await codeOf(copy)) ?? "NO_SUCH_UPLOAD").toBe("NO_SUCH_UPLOAD");
    expect(await storage.head({ bucket, key: "big.bin" })).toBe(undefined);
  });

  test("rejects a part whose upload ends meanwhile", async (storage, bucket) => {
    for (const end of ["abort", "complete"]) {
      const upload = await begin(storage, bucket, end);
      const first = await put(storage, upload, 1, bytesOf(1));
      let proceed = (): void => {};
      const paused = new Promise<void>((resolve) => {
        proceed = resolve;
      });
      let markBegun = (): void => {};
      const begun = new Promise<void>((resolve) => {
        markBegun = resolve;
      });
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield bytesOf(2).subarray(0, 1000);
        markBegun();
        await paused;
        yield bytesOf(2).subarray(1000);
      }
      const late = codeOf(storage.putPart(upload, 2, slow(), { contentLength: PART }));
      await begun;
      if (end === "abort") await storage.abortUpload(upload);
      else await storage.completeUpload(upload, [first], ANY_SIZE);
      proceed();
      expect(await late).toBe("NO_SUCH_UPLOAD");
      if (end === "complete") expect((await bytesAt(storage, bucket, end)).equals(bytesOf(1))).toBe(true);
    }
  });

  test("finds an upload only by its own key and bucket", async (storage, bucket) => {
    const upload = await begin(storage, bucket);
    for (const other of [
      { ...upload, key: "other" },
      { ...upload, uploadId: "no-such-upload" },
      { ...upload, uploadId: "../../etc" },
      { ...upload, uploadId: "" },
    ]) {
      expect(await codeOf(storage.putPart(other, 1, chunks("x")))).toBe("NO_SUCH_UPLOAD");
      expect(await codeOf(storage.getUpload(other))).toBe("NO_SUCH_UPLOAD");
      expect(await codeOf(storage.completeUpload(other, [], ANY_SIZE))).toBe("NO_SUCH_UPLOAD");
      expect(await codeOf(storage.abortUpload(other))).toBe("NO_SUCH_UPLOAD");
    }
    const elsewhere = { ...upload, bucket: "no-such-bucket" };
    expect(await codeOf(storage.createUpload(elsewhere))).toBe("NO_SUCH_BUCKET");
    expect(await codeOf(storage.putPart(elsewhere, 1, chunks("x")))).toBe("NO_SUCH_BUCKET");
    expect(await codeOf(storage.completeUpload(elsewhere, [], ANY_SIZE))).toBe("NO_SUCH_BUCKET");
    expect(await codeOf(storage.listUploads("no-such-bucket", { prefix: "", limit: 1 }))).toBe("NO_SUCH_BUCKET");
    expect(await codeOf(storage.createUpload({ bucket, key: "" }))).toBe("KEY_NOT_STORABLE");
    expect((await storage.getUpload(upload)).uploadId).toBe(upload.uploadId);
  });

  test("copies parts from an object", async (storage, bucket) => {
    const bytes = bytesOf(1, 250_000);
    const source = { bucket, key: "source" };
    const { etag: sourceEtag } = await storage.put(source, chunks(bytes));
    const upload = await begin(storage, bucket);
    const whole = await storage.copyPart(upload, 1, source, { sourceEtag });
    const range = { start: 100, end: 100_099 };
    const cut = await storage.copyPart(upload, 2, source, { sourceEtag, range });
    expect([whole?.etag, whole?.size, cut?.etag]).toEqual([md5(bytes), 250_000, md5(bytes.subarray(100, 100_100))]);
    const stale = storage.copyPart(upload, 3, source, { sourceEtag: md5("other") });
    expect(await codeOf(stale)).toBe("PRECONDITION_FAILED");
    expect(await storage.copyPart(upload, 3, { bucket, key: "none" }, { sourceEtag })).toBe(undefined);
    const parts = [whole, cut].map((part) => ({ number: part?.number ?? 0, etag: part?.etag ?? "" }));
    await storage.completeUpload(upload, parts, ANY_SIZE);
    const expected = Buffer.concat([bytes, bytes.subarray(100, 100_100)]);
    expect((await bytesAt(storage, bucket)).equals(expected)).toBe(true);
  });

  test("keeps uploads of one key apart", async (storage, bucket) => {
    const uploads = await Promise.all([begin(storage, bucket), begin(storage, bucket), begin(storage, bucket)]);
    const parts = await Promise.all(uploads.map((upload, i) => put(storage, upload, 1, bytesOf(1, PART, i))));
    for (const i of [1, 2, 0]) {
      await storage.completeUpload(uploads[i] as UploadRef, [parts[i] as NamedPart], ANY_SIZE);
      expect((await bytesAt(storage, bucket)).equals(bytesOf(1, PART, i))).toBe(true);
    }
  });
}
