/** The objects of a bucket that lie under the hash of their name, outside its folder. Only the names in the index lead to them. */
import { dirname } from "node:path";
import type { IndexDatabase } from "../database/index-database.ts";
import type { Layout } from "../layout.ts";
import { syncFolder } from "../flush.ts";
import { unlinkIfThere } from "./move-file.ts";
import { lstatOrAbsent } from "./open-file.ts";

/** Names looked at in one turn of the loop. */
const TURN = 500;

export interface HashedObjectsOptions {
  readonly database: Pick<IndexDatabase, "names">;
  readonly layout: Pick<Layout, "places">;
}

export async function hasHashed(bucket: string, options: HashedObjectsOptions): Promise<boolean> {
  for await (const _ of hashedPaths(bucket, options)) return true;
  return false;
}

/** Before the names go: a file that no name leads to would be found by whoever asks for its key. */
export async function removeHashed(bucket: string, options: HashedObjectsOptions): Promise<void> {
  const folders = new Set<string>();
  for await (const path of hashedPaths(bucket, options)) {
    unlinkIfThere(path);
    folders.add(dirname(path));
  }
  for (const folder of folders) await syncFolder(folder);
}

async function* hashedPaths(bucket: string, { database, layout }: HashedObjectsOptions): AsyncGenerator<string> {
  let from = { text: "", inclusive: true };
  for (;;) {
    const rows = database.names.names({ bucket, from, until: undefined, limit: TURN });
    for (const { key } of rows) {
      const path = layout.places({ bucket, key })?.hashed;
      if (path !== undefined && lstatOrAbsent(path) !== undefined) yield path;
    }
    const last = rows.at(-1);
    if (last === undefined) return;
    from = { text: last.key, inclusive: false };
    await new Promise((resolve) => setImmediate(resolve));
  }
}
