/** Why a form could not be read. */
export type MultipartFault = "malformed" | "too-large" | "no-file" | "two-files" | "incomplete";

/** The error for a form that could not be read. */
export class MultipartError extends Error {
  override readonly name = "MultipartError";
  readonly fault: MultipartFault;

  constructor(fault: MultipartFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

export function malformed(problem: string): MultipartError {
  return new MultipartError("malformed", `the form cannot be read: ${problem}`);
}

export function tooLarge(problem: string): MultipartError {
  return new MultipartError("too-large", `the form is too large: ${problem}`);
}

function incomplete(): MultipartError {
  return new MultipartError("incomplete", "the form ends before its closing boundary. Send it whole");
}

/** Reads a body in the pieces that the caller asks for. */
export interface MultipartReader {
  /** Whether these bytes come next. Reads none. */
  startsWith(bytes: Uint8Array): Promise<boolean>;
  /** Reads all bytes before `end`, and `end` itself. */
  until(end: Uint8Array, most: number, problem?: string): Promise<Uint8Array>;
  /** Reads bytes before `end`; `found` once `end` itself was read. */
  before(end: Uint8Array): Promise<{ readonly bytes: Uint8Array; readonly found: boolean }>;
  /** Reads to the end, and throws if there are more than `most` bytes. */
  skip(most: number): Promise<void>;
}

export function multipartReader(body: AsyncIterable<Uint8Array>): MultipartReader {
  const source = body[Symbol.asyncIterator]();
  // Never in the pool of small buffers, because `more` writes behind it.
  let held: Buffer = Buffer.allocUnsafeSlow(0);

  /** Reads the next chunk; `false` at the end. The memory doubles, so a body sent byte by byte is copied a few times only. */
  async function more(): Promise<boolean> {
    const { done, value } = await source.next();
    if (done === true) return false;
    const length = held.length + value.length;
    if (held.byteOffset + length > held.buffer.byteLength) {
      const larger = Buffer.allocUnsafeSlow(2 * length);
      larger.set(held);
      held = larger.subarray(0, held.length);
    }
    const end = held.length;
    held = Buffer.from(held.buffer, held.byteOffset, length);
    held.set(value, end);
    return true;
  }

  function cut(count: number): Uint8Array {
    const bytes = held.subarray(0, count);
    held = held.subarray(count);
    return bytes;
  }

  return {
    async startsWith(bytes) {
      while (held.length < bytes.length) if (!(await more())) throw incomplete();
      return held.subarray(0, bytes.length).equals(bytes);
    },
    async until(end, most, problem = "send fewer bytes before the file") {
      let from = 0;
      for (;;) {
        const at = held.indexOf(end, from);
        if (at >= 0 && at <= most) {
          const bytes = cut(at);
          cut(end.length);
          return bytes;
        }
        if (at >= 0 || held.length > most + end.length) throw tooLarge(problem);
        from = Math.max(0, held.length - end.length);
        if (!(await more())) throw incomplete();
      }
    },
    async before(end) {
      for (;;) {
        const at = held.indexOf(end);
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
    async skip(most) {
      let size = 0;
      do {
        size += held.length;
        held = Buffer.allocUnsafeSlow(0);
      } while (size <= most && (await more()));
      if (size > most) throw tooLarge("send fewer bytes after the file");
    },
  };
}
