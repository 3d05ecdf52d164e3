import { type Conditions, evaluateConditions } from "../http/conditional.ts";
import type { PermittedObject } from "../permit.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { type CopyOptions, isStorageError, type ObjectInfo } from "../storage/contract/storage.ts";
import type { OperationContext } from "./operation-context.ts";
import { conditionFailed, noSuchBucket, noSuchSource } from "./refusals.ts";
import { expectConditions, type WriteConditions, withConditions } from "./write-conditions.ts";

export interface SourceRequest {
  /** Permitted as a separate read: a grant to write the target says nothing about the source (CVE-2026-54330). */
  readonly source: PermittedObject;
  /** Conditions on the source. */
  readonly conditions: Conditions | undefined;
  readonly maxBytes: number;
}

export interface CopyObject extends SourceRequest, WriteConditions, Pick<CopyOptions, "replace" | "tags" | "checksum"> {
  readonly operation: "copy-object";
  readonly object: PermittedObject;
}

/** A client may replace the source during the copy. After so many changes the copy gives up. */
const ATTEMPTS = 5;

/**
 * Stores the bytes of one object as another.
 * @throws {Refusal} `NO_SUCH_KEY`, `PRECONDITION_FAILED`, `COPY_SOURCE_TOO_LARGE`, `CONFLICT`
 * @throws {StorageError} every code of `Storage.copy`
 */
export async function copyObject(request: CopyObject, context: OperationContext): Promise<ObjectInfo> {
  const { source, object, replace, tags, checksum, createOnly, ifMatch } = request;
  const { storage, signal } = context;
  await expectConditions(object, request, context);
  for (let attempt = 1; ; attempt++) {
    const sourceEtag = (await findSource(request, context)).etag;
    const ifNoneMatch = createOnly ? "*" : undefined;
    const options = { sourceEtag, replace, tags, checksum, ifNoneMatch, ifMatch, signal } as const;
    const copied = await withConditions(object, request, context, async () => {
      try {
        return { info: await storage.copy(source, object, options) };
      } catch (error) {
        if (!isStorageError(error) || error.code !== "PRECONDITION_FAILED" || attempt === ATTEMPTS) throw error;
        // Read the source again if the source changed between the look and the copy.
        const current = await storage.head(source, { signal });
        if (current !== undefined && current.etag === sourceEtag) throw error;
        return undefined;
      }
    });
    if (copied === undefined) continue;
    if (copied.info === undefined) throw noSuchSource(source);
    return copied.info;
  }
}

/**
 * Returns the source of a copy.
 * @throws {Refusal} `NO_SUCH_KEY`, `PRECONDITION_FAILED`, `COPY_SOURCE_TOO_LARGE`
 */
export async function findSource(
  { source, conditions, maxBytes }: SourceRequest,
  { storage, now, signal }: OperationContext,
): Promise<ObjectInfo> {
  const info = await storage.head(source, { signal }).catch((error: unknown) => {
    // A copy names two buckets, so the refusal names the missing one.
    throw isStorageError(error) && error.code === "NO_SUCH_BUCKET" ? noSuchBucket(source.bucket) : error;
  });
  if (info === undefined) throw noSuchSource(source);
  // S3 treats "not modified" as a failed condition of a copy.
  if (conditions !== undefined && evaluateConditions(conditions, info, { access: "read", now }) !== "ok") {
    throw conditionFailed(`x-amz-copy-source-${failedCondition(conditions)}`);
  }
  if (info.size > maxBytes) {
    const message = `the source has ${info.size} bytes, and a copy at most ${maxBytes}. Copy it in parts`;
    throw new Refusal("COPY_SOURCE_TOO_LARGE", message, { size: info.size, limit: maxBytes });
  }
  return info;
}

function failedCondition({ ifMatch, ifNoneMatch, ifUnmodifiedSince }: Conditions): string {
  if (ifMatch !== undefined) return "If-Match";
  if (ifUnmodifiedSince !== undefined && ifNoneMatch === undefined) return "If-Unmodified-Since";
  return ifNoneMatch === undefined ? "If-Modified-Since" : "If-None-Match";
}
