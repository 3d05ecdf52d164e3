/** An opened file as the contract's `OpenObject`: in memory when it is small, else by its descriptor. */
import { closeSync, readSync } from "node:fs";
import type { BytesBody, ObjectInfo, OpenObject } from "../../contract/storage.ts";
import type { FoundObject } from "./find-object.ts";
import { isUnchanged } from "./open-file.ts";

/** Reads a small file and closes it; `undefined` when somebody has written into it since it was opened. */
export function readWhole(found: FoundObject): Uint8Array | undefined {
  const { fd, info } = found;
  try {
    const bytes = Buffer.allocUnsafeSlow(info.size);
    let done = 0;
    while (done < bytes.length) {
      const read = readSync(fd, bytes, done, bytes.length - done, done);
      if (read === 0) return undefined;
      done += read;
    }
    return isUnchanged(found) ? bytes : undefined;
  } finally {
    closeSync(fd);
  }
}

/** Holds nothing open, so it may be handed out any number of times. */
export function bytesObject(info: ObjectInfo, bytes: Uint8Array): OpenObject {
  const whole: BytesBody = { kind: "bytes", bytes };
  return {
    info,
    body: (range) =>
      range === undefined ? whole : { kind: "bytes", bytes: bytes.subarray(range.start, range.end + 1) },
    close() {},
  };
}

/** Owns the descriptor until `body` gives it away. */
export function fileObject({ fd, info, stats }: FoundObject): OpenObject {
  let owned = true;
  return {
    info,
    body(range) {
      if (!owned) throw new TypeError("body() was called a second time, or after close()");
      owned = false;
      const start = range?.start ?? 0;
      return {
        kind: "file",
        fd,
        start,
        length: range === undefined ? info.size : range.end + 1 - start,
        isUnchanged: () => isUnchanged({ fd, stats }),
        close: closeOnce(fd),
      };
    },
    close() {
      if (!owned) return;
      owned = false;
      closeSync(fd);
    },
  };
}

/** A second `close` of a number that the kernel has given out again would close a stranger's file. */
function closeOnce(fd: number): () => void {
  let open = true;
  return () => {
    if (!open) return;
    open = false;
    closeSync(fd);
  };
}
