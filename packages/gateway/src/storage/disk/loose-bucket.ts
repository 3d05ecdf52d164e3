/**
 * Whether the files that lie loose in the root are the bucket `files`. A folder of that name is a bucket like any other, and then they
 * have none; but what was uploaded among them must not leave its bucket because somebody makes a folder.
 */
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { syncFolder } from "./durable.ts";
import { LOOSE_BUCKET } from "./key-path.ts";
import { lstatOrAbsent } from "./open-file.ts";

export interface LooseBucket {
  exists(): boolean;
  /** Whatever comes, they are the bucket from now on: for all processes, and after a restart. */
  keep(): Promise<void>;
}

const MARK = "loose-files";

export function looseBucket(root: string, own: string): LooseBucket {
  const mark = join(own, MARK);
  const folder = join(root, LOOSE_BUCKET);
  let isKept = lstatOrAbsent(mark) !== undefined;

  return {
    exists() {
      if (isKept || lstatOrAbsent(folder)?.isDirectory() !== true) return true;
      // Another process may have had the upload.
      isKept = lstatOrAbsent(mark) !== undefined;
      return isKept;
    },
    async keep() {
      if (isKept) return;
      closeSync(openSync(mark, "a"));
      await syncFolder(own);
      isKept = true;
    },
  };
}
