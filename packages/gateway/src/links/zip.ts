/** Zips of stored entries, made while they are sent. */

import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
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

async function* fileBytes(file: Extract<Body, { kind: "file" }>): AsyncGenerator<Uint8Array> {
  try {
    if (file.length === 0) return;
    const options = { fd: file.fd, start: file.start, end: file.start + file.length - 1, autoClose: false };
    yield* createReadStream("", options) as AsyncIterable<Uint8Array>;
  } finally {
    file.close();
  }
}
