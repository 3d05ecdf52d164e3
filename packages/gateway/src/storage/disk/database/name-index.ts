/** The part of the index writer that keeps the names of keys. */

import type { Layout } from "../layout.ts";
import type { FolderReader } from "../listing/folder-reader.ts";
import { lstatOrAbsent } from "../objects/open-file.ts";
import type { Room } from "../reserved-space.ts";
import type { IndexWriter } from "./contract.ts";
import type { IndexDatabase } from "./index-database.ts";

export function nameKeeper(options: {
  readonly database: IndexDatabase;
  readonly layout: Layout;
  readonly folders: FolderReader;
  readonly room: Room;
}): Pick<IndexWriter, "refresh" | "forget"> {
  const { database, layout, folders, room } = options;

  /** An upload that is under way may be about to rename a file to it. */
  function isGone(bucket: string, key: string): boolean {
    const places = layout.places({ bucket, key });
    const isFile = (path: string | undefined): boolean => path !== undefined && lstatOrAbsent(path)?.isFile() === true;
    return !isFile(places?.plain) && !isFile(places?.hashed) && !database.isUnsettled({ bucket, key });
  }

  return {
    refresh: (bucket, prefixes) => folders.refresh(bucket, prefixes),
    async forget(bucket, keys) {
      const gone = keys.filter((key) => isGone(bucket, key));
      if (gone.length === 0) return;
      try {
        database.lightTransaction([() => database.names.removeNames(bucket, gone)]);
      } catch (error) {
        // A name too many costs a look.
        if (!room.isForRoom(error)) throw error;
      }
    },
  };
}
