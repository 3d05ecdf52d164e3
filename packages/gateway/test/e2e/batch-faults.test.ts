/** DeleteObjects over a storage that fails. */
import { expect, it, onTestFinished } from "vitest";
import { type ObjectRef, type Storage, StorageError } from "../../src/storage/contract/storage.ts";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { callBucket, contentMd5, text, texts } from "./bucket-client.ts";

/** A gateway that has `count` objects, and what is asked of its storage. */
async function failing(count: number, fails: (key: string) => boolean, isSilent = () => false) {
  const asked: string[] = [];
  const keys = Array.from({ length: count }, (_, i) => `key-${String(i).padStart(3, "0")}`);
  const gateway = await testGateway({
    files: Object.fromEntries(keys.map((key) => [`media/${key}`, key])),
    storage: (disk): Storage => ({
      ...disk,
      async hasBucket(name) {
        if (isSilent()) throw new StorageError("UNAVAILABLE", "could not look for the bucket: it does not answer");
        return disk.hasBucket(name);
      },
      async delete(ref: ObjectRef, options) {
        asked.push(ref.key);
        if (fails(ref.key)) throw new StorageError("UNAVAILABLE", "could not delete the object: it does not answer");
        return disk.delete(ref, options);
      },
    }),
  });
  onTestFinished(() => gateway.close());
  return { gateway, keys, asked };
}

/** A storage that only answers whether the bucket exists. */
function silent() {
  let calls = 0;
  return failing(
    100,
    () => true,
    () => ++calls > 1,
  );
}

function deleteAll(gateway: TestGateway, keys: readonly string[]) {
  const body = `<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join("")}</Delete>`;
  return callBucket(gateway, { method: "POST", query: { delete: "" }, headers: contentMd5(body), body });
}

it("is not tried a thousand times on a storage that does not answer, but refused as a whole", async () => {
  const { gateway, keys, asked } = await silent();
  const reply = await deleteAll(gateway, keys);
  expect([reply.status, text(reply, "Code")]).toEqual([503, "ServiceUnavailable"]);
  expect(asked.length).toBe(16);
  await expect.poll(() => gateway.events.length).toBe(1);
  const [event] = gateway.events;
  expect([event?.code, String(event?.error)]).toEqual([
    "UNAVAILABLE",
    "StorageError: could not look for the bucket: it does not answer",
  ]);
  expect(event?.deletions).toHaveLength(16);
});

it("is not tried on, either, where one of each sixteen is refused before the storage is asked", async () => {
  const { gateway, keys, asked } = await silent();
  const named = keys.map((key, i) => (i % 16 === 3 ? "a".repeat(2000) : key));
  const reply = await deleteAll(gateway, named);
  expect([reply.status, asked.length]).toEqual([503, 15]);
});

it("reports each object that the storage refuses in DeleteObjects, even sixteen in a row", async () => {
  const { gateway, keys, asked } = await failing(40, (key) => key < "key-016");
  const reply = await deleteAll(gateway, keys);
  expect([reply.status, texts(reply, "Code").length, asked]).toEqual([200, 16, keys]);
});

it("continues DeleteObjects after the storage failed for some keys, and logs the cause", async () => {
  const { gateway, keys, asked } = await failing(40, (key) => key < "key-015" || key === "key-020");
  const reply = await deleteAll(gateway, keys);
  expect(reply.status).toBe(200);
  expect(asked).toEqual(keys);
  expect(new Set(texts(reply, "Code"))).toEqual(new Set(["ServiceUnavailable"]));
  expect(texts(reply, "Code")).toHaveLength(16);
  await expect.poll(() => gateway.events.length).toBe(1);
  const [event] = gateway.events;
  expect([event?.status, event?.code]).toEqual([200, undefined]);
  expect(String(event?.error)).toBe("StorageError: could not delete the object: it does not answer");
});

it("logs no storage error for DeleteObjects without one", async () => {
  const { gateway, keys } = await failing(20, () => false);
  expect(texts(await deleteAll(gateway, keys), "Deleted")).toHaveLength(0);
  await expect.poll(() => gateway.events.length).toBe(1);
  expect(gateway.events[0]?.error).toBeUndefined();
});
