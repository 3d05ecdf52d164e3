import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { syncEarly } from "../../src/storage/disk/flush.ts";
import { type DigestPool, digestPool, type SharedPiece } from "../../src/storage/disk/objects/digest-pool.ts";
import { bodyWriter } from "../../src/storage/disk/objects/write-body.ts";
import { ownRoot } from "./temp-root.ts";

const KB = 1024;
const MB = 1024 * KB;

/** A file that accepts every byte and fails every flush. */
function unflushable(): number {
  const fd = openSync("/dev/null", "w");
  onTestFinished(() => closeSync(fd));
  return fd;
}

/** The real threads, and all pieces that they received. */
function watchedPool(): DigestPool & { readonly pieces: Set<SharedPiece> } {
  const pool = digestPool(1);
  onTestFinished(() => pool.close());
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

// The kernel reports a failed write once: the flush at the end may succeed after an earlier one failed.
it("rejects a long upload if an early flush failed", async () => {
  async function* body(size: number): AsyncGenerator<Uint8Array> {
    const chunk = new Uint8Array(MB);
    for (let sent = 0; sent < size; sent += MB) yield chunk;
  }
  const writer = bodyWriter(watchedPool());
  const upload = (size: number) => writer.write({ fd: unflushable(), position: 0 }, body(size), {});
  await expect(upload(80 * MB)).rejects.toMatchObject({ syscall: "fdatasync" });
  // The caller flushes a short upload.
  await expect(upload(2 * MB)).resolves.toMatchObject({ size: 2 * MB });
});

it("runs two early flushes at once, because each occupies a thread of all requests", async () => {
  const flushes = Array.from({ length: 5 }, () => syncEarly(unflushable()));
  expect(flushes.map((flush) => flush.start())).toEqual([true, true, false, false, false]);
  const ends = await Promise.allSettled(flushes.map((flush) => flush.end()));
  expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled", "fulfilled", "fulfilled"]);
  const alone = syncEarly(unflushable());
  expect([alone.start(), alone.start()]).toEqual([true, false]);
  await alone.end().catch(() => {});
  expect(flushes.slice(2, 4).map((flush) => flush.start())).toEqual([true, true]);
  await Promise.allSettled(flushes.map((flush) => flush.end()));
});

it("uses small pieces for uploads beyond 128 pieces, and large ones again afterwards", async () => {
  const root = ownRoot();
  const pool = watchedPool();
  const writer = bodyWriter(pool);
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
    const { size, digests } = await writer.write({ fd, position: 0 }, body, {});
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
  expect(new Set(Array.from(pool.pieces, ({ length }) => length))).toEqual(new Set([MB]));
});
