/** An opened file as `OpenObject`: in memory if it is small, else by its descriptor. */
import { closeSync, readSync } from "node:fs";
import type { BytesBody, ObjectInfo, OpenObject } from "../../contract/storage.ts";
import type { FoundObject } from "./find-object.ts";
import { isUnchanged } from "./open-file.ts";

/** Reads a small file and closes it; `undefined` if another process has written into it since it was opened. */
export function readWhole(found: FoundObject): Uint8Array | undefined {
  const { fd, info } = found;
  try {
    const bytes = Buffer.allocUnsafeSlow(info.size);
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(fd, bytes, done, bytes.length - done, done);
      if (read === 0) return undefined;
      done += read;
    }
    return isUnchanged(found) ? bytes : undefined;
  } finally {
    closeSync(fd);
  }
}

/** Needs no closing, so many requests may share it. */
export function bytesObject(info: ObjectInfo, bytes: Uint8Array): OpenObject {
  const whole: BytesBody = { kind: "bytes", bytes };
  return {
    info,
    body: (range) =>
      range === undefined ? whole : { kind: "bytes", bytes: bytes.subarray(range.start, range.end + 1) },
    close() {},
  };
}

/** Owns the descriptor until `body` passes it on. */
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

/** A second `close` could close another file, because the kernel reuses numbers. */
function closeOnce(fd: number): () => void {
  let open = true;
  return () => {
    if (!open) return;
    open = false;
    closeSync(fd);
  };
}
