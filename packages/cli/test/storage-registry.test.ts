import { createHash } from "node:crypto";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { type ObjectInfo, type OpenObject, type Storage, StorageError } from "@daypass/gateway";
import { type DriverName, drivers, type StorageDriver } from "@daypass/gateway/drivers";
import { openLog } from "@daypass/gateway/node";
import { s3Signer } from "daypass/s3";
import { expect, onTestFinished, test } from "vitest";
import { openInstance } from "../src/commands/serve/server-instance.ts";
import { checkStorage, storageText } from "../src/commands/serve/storage.ts";
import { keyStore } from "../src/state-folder/key-store.ts";
import { temporaryFolder } from "./command.ts";

/** Objects of one bucket in memory: what GET, PUT and DELETE need. */
function memoryStorage(): Storage {
  const objects = new Map<string, OpenObject>();
  const nothing = async (): Promise<never> => {
    throw new StorageError("UNAVAILABLE", "memory stores whole objects only");
  };
  return {
    name: "memory",
    get: async ({ key }) => objects.get(key),
    head: async ({ key }) => objects.get(key)?.info,
    async put({ key }, body) {
      const bytes = await buffer(body);
      const etag = createHash("md5").update(bytes).digest("hex");
      const text = { contentType: "text/plain", headers: {}, metadata: {}, checksums: {} };
      const info: ObjectInfo = { size: bytes.length, etag, lastModified: new Date(), ...text };
      objects.set(key, { info, body: () => ({ kind: "bytes", bytes }), close: () => undefined });
      return info;
    },
    delete: async ({ key }) => objects.delete(key),
    list: async () => ({ entries: [], truncated: false }),
    buckets: async () => [],
    hasBucket: async () => true,
    corsRules: async () => [],
    ...{ copy: nothing, setTags: nothing, createBucket: nothing, deleteBucket: nothing, setCorsRules: nothing },
    ...{ createUpload: nothing, getUpload: nothing, putPart: nothing, copyPart: nothing, listParts: nothing },
    ...{ listUploads: nothing, completeUpload: nothing, abortUpload: nothing },
    close: async () => undefined,
  };
}

/** Adds a driver under the name `memory` until the test ends. */
function addDriver(): { readonly driver: DriverName } {
  const memory: StorageDriver = Object.assign(async () => memoryStorage(), {
    servesFolder: false,
    usesAccount: false,
  } as const);
  Reflect.set(drivers, "memory", memory);
  onTestFinished(() => void Reflect.deleteProperty(drivers, "memory"));
  return { driver: "memory" as DriverName };
}

test("serves from a driver that was added to the registry", async () => {
  const storage = addDriver();
  const root = temporaryFolder();
  const log = openLog({ destination: join(root, "log"), level: "error" });
  const place = { root, state: join(root, ".daypass"), host: "127.0.0.1", port: 0, region: "us-east-1" };
  const instance = await openInstance(
    { ...place, storage, workers: 0, drainDelayMs: 0, drainMs: 0, files: {} },
    { env: {}, log },
  );
  onTestFinished(() => instance.drain(0));
  const keys = await keyStore({ folder: place.state, env: {}, clock: () => new Date() }).active();
  const credentials = keys.flatMap((key) => (key.kind === "s3" ? [key.credentials] : []))[0];
  if (credentials === undefined) throw new Error("found no access key");
  const signer = s3Signer({ endpoint: instance.url, region: place.region, credentials, addressing: "path" });
  const call = (method: string) => {
    const { url } = signer.sign({ method, bucket: "files", key: "a.txt", expiresIn: 60 });
    return fetch(url, { method, ...(method === "PUT" ? { body: "kept in memory" } : {}) });
  };
  expect((await call("PUT")).status).toBe(200);
  expect(await (await call("GET")).text()).toBe("kept in memory");
  expect((await call("DELETE")).status).toBe(204);
  expect((await call("GET")).status).toBe(404);
});

test("describes storage and checks its settings by what the driver declares", () => {
  const storage = addDriver();
  expect(storageText("/srv", undefined)).toBe("/srv");
  expect(storageText("/srv", { driver: "s3" })).toBe("all buckets of Amazon S3");
  expect(storageText("/srv", storage)).toBe("the storage of the driver memory");
  expect(() => checkStorage({ ...storage, region: "eu-west-1" }, "config.json")).toThrow(
    'storage.driver is "memory". Set storage.driver to "s3"',
  );
});
