/** What a start cleans after a crash, keeps for a disk that is mounted later, and refuses. */
import fs, {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openDatabase } from "../../src/sqlite/database.ts";
import { openIndexDatabase } from "../../src/storage/disk/database/index-database.ts";
import { sweep } from "../../src/storage/disk/database/sweep.ts";
import { disk, type IndexWriter } from "../../src/storage/disk/index.ts";
import { tempName } from "../../src/storage/disk/objects/key-path.ts";
import { chunks, leakedTemps, openDisk, openIndex, ownRoot, removeRoot, tempRoot } from "./temp-root.ts";

const ref = { bucket: "bucket", key: "a.txt" };
/** The name of a temp file of another run. */
const TEMP = tempName("0123456789abcdef", "01");

/** Opens and closes storage, as one start of the gateway. */
async function startOnce(root: string): Promise<void> {
  await (await disk({ root })).close();
}

/** Stores an empty object for each key, and closes the storage. */
async function seeded(...keys: readonly string[]): Promise<string> {
  const root = ownRoot();
  const storage = await disk({ root });
  for (const key of keys) await storage.put({ bucket: "bucket", key }, chunks("x"));
  await storage.close();
  return root;
}

describe.each(["missing", "empty"])("a start while the folder of a bucket is %s", (left) => {
  async function startWithout(root: string): Promise<void> {
    const folder = join(root, "bucket");
    renameSync(folder, `${root}-away`);
    if (left === "empty") mkdirSync(folder);
    await startOnce(root);
    if (left === "empty") rmdirSync(folder);
    renameSync(`${root}-away`, folder);
  }

  it("keeps the rows of objects that were stored last", async () => {
    const root = ownRoot();
    const index = await openIndex(root);
    // The power fails before the end of each claim is recorded.
    const claim: IndexWriter["claim"] = async (...parameters) => {
      const claimed = await index.writer.claim(...parameters);
      return { finish: () => claimed.finish("unknown") };
    };
    const first = await openDisk({ root, writer: { ...index.writer, claim } });
    await first.put({ ...ref, key: "old" }, chunks("old"), { contentType: "x/old" });
    await first.put(ref, chunks("1"), { contentType: "x/1" });
    await first.put(ref, chunks("2"), { contentType: "x/2", metadata: { a: "1" } });
    await first.close();
    index.close();
    await startWithout(root);
    const second = await openDisk({ root });
    expect(await second.head(ref)).toMatchObject({ contentType: "x/2", metadata: { a: "1" } });
    expect((await second.head({ ...ref, key: "old" }))?.contentType).toBe("x/old");
  });

  it("leaves temp files to the start that finds them", async () => {
    const root = await seeded("sub/a.txt");
    const temp = join(root, "bucket/sub", TEMP);
    writeFileSync(temp, "a crash has left this");
    await startWithout(root);
    expect(existsSync(temp)).toBe(true);
    await startOnce(root);
    expect(existsSync(temp)).toBe(false);
  });

  it("keeps multipart uploads and their parts", async () => {
    const root = await seeded("a.txt");
    const first = await openDisk({ root });
    const upload = await first.createUpload(ref);
    const { etag } = await first.putPart(upload, 1, chunks("part"), { contentLength: 4 });
    await first.close();
    await startWithout(root);
    const second = await openDisk({ root });
    await second.completeUpload(upload, [{ number: 1, etag }], { minPartSize: 0 });
    expect((await second.head(ref))?.size).toBe(4);
  });

  it("keeps the end of an upload whose object exists", async () => {
    const root = ownRoot();
    const index = await openIndex(root);
    const closeUpload: IndexWriter["closeUpload"] = async (id) => {
      const claim = await index.writer.closeUpload(id);
      const finish: typeof claim.finish = async (outcome) => {
        await claim.finish("kept");
        if (outcome === "completed") throw new Error("the power failed here");
      };
      return { ...claim, finish };
    };
    const first = await openDisk({ root, writer: { ...index.writer, closeUpload } });
    const upload = await first.createUpload(ref);
    const part = async (number: number, text: string) => {
      const { etag } = await first.putPart(upload, number, chunks(text), { contentLength: text.length });
      return { number, etag };
    };
    // Parts in this order are copied into another file.
    const last = await part(2, "678");
    const parts = [await part(1, "12345"), last];
    const asNew = { minPartSize: 0, ifNoneMatch: "*" } as const;
    await expect(first.completeUpload(upload, parts, asNew)).rejects.toThrow("the power failed");
    await first.close();
    index.close();
    await startWithout(root);
    const second = await openDisk({ root });
    // Without the record, its own object would fail the condition.
    await second.completeUpload(upload, parts, asNew);
    expect((await second.head(ref))?.size).toBe(8);
  });
});

