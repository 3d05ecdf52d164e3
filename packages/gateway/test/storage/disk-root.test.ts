import fs, { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { disk } from "../../src/storage/disk/index.ts";
import { chunks, openDisk, ownRoot, removeRoot, withDisk } from "./temp-root.ts";

it("names the folder that is not there, and what to do, before anything is written", async () => {
  const root = ownRoot();
  onTestFinished(() => removeRoot(root));
  const [none, file, below] = [join(root, "none"), join(root, "file"), join(root, "file", "below")] as const;
  writeFileSync(file, "no folder");
  for (const folder of [none, file, below]) {
    await expect(disk({ root: folder })).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: `expected a folder to serve at ${folder}, found none: create it, or name another as \`root\``,
    });
  }
  mkdirSync(none);
  await (await openDisk({ root: none })).close();
});

it.each(["EROFS", "EACCES"])("refuses a folder that it may not write to (%s), and says what to do", async (code) => {
  const root = ownRoot();
  const { mkdirSync: mkdir } = fs;
  onTestFinished(() => {
    fs.mkdirSync = mkdir;
    syncBuiltinESMExports();
    removeRoot(root);
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

it("refuses to serve a folder on Windows, before anything is written", async () => {
  const root = ownRoot();
  const files = readdirSync(root);
  const { platform } = process;
  const become = (name: string): void => {
    Object.defineProperty(process, "platform", { value: name });
    syncBuiltinESMExports();
  };
  onTestFinished(() => {
    become(platform);
    removeRoot(root);
  });
  become("win32");
  await expect(disk({ root })).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringContaining("expected Linux or macOS for a folder as storage, found Windows"),
  });
  expect(readdirSync(root)).toEqual(files);
});

it.each([
  ["none is", () => undefined],
  ["another is", (root: string) => mkdirSync(join(root, "bucket"), { recursive: true })],
])("acknowledges nothing, and calls nothing absent, while %s in the place of its folder", async (_, replace) => {
  await withDisk(async (storage, root) => {
    const [kept, loose] = [
      { bucket: "bucket", key: "a//b" },
      { bucket: "files", key: "loose.txt" },
    ] as const;
    const options = { contentType: "text/x-kept", metadata: { a: "1" } };
    for (const ref of [kept, loose]) await storage.put(ref, chunks("kept"), options);
    expect(storage.isAvailable?.()).toBe(true);
    const away = `${root}-away`;
    renameSync(root, away);
    replace(root);
    const calls: (() => Promise<unknown>)[] = [kept, loose].flatMap((ref) => [
      () => storage.get(ref),
      () => storage.head(ref),
      () => storage.put(ref, chunks("lost")),
      () => storage.setTags(ref, { a: "1" }),
      () => storage.copy(ref, { ...ref, key: "copy" }, { sourceEtag: "0" }),
      () => storage.delete(ref),
      () => storage.list(ref.bucket, { prefix: "", limit: 9 }),
      () => storage.createUpload({ ...ref, key: "parts" }, {}),
      () => storage.hasBucket(ref.bucket),
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
    for (const ref of [kept, loose]) expect(await storage.head(ref)).toMatchObject({ size: 4, ...options });
    await storage.put({ ...kept, key: "new" }, chunks("new"));
  });
});
