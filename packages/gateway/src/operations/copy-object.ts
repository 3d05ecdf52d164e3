import { type Conditions, evaluateConditions } from "../http/conditional.ts";
import type { PermittedObject } from "../permit.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { type CopyOptions, isStorageError, type ObjectInfo, type StoredHeaders } from "../storage/contract/storage.ts";
import type { OperationContext } from "./operation-context.ts";
import { noSuchBucket } from "./refusals.ts";
import { conditionFailed, expectConditions, type WriteConditions, withConditions } from "./write-conditions.ts";

export interface CopyObject extends WriteConditions {
  readonly operation: "copy-object";
  /** Permitted as a read of its own: the right to write the target says nothing about it (CVE-2026-54330). */
  readonly source: PermittedObject;
  readonly object: PermittedObject;
  /** On the source. */
  readonly conditions: Conditions | undefined;
  /** What the copy has instead of what the source has. */
  readonly replace:
    | {
        readonly contentType: string | undefined;
        readonly headers: StoredHeaders;
        readonly metadata: Readonly<Record<string, string>>;
      }
    | undefined;
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly checksum: CopyOptions["checksum"];
  readonly maxBytes: number;
}

export interface CopiedObject {
  readonly kind: "copied";
  readonly info: ObjectInfo;
}

/** A source that is replaced more often than this while one request copies it is not going to hold still. */
const ATTEMPTS = 5;

/**
 * Stores the bytes of one object as another.
 * @throws {Refusal} `NO_SUCH_KEY`, `PRECONDITION_FAILED`, `COPY_SOURCE_TOO_LARGE`, `CONFLICT`
 * @throws {StorageError} every code of `Storage.copy`
 */
export async function copyObject(request: CopyObject, context: OperationContext): Promise<CopiedObject> {
  const { source, object, replace, tags, checksum, createOnly, ifMatch } = request;
  const { storage, signal } = context;
  await expectConditions(object, request, context);
  for (let attempt = 1; ; attempt++) {
    const sourceEtag = (await findSource(request, context)).etag;
    const options = {
      sourceEtag,
      replace,
      tags,
      checksum,
      ifNoneMatch: createOnly ? "*" : undefined,
      ifMatch,
      signal,
    } as const;
    const copied = await withConditions(object, request, context, async () => {
      try {
        return { info: await storage.copy(source, object, options) };
      } catch (error) {
        if (!isStorageError(error) || error.code !== "PRECONDITION_FAILED" || attempt === ATTEMPTS) throw error;
        // If it was the source that changed between the look and the copy: look again.
        const current = await storage.head(source, { signal });
        if (current !== undefined && current.etag === sourceEtag) throw error;
        return undefined;
      }
    });
    if (copied === undefined) continue;
    if (copied.info === undefined) throw noSuchSource(source);
    return { kind: "copied", info: copied.info };
  }
}

export interface SourceRequest {
  readonly source: PermittedObject;
  readonly conditions: Conditions | undefined;
  readonly maxBytes: number;
}

/**
 * The source of a copy, if it may be copied.
 * @throws {Refusal} `NO_SUCH_KEY`, `PRECONDITION_FAILED`, `COPY_SOURCE_TOO_LARGE`
 */
export async function findSource(
  { source, conditions, maxBytes }: SourceRequest,
  { storage, now, signal }: OperationContext,
): Promise<ObjectInfo> {
  const info = await storage.head(source, { signal }).catch((error: unknown) => {
    // Of two buckets, which one it is that is not there.
    throw isStorageError(error) && error.code === "NO_SUCH_BUCKET" ? noSuchBucket(source.bucket) : error;
  });
  if (info === undefined) throw noSuchSource(source);
  // A copy that "has not been modified" is not made; for S3 that is a condition that did not hold.
  if (conditions !== undefined && evaluateConditions(conditions, info, { access: "read", now }) !== "ok") {
    throw conditionFailed(`x-amz-copy-source-${failedCondition(conditions)}`);
  }
  if (info.size > maxBytes) {
    throw new Refusal("COPY_SOURCE_TOO_LARGE", `expected a source of at most ${maxBytes} bytes, found ${info.size}`, {
      size: info.size,
      limit: maxBytes,
    });
  }
  return info;
}

function failedCondition({ ifMatch, ifNoneMatch, ifUnmodifiedSince }: Conditions): string {
  if (ifMatch !== undefined) return "If-Match";
  if (ifUnmodifiedSince !== undefined && ifNoneMatch === undefined) return "If-Unmodified-Since";
  return ifNoneMatch === undefined ? "If-Modified-Since" : "If-None-Match";
}

export function noSuchSource({ key }: PermittedObject): Refusal {
  return new Refusal("NO_SUCH_KEY", "expected an object to copy, found none", { key });
}
