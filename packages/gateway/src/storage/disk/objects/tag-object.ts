/** Tags change in the index alone: the bytes and the time of the file stay the same. */
import { closeSync, fchmodSync } from "node:fs";
import type { ObjectRef } from "../../contract/storage.ts";
import type { ClaimOutcome, DiskIndex } from "../database/contract.ts";
import { unavailable } from "../errors.ts";
import type { FoundObject, ObjectFinder } from "./find-object.ts";
import { fingerprintOf } from "./open-file.ts";
import { someTags } from "./store-object.ts";

export type SetTags = (ref: ObjectRef, tags: Readonly<Record<string, string>>) => Promise<boolean>;

/** An object that is replaced more often than this while it is tagged does not become stable. */
const ATTEMPTS = 20;

export function objectTagger({ writer }: DiskIndex, finder: ObjectFinder): SetTags {
  /** False if another file took the key before the claim. */
  async function tag(ref: ObjectRef, found: FoundObject, tags: Readonly<Record<string, string>>): Promise<boolean> {
    const { size: _, lastModified: __, ...info } = found.info;
    const fingerprint = fingerprintOf(found.stats);
    const row = { ...info, ref, fingerprint, tags: someTags(tags) };
    touch(found);
    const claim = await writer.claim(ref, { kind: "put", row, removes: row.tags === undefined });
    let outcome: ClaimOutcome = "unknown";
    try {
      const current = await finder.find(ref);
      const same = current !== undefined && fingerprintOf(current.stats) === fingerprint;
      if (current !== undefined) closeSync(current.fd);
      outcome = same ? "stored" : "abandoned";
    } finally {
      claim.finish(outcome);
    }
    if (outcome !== "stored") return false;
    touch(found);
    return true;
  }

  return async (ref, tags) => {
    for (let attempts = 0; attempts < ATTEMPTS; attempts++) {
      const tagged = await finder.using(ref, (found) => tag(ref, found, tags), { parts: true });
      if (tagged === undefined) return false;
      if (tagged) return true;
    }
    throw unavailable("the object changed each time it was to be tagged");
  };
}

/**
 * Sets the permissions to their current value. That updates the change time, so that every process sees that its cache is out of
 * date. The first call also proves that it is allowed, before anything is written.
 */
function touch({ fd, stats }: FoundObject): void {
  fchmodSync(fd, Number(stats.mode) & 0o7777);
}
