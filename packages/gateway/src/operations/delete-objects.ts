import type { PermittedObject } from "../permit.ts";
import { noteDeletion } from "../pipeline/audit.ts";
import { type Refusal, toRefusal } from "../pipeline/refusal.ts";
import type { OperationContext } from "./operation-context.ts";
import { noSuchBucket } from "./refusals.ts";

export interface DeleteObjects {
  readonly operation: "delete-objects";
  readonly bucket: string;
  /** In the order of the request. One that was refused already stays where it is. */
  readonly deletions: readonly (Deletion | RefusedDeletion)[];
  /** Whether only refusals are of interest. */
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

export interface DeletedObjects {
  readonly kind: "deleted-objects";
  readonly quiet: boolean;
  readonly outcomes: readonly DeletionOutcome[];
}

export interface DeletionOutcome {
  readonly key: string;
  readonly versionId: string | undefined;
  /** `undefined` when there is no such object any more. */
  readonly refusal: Refusal | undefined;
}

/** Each deletion waits for the disk: side by side they share its flushes. */
const AT_ONCE = 16;

/**
 * Deletes objects one by one: one that cannot be deleted keeps no other from it, as long as the storage answers at all.
 * @throws {Refusal} `NO_SUCH_BUCKET`, `UNAVAILABLE`, `INTERNAL`
 */
export async function deleteObjects(
  { bucket, deletions, quiet }: DeleteObjects,
  { storage, signal, journal }: OperationContext,
): Promise<DeletedObjects> {
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
  for (let start = 0; start < deletions.length; start += AT_ONCE) {
    const done = await Promise.all(deletions.slice(start, start + AT_ONCE).map(remove));
    for (const { key, refusal } of done) noteDeletion(journal, { bucket, key, code: refusal?.code });
    // The operator finds its cause under the request only if it is the request that fails.
    const fault = done.find(({ refusal }) => refusal?.code === "INTERNAL")?.refusal;
    if (fault !== undefined) throw fault;
    const failed = done.filter(({ refusal }) => refusal?.code === "UNAVAILABLE");
    journal.error ??= failed[0]?.refusal?.cause;
    // A storage that does not answer may take a minute for each sixteen of a thousand. Some of them may be refused without asking it.
    if (failed.length > 0 && start + AT_ONCE < deletions.length) await expectBucket();
    outcomes.push(...done);
  }
  return { kind: "deleted-objects", quiet, outcomes };
}
