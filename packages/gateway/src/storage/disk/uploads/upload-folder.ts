/**
 * The files of a multipart upload, below `.daypass/uploads/<id>/`: the common file `data` for parts with a position in it (see
 * `database/uploads-writer.ts`), and one file for each other part.
 */
import { closeSync, constants, fstatSync, openSync, renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Ending, PartRow } from "../database/uploads-table.ts";
import { errnoOf, unavailable } from "../errors.ts";
import { syncFolder } from "../flush.ts";
import type { Layout } from "../layout.ts";
import { copyRange } from "../objects/file-bytes.ts";
import { lstatOrAbsent } from "../objects/open-file.ts";

export function uploadsFolder({ own }: Layout): string {
  return join(own, "uploads");
}

export function uploadFolder(layout: Layout, id: string): string {
  return join(uploadsFolder(layout), id);
}

/** The common file. */
export function dataPath(folder: string): string {
  return join(folder, "data");
}

/** Whether an upload whose end has begun gave its common file to the object. An abort removes the folder instead. */
export function hasLeft({ inPlace }: Ending, folder: string): boolean {
  return inPlace && lstatOrAbsent(folder) !== undefined && lstatOrAbsent(dataPath(folder)) === undefined;
}

/** The next start removes what stays. */
export async function removeUpload(layout: Layout, id: string): Promise<void> {
  await rm(uploadFolder(layout, id), { recursive: true, force: true }).catch(() => {});
}

/** Removes the folder of an open upload, durably and in one step: for the next start, an upload without a folder is aborted. */
export async function abandonUpload(layout: Layout, id: string): Promise<void> {
  const removed = join(uploadsFolder(layout), `${id}-removed`);
  try {
    renameSync(uploadFolder(layout, id), removed);
    await syncFolder(uploadsFolder(layout));
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
  await rm(removed, { recursive: true, force: true }).catch(() => {});
}

export function sizeOf(parts: readonly PartRow[]): number {
  return parts.reduce((total, { size }) => total + size, 0);
}

/** Checks that the common file has all its parts. Setting its length would fill missing bytes with zeros. */
export function expectWhole(fd: number, parts: readonly PartRow[]): void {
  const { size: length } = fstatSync(fd);
  if (parts.every(({ place, size }) => !("position" in place) || place.position + size <= length)) return;
  throw unavailable("another process truncated the parts of the upload");
}

/** Copies the parts that have files to their positions in the common file. */
export async function fillPlaces(
  folder: string,
  parts: readonly PartRow[],
  to: { readonly fd: number; readonly slotSize: number },
): Promise<void> {
  for (const part of parts) {
    if ("file" in part.place) await copyPart(folder, part, { fd: to.fd, position: (part.number - 1) * to.slotSize });
  }
}

/** Copies all parts one after the other. */
export async function joinParts(folder: string, parts: readonly PartRow[], fd: number): Promise<void> {
  let position = 0;
  for (const part of parts) {
    await copyPart(folder, part, { fd, position });
    position += part.size;
  }
}

async function copyPart(
  folder: string,
  { place, size }: PartRow,
  to: { readonly fd: number; readonly position: number },
): Promise<void> {
  const [path, start] = "file" in place ? [join(folder, place.file), 0] : [dataPath(folder), place.position];
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await copyRange({ fd, start, length: size }, to);
  } finally {
    closeSync(fd);
  }
}
