/** A durable delete: intent → unlink → flush of the folder. */
import { closeSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { matches, preconditionFailed } from "../../contract/preconditions.ts";
import type { DeleteOptions, ObjectRef } from "../../contract/storage.ts";
import type { ClaimOutcome, DiskIndex } from "../database/contract.ts";
import { noSuchBucket } from "../errors.ts";
import { syncFolder } from "../flush.ts";
import type { ObjectFinder } from "./find-object.ts";
import { lstatOrAbsent, openRegular } from "./open-file.ts";

export type RemoveObject = (ref: ObjectRef, options: DeleteOptions) => Promise<boolean>;

export function objectRemover({ layout, writer }: DiskIndex, finder: ObjectFinder): RemoveObject {
  /** A file system that folds names may find the file of another key here. */
  function isOwnFile(base: string, path: string): boolean {
    const found = lstatOrAbsent(path);
    return found === undefined || layout.isSpelledSo(base, path, found.dev);
  }

  return async (ref, { ifMatch }) => {
    if (!layout.hasBucket(ref.bucket)) throw noSuchBucket(ref.bucket);
    const places = layout.places(ref);
    if (places === undefined || (await finder.inspect(ref)) === undefined) {
      if (ifMatch !== undefined) throw preconditionFailed();
      return false;
    }
    const claim = await writer.claim(ref, { kind: "delete" });
    let outcome: ClaimOutcome = "abandoned";
    try {
      if (ifMatch !== undefined && !matches(ifMatch, await finder.inspect(ref))) throw preconditionFailed();
      outcome = "unknown";
      const { hashed, plain, base } = places;
      // Both places: the plain file may have hidden a hashed one, which must not reappear.
      const paths = plain !== undefined && isOwnFile(base, plain) ? [hashed, plain] : [hashed];
      const removed = paths.filter(unlinkRegular);
      for (const path of removed) await syncFolder(dirname(path));
      outcome = "deleted";
      return removed.length > 0;
    } finally {
      claim.finish(outcome);
    }
  };
}

/** Unlinks a file that a reader could have opened. */
function unlinkRegular(path: string): boolean {
  const opened = openRegular(path);
  if (opened === undefined) return false;
  closeSync(opened.fd);
  unlinkSync(path);
  return true;
}
