import { expect, it } from "vitest";
import { keptPieces } from "../../src/http/kept-pieces.ts";

it("returns the added bytes once, for any pieces", () => {
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 251));
  const kept = keptPieces();
  for (const lengths of [[1], [1, 4096], [4095], [4096, 65_536, 3], [0, 100, 5000]]) {
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const length = lengths[turn % lengths.length] as number;
      kept.add(bytes.subarray(at, at + length));
      at += length;
    }
    expect([lengths, Buffer.concat(kept.take()).equals(bytes)]).toEqual([lengths, true]);
    expect(kept.take()).toEqual([]);
  }
});

it("joins small pieces, and allocates at most as much as it holds", () => {
  const kept = keptPieces();
  for (let i = 0; i < 1_000_000; i++) kept.add(Uint8Array.of(i));
  const pieces = kept.take();
  expect(pieces.length).toBeLessThan(25);
  expect(pieces.reduce((sum, { buffer }) => sum + buffer.byteLength, 0)).toBeLessThan(1_100_000);
  kept.add(Uint8Array.of(1));
  expect(kept.take()[0]?.buffer.byteLength).toBe(4096);
});
