import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { type DigestPool, digestPool, type SharedPiece } from "../../src/storage/disk/objects/digest-pool.ts";
import { bodyWriter } from "../../src/storage/disk/objects/write-body.ts";
import { ownRoot, removeRoot } from "./temp-root.ts";

const KB = 1024;

/** The real threads, and all memory that they were handed. */
function watchedPool(): DigestPool & { readonly pieces: Set<SharedPiece> } {
  const pool = digestPool(1);
  const pieces = new Set<SharedPiece>();
  return {
    ...pool,
    pieces,
    start(names) {
      const job = pool.start(names);
      return {
        ...job,
        update(piece, length) {
          pieces.add(piece);
          return job.update(piece, length);
        },
      };
    },
  };
}

it("has small pieces for uploads beyond a number, however long they stay, and large ones again after them", async () => {
  const root = ownRoot();
  const pool = watchedPool();
  onTestFinished(async () => {
    await pool.close();
    removeRoot(root);
  });
  const uploads = bodyWriter(pool);
  let release = (): void => {};
  const stalled = new Promise<void>((resolve) => {
    release = resolve;
  });
  let waiting = 0;
  async function* slow(bytes: Buffer): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, 300 * KB);
    waiting += 1;
    await stalled;
    yield bytes.subarray(300 * KB);
  }
  const store = async (name: string, bytes: Buffer, body: AsyncIterable<Uint8Array>): Promise<void> => {
    const fd = openSync(join(root, name), "w");
    const { size, digests } = await uploads.write({ fd, position: 0 }, body, {});
    closeSync(fd);
    const md5 = createHash("md5").update(bytes).digest("hex");
    expect([size, Buffer.from(digests.md5).toString("hex")]).toEqual([bytes.length, md5]);
    expect(readFileSync(join(root, name)).equals(bytes)).toBe(true);
  };
  const all = Array.from({ length: 200 }, (_, i) => {
    const bytes = Buffer.alloc(400 * KB + i, `${i}`);
    return store(`${i}`, bytes, slow(bytes));
  });
  await expect.poll(() => waiting, { timeout: 10_000 }).toBe(200);
  release();
  await Promise.all(all);
  const sizes = Array.from(pool.pieces, ({ length }) => length);
  expect(sizes.filter((size) => size > 128 * KB).length).toBeLessThanOrEqual(128);
  expect(sizes.filter((size) => size === 128 * KB).length).toBeGreaterThanOrEqual(72);
  pool.pieces.clear();
  const bytes = Buffer.alloc(3000 * KB, "large");
  await store("last", bytes, [bytes] as unknown as AsyncIterable<Uint8Array>);
  expect(new Set(Array.from(pool.pieces, ({ length }) => length))).toEqual(new Set([1024 * KB]));
});
