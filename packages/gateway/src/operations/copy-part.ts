import type { PermittedObject } from "../permit.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { PartInfo } from "../storage/contract/multipart.ts";
import type { ByteRange } from "../storage/contract/storage.ts";
import { findSource, type SourceRequest } from "./copy-object.ts";
import type { OperationContext } from "./operation-context.ts";
import { noSuchSource } from "./refusals.ts";

export interface CopyPart extends SourceRequest {
  readonly operation: "copy-part";
  readonly object: PermittedObject;
  readonly uploadId: string;
  readonly number: number;
  /** All bytes of the source if omitted. Unlike the range of a download, the range must lie within the source. */
  readonly range: ByteRange | undefined;
}

/**
 * Creates a part from an object's bytes.
 * @throws {Refusal} `NO_SUCH_KEY`, `PRECONDITION_FAILED`, `COPY_RANGE`, `COPY_SOURCE_TOO_LARGE`
 * @throws {StorageError} `NO_SUCH_UPLOAD` and the codes of `Storage.copyPart`
 */
export async function copyPart(request: CopyPart, context: OperationContext): Promise<PartInfo> {
  const { source, object, uploadId, number, range, maxBytes } = request;
  const { storage, signal } = context;
  const upload = { ...object, uploadId };
  await storage.getUpload(upload);
  // The limit applies to the part, not to the source.
  const { etag, size } = await findSource({ ...request, maxBytes: range === undefined ? maxBytes : Infinity }, context);
  if (range !== undefined && range.end >= size) {
    const message = `the range ends at byte ${range.end}, and the source has ${size} bytes. Copy a range within it`;
    throw new Refusal("COPY_RANGE", message, { size, range: `bytes=${range.start}-${range.end}` });
  }
  if (range !== undefined && range.end - range.start + 1 > maxBytes) {
    throw new Refusal("COPY_SOURCE_TOO_LARGE", `the range is longer than ${maxBytes} bytes. Copy a shorter one`, {
      limit: maxBytes,
    });
  }
  const part = await storage.copyPart(upload, number, source, { range, sourceEtag: etag, signal });
  if (part === undefined) throw noSuchSource(source);
  return part;
}
