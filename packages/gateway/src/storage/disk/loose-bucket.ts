/**
 * Whether the files that lie loose in the root are the bucket `files`. A folder of that name is a bucket like any other, and then they
 * have none. That is decided once for all processes, at the start of the one that owns the index: a folder that comes or goes meanwhile
 * must neither take objects away nor show files that were in no bucket.
 */
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { syncFolder } from "./flush.ts";
import { LOOSE_BUCKET } from "./objects/key-path.ts";
import { lstatOrAbsent } from "./objects/open-file.ts";

export interface LooseBucket {
  readonly exists: boolean;
  /** They stay the bucket, at later starts as well: what was uploaded among them must not leave it because somebody makes a folder. */
  keep(): Promise<void>;
}

/** There once something was uploaded among them. */
const KEPT = "loose-files";
/** What the last start decided. */
const DECIDED = "files-bucket";

export function looseBucket(root: string, own: string, { decides }: { readonly decides: boolean }): LooseBucket {
  const kept = join(own, KEPT);
  const decided = join(own, DECIDED);
  let isKept = lstatOrAbsent(kept) !== undefined;
  const exists = decides ? decide() : (readDecision(decided) ?? decide());
  if (decides) writeDecision(decided, exists);

  function decide(): boolean {
    return isKept || lstatOrAbsent(join(root, LOOSE_BUCKET))?.isDirectory() !== true;
  }

  return {
    exists,
    async keep() {
      if (isKept || !exists) return;
      closeSync(openSync(kept, "a"));
      await syncFolder(own);
      isKept = true;
    },
  };
}

function writeDecision(path: string, exists: boolean): void {
  // First, as on a full disk nothing else may be possible: who finds none looks for itself.
  rmSync(path, { force: true });
  try {
    writeFileSync(path, exists ? "loose" : "folder");
  } catch {
    rmSync(path, { force: true });
  }
}

function readDecision(path: string): boolean | undefined {
  try {
    return readFileSync(path, "utf8") === "loose";
  } catch {
    return undefined;
  }
}
