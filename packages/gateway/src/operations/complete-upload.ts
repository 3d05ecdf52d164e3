import type { PermittedObject } from "../permit.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { ChecksumType, CompletedUpload, NamedPart, UploadInfo } from "../storage/contract/multipart.ts";
import { type ChecksumAlgorithm, isStorageError, type ObjectRef } from "../storage/contract/storage.ts";
import type { OperationContext } from "./operation-context.ts";
import { type WriteConditions, withConditions } from "./write-conditions.ts";

export interface CompleteUpload extends WriteConditions {
  readonly operation: "complete-upload";
  readonly object: PermittedObject;
  readonly uploadId: string;
  /** In the order of their numbers. */
  readonly parts: readonly NamedPart[];
  /** The declared checksum of the whole object. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
  readonly checksumType: ChecksumType | undefined;
  /** Declared bytes of the whole object. */
  readonly size: number | undefined;
  readonly minPartSize: number;
  readonly maxSize: number;
}

/**
 * Joins the parts of an upload into an object.
 * @throws {Refusal} `CHECKSUM_ALGORITHM`, `CHECKSUM_TYPE`, `PART_CHECKSUM_MISSING`, `PRECONDITION_FAILED`, `CONFLICT`, `NO_SUCH_KEY`
 * @throws {StorageError} every code of `Storage.completeUpload`
 */
export async function completeUpload(request: CompleteUpload, context: OperationContext): Promise<CompletedUpload> {
  const { object, uploadId, parts, checksum, size, minPartSize, maxSize, createOnly, ifMatch } = request;
  const { storage, signal } = context;
  const upload = { ...object, uploadId };
  const info = await findUpload(upload, context);
  if (info !== undefined) checkChecksums(info, request);
  return withConditions(object, request, context, () =>
    storage.completeUpload(upload, parts, {
      minPartSize,
      maxSize,
      size,
      checksum: checksum?.value,
      ifNoneMatch: createOnly ? "*" : undefined,
      ifMatch,
      signal,
    }),
  );
}

/** `undefined` for an upload that is over: the storage knows whether the very same list completed it. */
async function findUpload(
  upload: ObjectRef & { readonly uploadId: string },
  { storage }: OperationContext,
): Promise<UploadInfo | undefined> {
  try {
    return await storage.getUpload(upload);
  } catch (error) {
    if (isStorageError(error) && error.code === "NO_SUCH_UPLOAD") return undefined;
    throw error;
  }
}

function checkChecksums({ checksum: wanted }: UploadInfo, { parts, checksum, checksumType }: CompleteUpload): void {
  if (checksumType !== undefined && wanted !== undefined && checksumType !== wanted.type) {
    const message = `the checksum type is ${checksumType}. The upload was begun with ${wanted.type}: send that`;
    throw new Refusal("CHECKSUM_TYPE", message, { expected: wanted.type });
  }
  if (checksum !== undefined && checksum.algorithm !== wanted?.algorithm) {
    const begun = wanted?.algorithm ?? "none";
    const message = `the checksum is by ${checksum.algorithm}, and the upload was begun with ${begun}. Send ${begun}`;
    throw new Refusal("CHECKSUM_ALGORITHM", message, {
      expected: wanted?.algorithm ?? "null",
      found: checksum.algorithm,
    });
  }
  if (wanted === undefined) return;
  for (const { number, algorithm, etag } of parts) {
    if (algorithm !== undefined && algorithm !== wanted.algorithm) {
      const message = `part ${number} has a checksum by ${algorithm}. Send one by ${wanted.algorithm}`;
      throw new Refusal("INVALID_PART", message, { part: number, etag });
    }
    if (algorithm === undefined && wanted.type === "COMPOSITE") {
      const message = `part ${number} has no checksum. Send one by ${wanted.algorithm} with each part`;
      throw new Refusal("PART_CHECKSUM_MISSING", message, { algorithm: wanted.algorithm, part: number });
    }
  }
}
