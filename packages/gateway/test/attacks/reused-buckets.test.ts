import { mkdirSync, readdirSync, renameSync, rmSync, type Stats, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { OpenObject } from "../../src/storage/contract/storage.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { smallFileCache } from "../../src/storage/disk/objects/small-file-cache.ts";
import { testGateway } from "../../src/testing/index.ts";
import { callBucket, texts } from "../e2e/bucket-client.ts";
import { type S3Sent, s3For, send, sendS3 } from "../e2e/clients.ts";
import { chunks, withDisk } from "../storage/temp-root.ts";

it("who makes a bucket finds no upload of those who had the name before", async () => {
  await using gateway = await testGateway({ files: { "media/a.txt": "a" } });
  const call = async (method: string, query: Readonly<Record<string, string>>) => {
    const { url } = s3For(gateway).sign({ method, bucket: "media", key: "secret", expiresIn: 60, bind: { query } });
    const headers = { host: `127.0.0.1:${gateway.port}`, "content-length": "1" };
    return send(gateway, { method, target: url.slice(gateway.url.length), headers, body: "x" });
  };
  const [uploadId = ""] = texts(await call("POST", { uploads: "" }), "UploadId");
  expect((await call("PUT", { uploadId, partNumber: "1" })).status).toBe(200);
  // As when the folder is taken away by hand, or the upload begins while the bucket is being removed.
  rmSync(join(gateway.root, "media"), { recursive: true });
  expect((await callBucket(gateway, { method: "PUT" })).status).toBe(200);
  expect(texts(await callBucket(gateway, { query: { uploads: "" } }), "UploadId")).toEqual([]);
  expect((await call("GET", { uploadId })).status).toBe(404);
  expect((await call("PUT", { uploadId, partNumber: "1" })).status).toBe(404);
});

describe("an object whose key no path can hold, when its bucket's folder is taken away by hand", () => {
  it("is gone with it, and not in a bucket of that name that is made anew", async () => {
    await using gateway = await testGateway({ files: { "media/a.txt": "a" } });
    const object = (method: "GET" | "PUT", sent: Partial<S3Sent> = {}) =>
      sendS3(gateway, { method, key: "x//y", ...sent });
    expect((await object("PUT", { body: "secret" })).status).toBe(200);
    expect((await object("GET")).text).toBe("secret");
    rmSync(join(gateway.root, "media"), { recursive: true });
    expect(await object("GET")).toMatchObject({ status: 404, code: "NoSuchBucket" });
    expect((await callBucket(gateway, { method: "PUT" })).status).toBe(200);
    expect(hashedFiles(gateway.root)).toEqual([]);
    expect(await object("GET")).toMatchObject({ status: 404, code: "NoSuchKey" });
    expect((await object("PUT", { body: "new", unsigned: { "if-none-match": "*" } })).status).toBe(200);
    expect((await callBucket(gateway, { method: "DELETE" })).status).toBe(409);
    expect((await sendS3(gateway, { method: "DELETE", key: "x//y" })).status).toBe(204);
    expect((await callBucket(gateway, { method: "DELETE" })).status).toBe(204);
  });

  it("comes back with the folder, which may have been on a disk that was away, over a restart, too", async () => {
    await withDisk(async (storage, root) => {
      const ref = { bucket: "away", key: "x//y" };
      mkdirSync(join(root, "away"));
      await storage.put(ref, chunks("kept"));
      await storage.close();
      renameSync(join(root, "away"), join(root, ".elsewhere"));
      const next = await disk({ root });
      try {
        await expect(next.head(ref)).rejects.toMatchObject({ code: "NO_SUCH_BUCKET" });
        renameSync(join(root, ".elsewhere"), join(root, "away"));
        expect(await next.head(ref)).toMatchObject({ size: 4 });
        // A bucket created by an API call is a new one, without the old objects.
        rmSync(join(root, "away"), { recursive: true });
        await next.createBucket("away");
        expect(await next.head(ref)).toBeUndefined();
        expect(hashedFiles(root)).toEqual([]);
      } finally {
        await next.close();
      }
    });
  });

  it("keeps all that is known of it and of others, and loses nothing to a bucket that cannot be made", async () => {
    await withDisk(async (storage, root) => {
      mkdirSync(join(root, "away"));
      await storage.put({ bucket: "away", key: "a.txt" }, chunks("a"), {
        contentType: "x/mine",
        metadata: { owner: "me" },
      });
      await storage.put({ bucket: "away", key: "a.txt/v1" }, chunks("kept"));
      await storage.close();
      renameSync(join(root, "away"), join(root, ".elsewhere"));
      const next = await disk({ root });
      try {
        writeFileSync(join(root, "away"), "a file in the way");
        await expect(next.createBucket("away")).rejects.toMatchObject({ code: "BUCKET_NAME_TAKEN" });
        rmSync(join(root, "away"));
        renameSync(join(root, ".elsewhere"), join(root, "away"));
        expect(await next.head({ bucket: "away", key: "a.txt" })).toMatchObject({
          contentType: "x/mine",
          metadata: { owner: "me" },
        });
        expect(await next.head({ bucket: "away", key: "a.txt/v1" })).toMatchObject({ size: 4 });
        expect(readdirSync(root).filter((name) => name.endsWith(".tmp"))).toEqual([]);
      } finally {
        await next.close();
      }
    });
  });

  it("is not served from memory", () => {
    let folder: Stats | undefined = statSync(".");
    const file = statSync("package.json");
    const lstat = (path: string) => (path === "folder" ? folder : file);
    const cache = smallFileCache({ capacity: file.size + 10_000, clock: () => file.ctimeMs + 10_000, lstat });
    const ref = { bucket: "b", key: "x//y" };
    const info = { contentType: "", headers: {}, metadata: {}, checksums: {} };
    const object = { info } as Partial<OpenObject> as OpenObject;
    cache.add({ ref, path: "file", tiedTo: "folder", identity: file, object });
    expect(cache.get(ref)).toBeDefined();
    folder = undefined;
    expect(cache.get(ref)).toBeUndefined();
  });
});

function hashedFiles(root: string): string[] {
  const entries = readdirSync(join(root, ".daypass/objects"), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
