import type { PermittedObject } from "../permit.ts";
import { noteDeletion } from "../pipeline/access-log.ts";
import { type Refusal, toRefusal } from "../pipeline/refusal.ts";
import type { OperationContext } from "./operation-context.ts";
import { noSuchBucket } from "./refusals.ts";

export interface DeleteObjects {
  readonly operation: "delete-objects";
  readonly bucket: string;
  /** In the order of the request. An entry that was refused before stays in its place. */
  readonly deletions: readonly (Deletion | RefusedDeletion)[];
  /** Whether the answer names only refusals. */
  readonly quiet: boolean;
}

export interface Deletion {
  readonly object: PermittedObject;
  readonly versionId: string | undefined;
  /** ETag without quotes, or `*`. */
  readonly ifMatch: string | undefined;
}

export interface RefusedDeletion {
  readonly key: string;
  readonly versionId: string | undefined;
  readonly refusal: Refusal;
}

export interface DeletionOutcome {
  readonly key: string;
  readonly versionId: string | undefined;
  /** `undefined` after a deletion, or if there was no such object. */
  readonly refusal: Refusal | undefined;
}

/** Concurrent deletions share the flushes of the disk. */
const CONCURRENCY = 16;

/**
 * Deletes objects one by one. A refused deletion does not stop the others, as long as the storage answers.
 * @throws {Refusal} `NO_SUCH_BUCKET`, `UNAVAILABLE`, `INTERNAL`
 */
export async function deleteObjects(
  { bucket, deletions }: DeleteObjects,
  { storage, signal, journal }: OperationContext,
): Promise<{ readonly outcomes: readonly DeletionOutcome[] }> {
  async function expectBucket(): Promise<void> {
    if (!(await storage.hasBucket(bucket))) throw noSuchBucket(bucket);
  }

  async function remove(deletion: Deletion | RefusedDeletion): Promise<DeletionOutcome> {
    if ("refusal" in deletion) return deletion;
    const { object, versionId, ifMatch } = deletion;
    try {
      await storage.delete(object, { ifMatch, signal });
      return { key: object.key, versionId, refusal: undefined };
    } catch (error) {
      return { key: object.key, versionId, refusal: toRefusal(error) };
    }
  }

  await expectBucket();
  const outcomes: DeletionOutcome[] = [];
  for (let start = 0; start < deletions.length; start += CONCURRENCY) {
    const done = await Promise.all(deletions.slice(start, start + CONCURRENCY).map(remove));
    for (const { key, refusal } of done) noteDeletion(journal, { bucket, key, code: refusal?.code });
    // The log shows the cause of an unexpected error only if the whole request fails.
    const fault = done.find(({ refusal }) => refusal?.code === "INTERNAL")?.refusal;
    if (fault !== undefined) throw fault;
    const failed = done.filter(({ refusal }) => /^(?:UNAVAILABLE|STORAGE_DENIED)$/.test(refusal?.code ?? ""));
    journal.error ??= failed[0]?.refusal?.cause;
    // A storage that does not answer may need a minute for each batch. Entries that were refused before did not ask it.
    if (failed.length > 0 && start + CONCURRENCY < deletions.length) await expectBucket();
    outcomes.push(...done);
  }
  return { outcomes };
}
