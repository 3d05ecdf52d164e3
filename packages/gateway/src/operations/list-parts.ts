import type { PermittedObject } from "../permit.ts";
import type { PartPage } from "../storage/contract/multipart.ts";
import type { OperationContext } from "./operation-context.ts";

export interface ListParts {
  readonly operation: "list-parts";
  readonly object: PermittedObject;
  readonly uploadId: string;
  /** Parts of higher numbers. */
  readonly after: number;
  /** May be 0. */
  readonly limit: number;
}

export interface ListedParts {
  readonly kind: "parts";
  readonly page: PartPage;
  readonly request: ListParts;
}

/**
 * Lists the parts that an upload has.
 * @throws {StorageError} `NO_SUCH_UPLOAD`, `NO_SUCH_BUCKET`
 */
export async function listParts(request: ListParts, { storage }: OperationContext): Promise<ListedParts> {
  const { object, uploadId, after, limit } = request;
  const upload = { ...object, uploadId };
  const page =
    limit === 0
      ? { upload: await storage.getUpload(upload), parts: [], truncated: false }
      : await storage.listParts(upload, { after, limit });
  return { kind: "parts", page, request };
}
