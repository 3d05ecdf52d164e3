/** The bytes of the parts of an upload become those of one file. */
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { join } from "node:path";
import { StorageError } from "../../contract/storage.ts";
import type { PartRow } from "../database/uploads-table.ts";
import { copyRange } from "../objects/file-bytes.ts";
import { dataPath } from "./upload-folder.ts";

const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW;

export function sizeOf(parts: readonly PartRow[]): number {
  return parts.reduce((total, { size }) => total + size, 0);
}

/** Cutting the common file to its length would fill up with zeros what somebody has taken away of it. */
export function expectWhole(fd: number, parts: readonly PartRow[]): void {
  const { size: there } = fstatSync(fd);
  if (parts.every(({ place, size }) => !("position" in place) || place.position + size <= there)) return;
  throw new StorageError("UNAVAILABLE", "another process truncated the parts of the upload");
}

/** Copies into the common file the parts that lie elsewhere. What is in their places there was given up. */
export async function fillPlaces(
  folder: string,
  parts: readonly PartRow[],
  to: { readonly fd: number; readonly slotSize: number },
): Promise<void> {
  for (const { number, size, place } of parts) {
    if (!("file" in place)) continue;
    await withFile(join(folder, place.file), (fd) =>
      copyRange({ fd, start: 0, length: size }, { fd: to.fd, position: (number - 1) * to.slotSize }),
    );
  }
}

/** Copies all parts one after the other. */
export async function joinParts(folder: string, parts: readonly PartRow[], to: number): Promise<void> {
  let position = 0;
  for (const { size, place } of parts) {
    const [path, start] = "file" in place ? [join(folder, place.file), 0] : [dataPath(folder), place.position];
    await withFile(path, (fd) => copyRange({ fd, start, length: size }, { fd: to, position }));
    position += size;
  }
}

async function withFile(path: string, step: (fd: number) => Promise<void>): Promise<void> {
  const fd = openSync(path, READ_FLAGS);
  try {
    await step(fd);
  } finally {
    closeSync(fd);
  }
}