it("removes nothing through a symbolic link that replaced a folder", async () => {
  const root = await seeded("sub/a.txt");
  const outside = ownRoot();
  rmSync(join(root, "bucket/sub"), { recursive: true });
  symlinkSync(join(outside, "bucket"), join(root, "bucket/sub"));
  writeFileSync(join(outside, "bucket", TEMP), "an upload of another gateway");
  await startOnce(root);
  expect(readdirSync(join(outside, "bucket"))).toEqual([TEMP]);
});

it("forgets a removed folder, and no other", async () => {
  const root = await seeded("there/a", "gone/a");
  rmSync(join(root, "bucket/gone"), { recursive: true });
  await startOnce(root);
  const index = await openDatabase(join(root, ".daypass/index.db"), { readOnly: true });
  const noted = index.prepare<"path">("SELECT path FROM folders").all();
  expect(noted.map(({ path }) => path)).toEqual([join(root, "bucket/there")]);
  index.close();
});

it("removes the temp files of a copied root, and none of the root it was copied from", async () => {
  const root = await seeded("sub/a");
  const copy = tempRoot();
  onTestFinished(() => removeRoot(copy));
  cpSync(root, copy, { recursive: true });
  const temp = join(root, "bucket/sub", TEMP);
  writeFileSync(temp, "an upload in progress");
  for (let start = 0; start < 2; start++) {
    writeFileSync(join(copy, "bucket/sub", TEMP), "a crash has left this");
    const second = await disk({ root: copy });
    await second.put({ bucket: "bucket", key: "sub/b" }, chunks("x"));
    await second.close();
    expect(readdirSync(join(copy, "bucket/sub"))).toEqual(["a", "b"]);
  }
  expect(existsSync(temp)).toBe(true);
});

it.each(["moved", "copied"])("cleans a root that was %s after a crash", async (how) => {
  const root = await seeded("a.txt", "deep/a.txt");
  const storage = await disk({ root });
  await storage.put({ bucket: "files", key: "loose" }, chunks("z"));
  await storage.close();
  for (const folder of ["bucket", "bucket/deep", "."]) writeFileSync(join(root, folder, TEMP), "");
  const now = join(ownRoot(), "served");
  if (how === "moved") renameSync(root, now);
  else cpSync(root, now, { recursive: true, preserveTimestamps: true });
  const again = await openDisk({ root: now });
  expect(leakedTemps(now)).toEqual([]);
  expect((await again.get({ bucket: "bucket", key: "deep/a.txt" }))?.info.size).toBe(1);
  await again.close();
  const database = await openIndexDatabase(join(now, ".daypass/index.db"), "0123456789abcdef");
  expect(database.folders()).toEqual([]);
  database.close();
  if (how === "copied") expect(leakedTemps(root)).toHaveLength(3);
});

it("removes the temp folder of a bucket whose creation crashed", async () => {
  const root = ownRoot();
  const storage = await disk({ root });
  await storage.createBucket("made-here");
  await storage.close();
  mkdirSync(join(root, TEMP));
  const again = await openDisk({ root });
  expect(leakedTemps(root)).toEqual([]);
  expect((await again.buckets()).map(({ name }) => name)).toEqual(["bucket", "files", "made-here"]);
});

it("leaves what it cannot clean to the next start", async () => {
  const root = await seeded("a.txt", "deep/a.txt");
  // A temp file is a folder that is not empty. Another one can be removed.
  mkdirSync(join(root, "bucket", TEMP));
  writeFileSync(join(root, "bucket", TEMP, "kept"), "");
  writeFileSync(join(root, "bucket/deep", TEMP), "");
  const again = await openDisk({ root });
  expect((await again.get(ref))?.info.size).toBe(1);
  expect(leakedTemps(root)).toEqual([join("bucket", TEMP)]);
  await again.close();
  rmSync(join(root, "bucket", TEMP, "kept"));
  await startOnce(root);
  expect(leakedTemps(root)).toEqual([]);
});

