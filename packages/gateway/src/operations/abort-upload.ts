import type { PermittedObject } from "../permit.ts";
import type { OperationContext } from "./operation-context.ts";

export interface AbortUpload {
  readonly operation: "abort-upload";
  readonly object: PermittedObject;
  readonly uploadId: string;
}

export interface AbortedUpload {
  readonly kind: "upload-aborted";
}

/**
 * Ends an upload in parts and forgets its parts.
 * @throws {StorageError} `NO_SUCH_UPLOAD`, `NO_SUCH_BUCKET`
 */
export async function abortUpload(
  { object, uploadId }: AbortUpload,
  { storage }: OperationContext,
): Promise<AbortedUpload> {
  await storage.abortUpload({ ...object, uploadId });
  return { kind: "upload-aborted" };
}
