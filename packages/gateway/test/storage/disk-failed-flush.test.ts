import { closeSync, openSync } from "node:fs";
import { expect, it, onTestFinished } from "vitest";
import { syncEarly } from "../../src/storage/disk/flush.ts";
import { digestPool } from "../../src/storage/disk/objects/digest-pool.ts";
import { bodyWriter } from "../../src/storage/disk/objects/write-body.ts";

const MB = 1024 * 1024;

/** A file that takes every byte and that nothing can flush. */
function unflushable(): number {
  const fd = openSync("/dev/null", "w");
  onTestFinished(() => closeSync(fd));
  return fd;
}

// The kernel tells of bytes that it could not write once: the flush at the end may succeed after one that has failed.
it("refuses a long upload of which a flush has failed while bytes came in", async () => {
  const pool = digestPool(1);
  onTestFinished(() => pool.close());
  async function* body(size: number): AsyncGenerator<Uint8Array> {
    const chunk = new Uint8Array(MB);
    for (let sent = 0; sent < size; sent += MB) yield chunk;
  }
  const upload = (size: number) => bodyWriter(pool).write({ fd: unflushable(), position: 0 }, body(size), {});
  await expect(upload(80 * MB)).rejects.toMatchObject({ syscall: "fdatasync" });
  // What is short is flushed by who has it written, at its end.
  await expect(upload(2 * MB)).resolves.toMatchObject({ size: 2 * MB });
});

it("has few flushes under way at a time, as each holds a thread that reads and writes for all", async () => {
  const flushes = Array.from({ length: 5 }, () => syncEarly(unflushable()));
  expect(flushes.map((flush) => flush.start())).toEqual([true, true, false, false, false]);
  const ends = await Promise.allSettled(flushes.map((flush) => flush.end()));
  expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled", "fulfilled", "fulfilled"]);
  const alone = syncEarly(unflushable());
  expect([alone.start(), alone.start()]).toEqual([true, false]);
  await alone.end().catch(() => {});
  // The next ones have their turn, however the first have ended.
  expect(flushes.slice(2, 4).map((flush) => flush.start())).toEqual([true, true]);
  await Promise.allSettled(flushes.map((flush) => flush.end()));
});
