import type { PermittedObject } from "../permit.ts";
import type { UploadChecksum, UploadInfo } from "../storage/contract/multipart.ts";
import type { StoredHeaders } from "../storage/contract/storage.ts";
import type { OperationContext } from "./operation-context.ts";

export interface CreateUpload {
  readonly operation: "create-upload";
  readonly object: PermittedObject;
  readonly contentType: string | undefined;
  readonly headers: StoredHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly checksum: UploadChecksum | undefined;
}

export interface CreatedUpload {
  readonly kind: "upload-created";
  readonly upload: UploadInfo;
}

/**
 * Begins an upload in parts.
 * @throws {StorageError} `NO_SUCH_BUCKET`, `KEY_NOT_STORABLE`, `UNAVAILABLE`
 */
export async function createUpload(
  { object, contentType, headers, metadata, tags, checksum }: CreateUpload,
  { storage, signal }: OperationContext,
): Promise<CreatedUpload> {
  const options = { contentType, headers, metadata, tags, checksum, signal };
  return { kind: "upload-created", upload: await storage.createUpload(object, options) };
}
