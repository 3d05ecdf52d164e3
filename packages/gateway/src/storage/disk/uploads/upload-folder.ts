/**
 * Where the bytes of an upload in parts lie: below `.daypass/uploads/<id>/`, in the common file `data` where a part has a place in it
 * (`index/uploads-writer.ts`), else in a file of its own.
 */
import { renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Ending } from "../database/uploads-table.ts";
import { errnoOf } from "../errors.ts";
import type { Layout } from "../layout.ts";
import { syncFolder } from "../flush.ts";
import { lstatOrAbsent } from "../objects/open-file.ts";

export function uploadsFolder({ own }: Layout): string {
  return join(own, "uploads");
}

export function uploadFolder(layout: Layout, id: string): string {
  return join(uploadsFolder(layout), id);
}

/** The file in which parts lie at their final place. */
export function dataPath(folder: string): string {
  return join(folder, "data");
}

/**
 * Whether the common file has left the folder of an upload whose end was begun: nothing but that end takes it away, and nobody makes it
 * anew. An abort takes the folder.
 */
export function hasLeft({ inPlace }: Ending, folder: string): boolean {
  return inPlace && lstatOrAbsent(folder) !== undefined && lstatOrAbsent(dataPath(folder)) === undefined;
}

/** What is left over is removed by the next start. */
export async function removeUpload(layout: Layout, id: string): Promise<void> {
  await rm(uploadFolder(layout, id), { recursive: true, force: true }).catch(() => {});
}

/** Takes the folder of an open upload away, durably and in one step: the next start takes an upload without one for aborted. */
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
