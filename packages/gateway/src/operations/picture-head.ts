/**
 * What the first bytes of a picture say: its size, and the small picture that a camera stores in a large one (Exif 3.0 §4.5, TIFF 6.0 §2).
 * An uploader chooses the bytes: a number past their end is 0, each step of a loop goes forward, and no offset leads to a further one.
 * @module
 */

/** Pixels, as a browser shows the picture: turned as the camera says. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** What the head of a picture says. */
export interface PictureHead {
  readonly size?: PictureSize | undefined;
  /** A JPEG file, which a browser turns like the picture. */
  readonly thumbnail?: Uint8Array | undefined;
}

const MAX_SIDE = 100_000;

const FORMATS: readonly (readonly [signature: RegExp, read: (bytes: Uint8Array) => PictureHead])[] = [
  [/^\xff\xd8\xff/, readJpeg],
  [/^\x89PNG.{8}IHDR/s, (bytes) => ({ size: sizeOf(uint(bytes, 16, 4), uint(bytes, 20, 4)) })],
  [/^GIF8[79]a/, (bytes) => ({ size: sizeOf(uint(bytes, 6, -2), uint(bytes, 8, -2)) })],
  // RFC 9649: the three forms of WebP store the size in 24, 14 and 14 bits; the first two store it less one.
  [/^RIFF.{4}WEBPVP8X/s, (bytes) => ({ size: sizeOf(uint(bytes, 24, -3) + 1, uint(bytes, 27, -3) + 1) })],
  [
    /^RIFF.{4}WEBPVP8L/s,
    (bytes) => {
      const bits = uint(bytes, 21, -4);
      return { size: sizeOf((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1) };
    },
  ],
  [/^RIFF.{4}WEBPVP8 /s, (bytes) => ({ size: sizeOf(uint(bytes, 26, -2) & 0x3fff, uint(bytes, 28, -2) & 0x3fff) })],
];

/** Reads the beginning of a JPEG, PNG, GIF or WebP file. Of any other, it knows nothing. */
export function readPictureHead(bytes: Uint8Array): PictureHead {
  const start = Buffer.from(bytes.subarray(0, 16)).toString("latin1");
  return FORMATS.find(([signature]) => signature.test(start))?.[1](bytes) ?? {};
}

/** An unsigned number; of a negative length, it is little-endian. */
function uint(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let index = 0; index < Math.abs(length); index++) {
    value = value * 256 + (bytes[length < 0 ? at - length - 1 - index : at + index] ?? 0);
  }
  return value;
}

function sizeOf(width: number, height: number): PictureSize | undefined {
  return [width, height].every((side) => side > 0 && side <= MAX_SIDE) ? { width, height } : undefined;
}

/** Markers with the size of the picture: ITU-T T.81 table B.1, without the three tables among them. */
const isFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

function readJpeg(bytes: Uint8Array): PictureHead {
  let exif: Exif | undefined;
  for (let at = 2; bytes[at] === 0xff; ) {
    const marker = uint(bytes, at + 1, 1);
    // T.81 B.1.1.2: any number of 0xff may stand before a marker.
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const length = uint(bytes, at + 2, 2);
    if (isFrame(marker)) {
      const [height, width] = [uint(bytes, at + 5, 2), uint(bytes, at + 7, 2)];
      const isTurned = (exif?.orientation ?? 1) > 4;
      return { size: isTurned ? sizeOf(height, width) : sizeOf(width, height), thumbnail: exif?.thumbnail };
    }
    // The picture itself follows.
    if (marker === 0xda || length < 2) break;
    if (marker === 0xe1) exif ??= readExif(bytes.subarray(at + 4, at + 2 + length));
    at += 2 + length;
  }
  return { thumbnail: exif?.thumbnail };
}

interface Exif {
  /** From 1 (upright) to 8; from 5 on, width and height change places. */
  readonly orientation: number;
  readonly thumbnail: Uint8Array | undefined;
}

const ORIENTATION = 0x0112;
const THUMBNAIL_AT = 0x0201;
const THUMBNAIL_LENGTH = 0x0202;
/** The type of a number of two bytes. */
const SHORT = 3;
/** Entries of a directory that are read. Cameras write about 40. */
const MAX_ENTRIES = 256;

/** Reads the content of an APP1 segment; `undefined` if it is no Exif. */
function readExif(segment: Uint8Array): Exif | undefined {
  const [, order] = /^Exif\0\0(II\*\0|MM\0\*)/.exec(Buffer.from(segment.subarray(0, 10)).toString("latin1")) ?? [];
  if (order === undefined) return undefined;
  const tiff = segment.subarray(6);
  const sign = order.startsWith("II") ? -1 : 1;
  const short = (at: number): number => uint(tiff, at, 2 * sign);
  const long = (at: number): number => uint(tiff, at, 4 * sign);
  const endOf = (directory: number): number => directory + 2 + 12 * Math.min(short(directory), MAX_ENTRIES);
  const entryOf = (directory: number, tag: number): number => {
    const end = endOf(directory);
    for (let at = directory + 2; at < end; at += 12) {
      if (short(at) === tag) return short(at + 2) === SHORT ? short(at + 8) : long(at + 8);
    }
    return 0;
  };
  const first = long(4);
  // TIFF 6.0: after its entries, a directory has the offset of the next one. The second describes the thumbnail.
  const second = long(endOf(first));
  const wanted = entryOf(first, ORIENTATION);
  const orientation = wanted >= 1 && wanted <= 8 ? wanted : 1;
  const [at, length] = [entryOf(second, THUMBNAIL_AT), entryOf(second, THUMBNAIL_LENGTH)];
  const thumbnail = tiff.subarray(at, at + length);
  const isWhole = thumbnail.length === length && uint(thumbnail, 0, 3) === 0xffd8ff;
  return { orientation, thumbnail: isWhole ? turned(thumbnail, orientation) : undefined };
}

/** Writes the orientation of the picture into its thumbnail: an APP1 segment with one entry, before all others. */
function turned(thumbnail: Uint8Array, orientation: number): Uint8Array {
  const entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0];
  const exif = [...Buffer.from("Exif\0\0MM\0*\0\0\0\x08\0\x01", "latin1"), ...entry, 0, 0, 0, 0];
  return Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe1, 0, exif.length + 2, ...exif]), thumbnail.subarray(2)]);
}
