import { incomplete, tooLarge } from "./multipart-error.ts";

const SMALL_PIECE = 1024;

/** The bytes of a body, in pieces that the caller asks for and not in those that it came in. */
export interface MultipartReader {
  /** Puts bytes back in front. */
  unread(bytes: Uint8Array): void;
  /** Exactly so many bytes. */
  take(count: number): Promise<Uint8Array>;
  /** Whether these bytes come next. Takes none. */
  startsWith(bytes: Uint8Array): Promise<boolean>;
  /** All bytes before `end`, and takes that as well. */
  until(end: Uint8Array, most: number, expected?: string): Promise<Uint8Array>;
  /** Bytes that are certainly before `end`; `found` once it was taken. */
  before(end: Uint8Array): Promise<{ readonly bytes: Uint8Array; readonly found: boolean }>;
  /** Reads to the end. Whether there are line ends alone; throws where it is further than `most` bytes away. */
  isBlank(most: number): Promise<boolean>;
}

export function multipartReader(body: AsyncIterable<Uint8Array>): MultipartReader {
  const source = body[Symbol.asyncIterator]();
  let held = new Uint8Array(0);

  /** Puts bytes behind those that are held. Small pieces are given room for others: who sends byte by byte has each copied once. */
  function append(value: Uint8Array): void {
    if (held.byteOffset + held.length + value.length > held.buffer.byteLength) {
      const room = value.length < SMALL_PIECE ? held.length + SMALL_PIECE : 0;
      const larger = new Uint8Array(held.length + value.length + room);
      larger.set(held);
      held = larger.subarray(0, held.length);
    }
    const longer = new Uint8Array(held.buffer, held.byteOffset, held.length + value.length);
    longer.set(value, held.length);
    held = longer;
  }

  /** Adds what comes next to what is held; `false` at the end. */
  async function more(): Promise<boolean> {
    for (;;) {
      const { done, value } = await source.next();
      if (done === true) return false;
      if (value.length === 0) continue;
      if (held.length === 0) held = new Uint8Array(value);
      else append(value);
      return true;
    }
  }

  function cut(count: number): Uint8Array {
    const bytes = held.subarray(0, count);
    held = held.subarray(count);
    return bytes;
  }

  return {
    unread(bytes) {
      held = concat(bytes, held);
    },
    async take(count) {
      while (held.length < count) if (!(await more())) throw incomplete();
      return cut(count);
    },
    async startsWith(bytes) {
      while (held.length < bytes.length) if (!(await more())) return false;
      return indexOf(held.subarray(0, bytes.length), bytes, 0) === 0;
    },
    async until(end, most, expected = "fields within the limit before the file") {
      let from = 0;
      for (;;) {
        const at = indexOf(held, end, from);
        if (at >= 0 && at <= most) {
          const bytes = cut(at);
          cut(end.length);
          return bytes;
        }
        if (at >= 0 || held.length > most + end.length) throw tooLarge(expected);
        from = Math.max(0, held.length - end.length);
        if (!(await more())) throw incomplete();
      }
    },
    async before(end) {
      for (;;) {
        const at = indexOf(held, end, 0);
        if (at >= 0) {
          const bytes = cut(at);
          cut(end.length);
          return { bytes, found: true };
        }
        // The last bytes may be the beginning of the boundary.
        const safe = held.length - end.length + 1;
        if (safe > 0) return { bytes: cut(safe), found: false };
        if (!(await more())) throw incomplete();
      }
    },
    async isBlank(most) {
      let size = 0;
      let isBlank = true;
      do {
        size += held.length;
        isBlank &&= held.every((byte) => byte === 13 || byte === 10);
        held = new Uint8Array(0);
      } while (size <= most && (await more()));
      if (size > most) throw tooLarge("next to nothing after the file");
      return isBlank;
    },
  };
}

/** `indexOf` of a typed array finds the first byte at the speed of the engine; the rest is compared by hand. */
function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const [first = 0] = wanted;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (at + wanted.length > bytes.length) return -1;
    let i = 1;
    while (i < wanted.length && bytes[at + i] === wanted[i]) i++;
    if (i === wanted.length) return at;
  }
  return -1;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
