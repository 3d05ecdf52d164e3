import { expect, it } from "vitest";
import { readPictureHead } from "../../src/operations/picture-head.ts";
import { cameraFile, DUNES, LAKE } from "../camera-file.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const ascii = (text: string): Buffer => Buffer.from(text, "latin1");
const THUMBNAIL = LAKE;

it.each<readonly [string, Uint8Array]>([
  ["PNG", Buffer.concat([hex("89504e470d0a1a0a 0000000d"), ascii("IHDR"), hex("0000012c 000000c8 08 06")])],
  ["GIF", Buffer.concat([ascii("GIF89a"), hex("2c01 c800 f700")])],
  ["WebP with features", Buffer.concat([ascii("RIFF....WEBPVP8X"), hex("0a000000 10000000 2b0100 c70000")])],
  ["WebP without loss", Buffer.concat([ascii("RIFF....WEBPVP8L"), hex("00000000 2f 2bc13100")])],
  ["WebP with loss", Buffer.concat([ascii("RIFF....WEBPVP8 "), hex("00000000 300100 9d012a 2c41 c800")])],
])("reads the size of a %s file", (_, bytes) => {
  expect(readPictureHead(bytes)).toEqual({ size: { width: 300, height: 200 } });
});

it.each([false, true])("reads size and thumbnail of a camera's file (little-endian: %s)", (isLittle) => {
  const { size, thumbnail } = readPictureHead(cameraFile({ thumbnail: THUMBNAIL, isLittle }));
  expect(size).toEqual({ width: 960, height: 720 });
  expect(readPictureHead(thumbnail ?? hex("")).size).toEqual({ width: 720, height: 480 });
});

it("turns the size and the thumbnail as the camera says", () => {
  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const { size, thumbnail } = readPictureHead(cameraFile({ thumbnail: THUMBNAIL, orientation }));
    const [width, height] = orientation > 4 ? [720, 960] : [960, 720];
    expect(size).toEqual({ width, height });
    const [small, large] = orientation > 4 ? [480, 720] : [720, 480];
    expect(readPictureHead(thumbnail ?? hex("")).size).toEqual({ width: small, height: large });
  }
});

it("skips other segments, and any number of bytes before a marker", () => {
  const other = Buffer.concat([hex("ffe1 0011"), ascii("http://ns.adobe"), hex("ffffff ed 0004 0000 ffff")]);
  const file = cameraFile({ thumbnail: THUMBNAIL, orientation: 6 });
  const { size, thumbnail } = readPictureHead(Buffer.concat([file.subarray(0, 2), other, file.subarray(2)]));
  expect([size, thumbnail?.length]).toEqual([{ width: 720, height: 960 }, THUMBNAIL.length + 36]);
});

it("returns no size for other files, and for files that end before it", () => {
  const none = [ascii(""), ascii("<svg></svg>"), ascii("RIFF....WEBPXXXX"), hex("ffd8ff"), ascii("GIF89a")];
  for (const bytes of none) expect(readPictureHead(bytes).size).toBeUndefined();
});

it.each<readonly [string, (file: Buffer) => void]>([
  ["begins after the end", (file) => file.writeUInt32BE(0xfffffff0, 12 + 26 + 10)],
  ["is longer than its segment", (file) => file.writeUInt32BE(0xffffffff, 12 + 26 + 22)],
  ["is one byte longer than its segment", (file) => file.writeUInt32BE(THUMBNAIL.length + 1, 12 + 26 + 22)],
  ["is no JPEG", (file) => file.write("<svg", 12 + 56, "latin1")],
  ["is in a directory after the end", (file) => file.writeUInt32BE(0xffffffff, 12 + 22)],
])("leaves out a thumbnail that %s", (_, damage) => {
  const file = cameraFile({ thumbnail: THUMBNAIL });
  expect(readPictureHead(file).thumbnail).toBeDefined();
  damage(file);
  expect(readPictureHead(file)).toEqual({ size: { width: 960, height: 720 }, thumbnail: undefined });
});

it("ends on any bytes of a camera's file, with a positive size and a thumbnail of one segment at most", () => {
  const file = cameraFile({ thumbnail: DUNES.subarray(0, 3000), orientation: 6 });
  let seed = 1;
  const next = (below: number): number => {
    seed = (seed * 48_271) % 0x7fffffff;
    return seed % below;
  };
  const check = (bytes: Uint8Array): void => {
    const { size, thumbnail } = readPictureHead(bytes);
    if (size !== undefined) expect(Math.min(size.width, size.height)).toBeGreaterThan(0);
    expect(thumbnail?.length ?? 0).toBeLessThanOrEqual(0xffff + 36);
  };
  for (let length = 0; length < 400; length++) check(file.subarray(0, length));
  for (let round = 0; round < 5000; round++) {
    const bytes = Buffer.from(file);
    for (let change = 0; change <= next(6); change++) bytes[next(next(2) === 0 ? 80 : bytes.length)] = next(256);
    check(bytes);
  }
  check(Buffer.concat([hex("ffd8"), Buffer.alloc(131_072, 0xff)]));
  check(Buffer.concat([hex("ffd8"), ...Array.from({ length: 20_000 }, () => hex("ffe1 0008 45786966 0000"))]));
});