it("does not fail for a bucket whose folder is unreadable", async () => {
  const root = await seeded("sub/a.txt");
  rmSync(join(root, "bucket/sub"), { recursive: true });
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

it("refuses a root that is no folder, and names it", async () => {
  const root = ownRoot();
  const [none, file, below] = [join(root, "none"), join(root, "file"), join(root, "file", "below")] as const;
  writeFileSync(file, "no folder");
  for (const folder of [none, file, below]) {
    await expect(disk({ root: folder })).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: `root is ${folder}, and there is no folder. Create it, or name another`,
    });
  }
  mkdirSync(none);
  await startOnce(none);
});

it.each(["EROFS", "EACCES"])("refuses a root that it may not write to (%s), and says what to do", async (code) => {
  const root = ownRoot();
  const { mkdirSync: mkdir } = fs;
  onTestFinished(() => {
    fs.mkdirSync = mkdir;
    syncBuiltinESMExports();
  });
  fs.mkdirSync = (path) => {
    throw Object.assign(new Error(code), { code, syscall: "mkdir", path });
  };
  syncBuiltinESMExports();
  await expect(disk({ root })).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringContaining(`mount a writable folder there to serve the rest of ${root} read-only`),
  });
});

it("refuses to run on Windows, before anything is written", async () => {
  const root = ownRoot();
  const { platform } = process;
  const become = (name: string): void => {
    Object.defineProperty(process, "platform", { value: name });
    syncBuiltinESMExports();
  };
  onTestFinished(() => become(platform));
  become("win32");
  await expect(disk({ root })).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringContaining("Windows cannot serve a folder. Run the gateway in WSL or a container"),
  });
  expect(readdirSync(root)).toEqual(["bucket"]);
});

it("refuses a second gateway on the folder until the first has ended", async () => {
  const root = ownRoot();
  const first = await openDisk({ root });
  await expect(disk({ root })).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await first.put(ref, chunks("x"));
  await first.close();
  expect((await (await openDisk({ root })).head(ref))?.size).toBe(1);
});

it.each([
  ["missing", () => undefined],
  ["replaced", (root: string) => mkdirSync(join(root, "bucket"), { recursive: true })],
])("acknowledges nothing, and reports nothing as absent, while its root is %s", async (_, replace) => {
  const root = ownRoot();
  const storage = await openDisk({ root });
  const [kept, loose] = [
    { bucket: "bucket", key: "a//b" },
    { bucket: "files", key: "loose.txt" },
  ] as const;
  const options = { contentType: "text/x-kept", metadata: { a: "1" } };
  for (const object of [kept, loose]) await storage.put(object, chunks("kept"), options);
  expect(storage.isAvailable?.()).toBe(true);
  const away = `${root}-away`;
  renameSync(root, away);
  replace(root);
  const calls: (() => Promise<unknown>)[] = [kept, loose].flatMap((object) => [
    () => storage.get(object),
    () => storage.head(object),
    () => storage.put(object, chunks("lost")),
    () => storage.setTags(object, { a: "1" }),
    () => storage.copy(object, { ...object, key: "copy" }, { sourceEtag: "0" }),
    () => storage.delete(object),
    () => storage.list(object.bucket, { prefix: "", limit: 9 }),
    () => storage.createUpload({ ...object, key: "parts" }, {}),
    () => storage.hasBucket(object.bucket),
  ]);
  calls.push(
    () => storage.createBucket("made"),
    () => storage.deleteBucket("bucket"),
    () => storage.setCorsRules("bucket", []),
    () => storage.buckets(),
  );
  expect(storage.isAvailable?.()).toBe(false);
  for (const call of calls) await expect(call(), String(call)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect([join(root, "loose.txt"), join(root, "made")].filter(existsSync)).toEqual([]);
  rmSync(root, { recursive: true, force: true });
  renameSync(away, root);
  expect(storage.isAvailable?.()).toBe(true);
  for (const object of [kept, loose]) expect(await storage.head(object)).toMatchObject({ size: 4, ...options });
  await storage.put({ ...kept, key: "new" }, chunks("new"));
});
