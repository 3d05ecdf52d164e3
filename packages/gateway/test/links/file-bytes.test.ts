import { closeSync, fstatSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bytesOf } from "../../src/links/zip.ts";

it("a reader that stops early closes a file once, through its owner", async () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-bytes-"));
  const path = join(folder, "file");
  writeFileSync(path, Buffer.alloc(300_000, "x"));
  const fd = openSync(path, "r");
  let closed = 0;
  const close = (): void => {
    closed += 1;
  };
  let length = 0;
  for await (const piece of bytesOf({ kind: "file", fd, start: 10, length: 299_000, close })) {
    length += piece.length;
    if (length > 100_000) break;
  }
  // A stream would close the descriptor after it was destroyed, in a later turn.
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect([closed, fstatSync(fd).size]).toEqual([1, 300_000]);
  const whole: Uint8Array[] = [];
  for await (const piece of bytesOf({ kind: "file", fd, start: 10, length: 299_000, close })) whole.push(piece);
  expect([closed, Buffer.concat(whole).length]).toEqual([2, 299_000]);
  closeSync(fd);
  rmSync(folder, { recursive: true });
});
