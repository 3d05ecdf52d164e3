/** A durable delete: intent → unlink → flush of the folder. */
import { closeSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { matches, preconditionFailed } from "../../contract/preconditions.ts";
import type { DeleteOptions, ObjectRef } from "../../contract/storage.ts";
import type { ClaimOutcome, IndexWriter } from "../database/contract.ts";
import type { Layout } from "../layout.ts";
import { noSuchBucket } from "../refusals.ts";
import { syncFolder } from "../flush.ts";
import type { ObjectFinder } from "./find-object.ts";
import { lstatOrAbsent, openRegular } from "./open-file.ts";

export interface ObjectRemoverOptions {
  readonly layout: Layout;
  readonly writer: IndexWriter;
  readonly finder: ObjectFinder;
}

export type RemoveObject = (ref: ObjectRef, options: DeleteOptions) => Promise<boolean>;

export function objectRemover({ layout, writer, finder }: ObjectRemoverOptions): RemoveObject {
  return async (ref, options) => {
    if (!layout.hasBucket(ref.bucket)) throw noSuchBucket(ref.bucket);
    const places = layout.places(ref);
    if (places === undefined || (await finder.inspect(ref)) === undefined) {
      if (options.ifMatch !== undefined) throw preconditionFailed();
      return false;
    }
    const claim = await writer.claim(ref, { kind: "delete" });
    let outcome: ClaimOutcome = "abandoned";
    try {
      if (options.ifMatch !== undefined && !matches(options.ifMatch, await finder.inspect(ref)))
        throw preconditionFailed();
      outcome = "unknown";
      // Both places: a file that hid another must not bring it back to light.
      const { hashed, plain, base } = places;
      const isOther = plain !== undefined && isOfOtherKey(layout, base, plain);
      const removed = [hashed, isOther ? undefined : plain].filter((path) => path !== undefined && unlinkRegular(path));
      for (const path of removed) if (path !== undefined) await syncFolder(dirname(path));
      outcome = "deleted";
      return removed.length > 0;
    } finally {
      claim.finish(outcome);
    }
  };
}

/** Where the file system folds names, what is found there may be the file of a key in another spelling. */
function isOfOtherKey(layout: Layout, base: string, path: string): boolean {
  const there = lstatOrAbsent(path);
  return there !== undefined && !layout.isSpelledSo(base, path, there.dev);
}

/** Unlinks a file that a reader could have opened, and nothing else. */
function unlinkRegular(path: string): boolean {
  const opened = openRegular(path);
  if (opened === undefined) return false;
  closeSync(opened.fd);
  unlinkSync(path);
  return true;
}
