import type { PermittedPrefix } from "../permit.ts";
import type { ListUploadsOptions, UploadPage } from "../storage/contract/multipart.ts";
import type { OperationContext } from "./operation-context.ts";

export interface ListUploads {
  readonly operation: "list-uploads";
  /** The bucket and what keys begin with. */
  readonly keys: PermittedPrefix;
  readonly delimiter: string | undefined;
  /** The list goes on behind this key, empty for the beginning, */
  readonly keyMarker: string;
  /** and for that key behind this upload; without one the key is done. */
  readonly uploadIdMarker: string;
  /** May be 0. */
  readonly limit: number;
  /** How the answer is to write keys. */
  readonly urlEncoded: boolean;
}

export interface ListedUploads {
  readonly kind: "uploads";
  readonly page: UploadPage;
  readonly request: ListUploads;
}

/**
 * Lists the uploads in parts that are under way.
 * @throws {StorageError} `NO_SUCH_BUCKET`
 */
export async function listUploads(request: ListUploads, { storage, signal }: OperationContext): Promise<ListedUploads> {
  const { keys, delimiter, limit } = request;
  const options = { prefix: keys.prefix, delimiter, after: positionOf(request), limit: Math.max(limit, 1), signal };
  const page = await storage.listUploads(keys.bucket, options);
  return { kind: "uploads", page: limit === 0 ? { entries: [], truncated: false } : page, request };
}

function positionOf({ keys, delimiter, keyMarker, uploadIdMarker }: ListUploads): ListUploadsOptions["after"] {
  if (keyMarker === "") return undefined;
  const { prefix } = keys;
  // The marker behind keys that were rolled up is what they have in common.
  const rolledUp = delimiter !== undefined && keyMarker.startsWith(prefix) && keyMarker.endsWith(delimiter);
  if (rolledUp && keyMarker.indexOf(delimiter, prefix.length) === keyMarker.length - delimiter.length) {
    return { prefix: keyMarker };
  }
  return { key: keyMarker, uploadId: uploadIdMarker === "" ? undefined : uploadIdMarker };
}
