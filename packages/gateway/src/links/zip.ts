/** Zips of stored entries, made while they are sent. */

import { read } from "node:fs";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { makeZip } from "client-zip";
import type { Body } from "../storage/contract/storage.ts";
import { unchecked } from "../unchecked.ts";

/** One file of a zip. */
export interface ZipEntry {
  readonly name: string;
  readonly lastModified: Date;
  /** Bytes. */
  readonly size: number;
  readonly input: AsyncIterable<Uint8Array>;
}

/** A zip. It reads each entry when its turn comes. */
export function zipOf(entries: AsyncIterable<ZipEntry>): AsyncIterable<Uint8Array> {
  return unchecked(makeZip(entries));
}

/** A Node stream of bytes. */
export function streamOf(bytes: AsyncIterable<Uint8Array>): Readable {
  return Readable.from(bytes, { objectMode: false });
}

const CHUNK = 64 * 1024;
const readAt = promisify(read);

/** The bytes of a body, which it releases. */
export async function* bytesOf(body: Body): AsyncGenerator<Uint8Array> {
  switch (body.kind) {
    case "bytes":
      yield body.bytes;
      return;
    case "redirect":
      yield* body.bytes().stream;
      return;
    case "stream":
      yield* body.stream;
      return;
    case "file":
      yield* fileBytes(body);
  }
}

/** Not a read stream: a reader that stops early would destroy it, and it would close the descriptor, which it does not own. */
async function* fileBytes(file: Extract<Body, { kind: "file" }>): AsyncGenerator<Uint8Array> {
  const { fd, start, length } = file;
  try {
    for (let done = 0; done < length; ) {
      const wanted = Math.min(CHUNK, length - done);
      const { bytesRead, buffer } = await readAt(fd, Buffer.allocUnsafe(wanted), 0, wanted, start + done);
      if (bytesRead === 0) return;
      done += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    file.close();
  }
}
