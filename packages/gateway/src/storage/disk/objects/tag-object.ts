/** Tags change in the index alone: the file stays the same, byte for byte and to the nanosecond. */
import { closeSync, fchmodSync } from "node:fs";
import { type ObjectRef, StorageError } from "../../contract/storage.ts";
import type { ClaimOutcome, IndexRow, IndexWriter } from "../database/contract.ts";
import type { Layout } from "../layout.ts";
import { noSuchBucket } from "../refusals.ts";
import type { FoundObject, ObjectFinder } from "./find-object.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { someTags } from "./store-object.ts";

export type SetTags = (ref: ObjectRef, tags: Readonly<Record<string, string>>) => Promise<boolean>;

export interface TaggerOptions {
  readonly layout: Layout;
  readonly finder: ObjectFinder;
  readonly writer: IndexWriter;
}

/** An object that is replaced more often than this while it is tagged is not going to hold still. */
const ATTEMPTS = 20;

export function objectTagger({ layout, finder, writer }: TaggerOptions): SetTags {
  /** False when another file took the key before the claim. */
  async function tag(ref: ObjectRef, found: FoundObject, tags: Readonly<Record<string, string>>): Promise<boolean> {
    const { etag, contentType, headers, metadata, checksums, parts } = found.info;
    const fingerprint = fingerprintOf(found.stats);
    const row: IndexRow = {
      ref,
      fingerprint,
      etag,
      contentType,
      headers,
      metadata,
      checksums,
      parts,
      tags: someTags(tags),
    };
    touch(found);
    const claim = await writer.claim(ref, { kind: "put", row, removes: row.tags === undefined });
    let outcome: ClaimOutcome = "unknown";
    try {
      const current = await finder.find(ref);
      const same = current !== undefined && fingerprintOf(current.stats) === fingerprint;
      if (current !== undefined) closeSync(current.fd);
      outcome = same ? "stored" : "abandoned";
    } finally {
      // Whatever went wrong: a claim that is kept would keep everybody else from the key.
      claim.finish(outcome);
    }
    if (outcome !== "stored") return false;
    touch(found);
    return true;
  }

  return async (ref, tags) => {
    for (let attempts = 0; attempts < ATTEMPTS; attempts++) {
      const found = await finder.find(ref, { parts: true });
      if (found === undefined) {
        if (!layout.hasBucket(ref.bucket)) throw noSuchBucket(ref.bucket);
        return false;
      }
      try {
        if (await tag(ref, found, tags)) return true;
      } finally {
        closeSync(found.fd);
      }
    }
    throw new StorageError("UNAVAILABLE", "the object changed each time it was to be tagged");
  };
}

/**
 * Sets the rights that the file has already: that moves its change time, by which every process knows that what it remembers
 * of the file is out of date. First it tells whether we may, before anything is written.
 */
function touch({ fd, stats }: FoundObject): void {
  fchmodSync(fd, Number(stats.mode) & 0o7777);
}
