/** Operations on a multipart upload before its completion. */
import type { PermittedObject, PermittedPrefix } from "../permit.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type {
  CreateUploadOptions,
  ListUploadsOptions,
  PartInfo,
  PartPage,
  PutPartOptions,
  UploadEntry,
  UploadInfo,
  UploadPage,
} from "../storage/contract/multipart.ts";
import type { OperationContext } from "./operation-context.ts";
import { expectAnnounced } from "./refusals.ts";
import { visiblePage } from "./visible-page.ts";

export interface CreateUpload extends Omit<CreateUploadOptions, "signal"> {
  readonly operation: "create-upload";
  readonly object: PermittedObject;
}

/** @throws {StorageError} `NO_SUCH_BUCKET`, `KEY_NOT_STORABLE`, `UNAVAILABLE` */
export async function createUpload(
  { operation: _, object, ...options }: CreateUpload,
  { storage, signal }: OperationContext,
): Promise<UploadInfo> {
  return storage.createUpload(object, { ...options, signal });
}

export interface PutPart extends Omit<PutPartOptions, "signal"> {
  readonly operation: "put-part";
  readonly object: PermittedObject;
  readonly uploadId: string;
  readonly number: number;
  readonly body: AsyncIterable<Uint8Array>;
  readonly maxBytes: number;
}

/**
 * Stores a part of an upload.
 * @throws {Refusal} `TOO_LARGE`; `CHECKSUM_ALGORITHM` if the upload has another checksum
 * @throws {StorageError} `NO_SUCH_UPLOAD` and the codes of `Storage.putPart`
 */
export async function putPart(request: PutPart, { storage, signal }: OperationContext): Promise<PartInfo> {
  const { object, uploadId, number, body, contentLength, maxBytes, digests, checksum } = request;
  expectAnnounced(contentLength, maxBytes);
  const upload = { ...object, uploadId };
  const { checksum: wanted } = await storage.getUpload(upload);
  const found = checksum?.algorithm;
  // The storage computes a checksum of all bytes itself. A checksum of checksums needs one from the client for each part.
  if (wanted !== undefined && found !== wanted.algorithm && (found !== undefined || wanted.type === "COMPOSITE")) {
    const message = `the part has ${found === undefined ? "no checksum" : `a checksum by ${found}`}. Send one by ${wanted.algorithm}`;
    throw new Refusal("CHECKSUM_ALGORITHM", message, { expected: wanted.algorithm, found: found ?? "null" });
  }
  return storage.putPart(upload, number, body, { contentLength, maxBytes, digests, checksum, signal });
}

export interface ListParts {
  readonly operation: "list-parts";
  readonly object: PermittedObject;
  readonly uploadId: string;
  /** Only parts with higher numbers. */
  readonly after: number;
  /** May be 0. */
  readonly limit: number;
}

/** @throws {StorageError} `NO_SUCH_UPLOAD`, `NO_SUCH_BUCKET` */
export async function listParts(
  { object, uploadId, after, limit }: ListParts,
  { storage }: OperationContext,
): Promise<PartPage> {
  const upload = { ...object, uploadId };
  return limit === 0
    ? { upload: await storage.getUpload(upload), parts: [], truncated: false }
    : storage.listParts(upload, { after, limit });
}

export interface ListUploads {
  readonly operation: "list-uploads";
  readonly keys: PermittedPrefix;
  readonly delimiter: string | undefined;
  readonly after: ListUploadsOptions["after"];
  /** May be 0. */
  readonly limit: number;
}

/** @throws {StorageError} `NO_SUCH_BUCKET` */
export async function listUploads(
  { keys, delimiter, after, limit }: ListUploads,
  { storage, signal }: OperationContext,
): Promise<UploadPage> {
  const options = { after, limit: Math.max(limit, 1) };
  const page = await visiblePage<UploadEntry>(keys, options, (more) =>
    storage.listUploads(keys.bucket, { prefix: keys.prefix, delimiter, signal, ...more }),
  );
  return limit === 0 ? { entries: [], truncated: false } : page;
}

export interface AbortUpload {
  readonly operation: "abort-upload";
  readonly object: PermittedObject;
  readonly uploadId: string;
}

/** @throws {StorageError} `NO_SUCH_UPLOAD`, `NO_SUCH_BUCKET` */
export async function abortUpload({ object, uploadId }: AbortUpload, { storage }: OperationContext): Promise<void> {
  await storage.abortUpload({ ...object, uploadId });
}
