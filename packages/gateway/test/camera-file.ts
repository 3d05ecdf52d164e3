import { readFileSync } from "node:fs";

/** A picture of 960 × 720 pixels, and one of 720 × 480. */
export const DUNES: Buffer = readFileSync(new URL("../../../tools/screens/dunes.jpg", import.meta.url));
export const LAKE: Buffer = readFileSync(new URL("../../../tools/screens/lake-morning.jpg", import.meta.url));

interface CameraFile {
  readonly picture?: Buffer;
  readonly orientation?: number;
  readonly thumbnail?: Uint8Array | undefined;
  readonly isLittle?: boolean;
  /** Bytes at least: more than a whole picture is shown of. */
  readonly size?: number;
}

/** A JPEG file as a camera writes it: its Exif has the orientation in the first directory, and the thumbnail in the second. */
export function cameraFile({
  picture = DUNES,
  orientation = 1,
  thumbnail,
  isLittle = false,
  size = 0,
}: CameraFile): Buffer {
  const number = (value: number, length: number): Buffer => {
    const bytes = Buffer.alloc(length);
    if (isLittle) bytes.writeUIntLE(value, 0, length);
    else bytes.writeUIntBE(value, 0, length);
    return bytes;
  };
  const entry = (tag: number, type: 3 | 4, value: number): Buffer =>
    Buffer.concat([
      number(tag, 2),
      number(type, 2),
      number(1, 4),
      number(value, type === 3 ? 2 : 4),
      Buffer.alloc(type === 3 ? 2 : 0),
    ]);
  const first = [number(1, 2), entry(0x0112, 3, orientation), number(thumbnail === undefined ? 0 : 26, 4)];
  const second =
    thumbnail === undefined
      ? []
      : [number(2, 2), entry(0x0201, 4, 56), entry(0x0202, 4, thumbnail.length), number(0, 4), thumbnail];
  const tiff = Buffer.concat([Buffer.from(isLittle ? "II*\0" : "MM\0*", "latin1"), number(8, 4), ...first, ...second]);
  const exif = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), tiff]);
  const head = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe1, 0, 0]), exif]);
  head.writeUInt16BE(exif.length + 2, 4);
  const file = Buffer.concat([head, picture.subarray(2)]);
  return Buffer.concat([file, Buffer.alloc(Math.max(0, size - file.length))]);
}
