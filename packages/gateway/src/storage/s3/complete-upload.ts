import { xmlDocument } from "../../http/xml.ts";
import { optionalText } from "../../http/xml-reader.ts";
import {
  type CompletedUpload,
  type CompleteOptions,
  MAX_PARTS,
  type MultipartStorage,
  type NamedPart,
  type PartInfo,
  type UploadInfo,
  type UploadRef,
} from "../contract/multipart.ts";
import { isStorageError, StorageError } from "../contract/storage.ts";
import { checkSizes, noSuchPart, noSuchUpload } from "../contract/upload-refusals.ts";
import { conditionalFault, type WriteConditions } from "./conditions.ts";
import { document } from "./document.ts";
import { uploadFault } from "./fault.ts";
import { PAGE } from "./list-objects.ts";
import type { NamedParts } from "./named-parts.ts";
import { checksumIn, storedEtag } from "./object-info.ts";
import type { OpenUploads } from "./open-uploads.ts";
import type { Upstream } from "./upstream.ts";

export type CompleteUpload = MultipartStorage["completeUpload"];

export interface UploadCompleterOptions {
  readonly upstream: Upstream;
  readonly conditions: WriteConditions;
  readonly uploads: OpenUploads;
  readonly elements: NamedParts;
}

export function uploadCompleter({ upstream, conditions, uploads, elements }: UploadCompleterOptions): CompleteUpload {
  async function* eachPart(upload: UploadRef, signal: AbortSignal | undefined): AsyncGenerator<PartInfo> {
    for (let after = 0; ; ) {
      const page = await uploads.parts(upload, { after, limit: PAGE, signal });
      yield* page.parts;
      const last = page.parts.at(-1);
      if (!page.truncated || last === undefined || last.number >= MAX_PARTS) return;
      if (last.number <= after)
        throw new StorageError("UNAVAILABLE", "could not list the parts: the upstream's pages do not end");
      after = last.number;
    }
  }

  /** Not every upstream holds a completion to sizes, and none to a smallest part of ours. */
  async function checkParts(upload: UploadRef, named: readonly NamedPart[], options: CompleteOptions): Promise<void> {
    const missing = new Map(named.map((part) => [part.number, part]));
    const parts: PartInfo[] = [];
    for await (const part of eachPart(upload, options.signal)) {
      if (missing.get(part.number)?.etag !== part.etag) continue;
      missing.delete(part.number);
      parts.push(part);
    }
    const [absent] = missing.values();
    if (absent !== undefined) throw noSuchPart(absent);
    checkSizes(parts, options);
  }

  return async (upload, named, options) => {
    const { bucket, key } = await uploads.place(upload);
    const { minPartSize, maxSize, size, checksum, signal } = options;
    // The very same call again finds an upload that is not open any more: what it made is for the upstream to say.
    // It may have ended behind what is remembered of it, by a call whose answer was lost.
    const open = await ifOpen(async () => {
      const info = await uploads.get(upload);
      if (minPartSize > 0 || maxSize !== undefined || size !== undefined) await checkParts(upload, named, options);
      return info;
    });
    const algorithm = open?.checksum?.algorithm;
    if (named.length === 0) throw open === undefined ? noSuchUpload() : noParts();
    const condition = await conditions.headers("complete", { bucket, key }, options);
    const list = named.map((part) => elements.element(upload, part, open));
    const { body, headers } = document(xmlDocument("CompleteMultipartUpload", list));
    const doing = "complete the upload";
    const { document: completed, fault } = await upstream.readOrFault(
      {
        doing,
        method: "POST",
        bucket,
        key,
        query: { uploadId: upload.uploadId },
        headers: {
          ...headers,
          ...condition,
          "x-amz-mp-object-size": size === undefined ? undefined : String(size),
          ...(algorithm === undefined || checksum === undefined
            ? {}
            : {
                [`x-amz-checksum-${algorithm}`]: checksum.replace(/-\d+$/, ""),
                "x-amz-checksum-type": open?.checksum?.type,
              }),
        },
        body,
        signal,
      },
      "CompleteMultipartUploadResult",
    );
    if (fault?.code === "BadDigest" && algorithm !== undefined) {
      throw new StorageError("CHECKSUM_MISMATCH", `the ${algorithm} of the parts is not the declared one`, {
        digest: algorithm,
      });
    }
    if (completed === undefined) {
      throw "if-match" in condition ? conditionalFault(fault, doing, condition) : uploadFault(fault, doing);
    }
    const etag = storedEtag(optionalText(completed, "ETag"), doing);
    const made = checksumIn(completed);
    uploads.forget(upload);
    return {
      etag,
      checksums: made === undefined ? {} : { [made.algorithm]: made.value },
    } satisfies CompletedUpload;
  };
}

async function ifOpen(look: () => Promise<UploadInfo>): Promise<UploadInfo | undefined> {
  try {
    return await look();
  } catch (error) {
    if (isStorageError(error) && error.code === "NO_SUCH_UPLOAD") return undefined;
    throw error;
  }
}

function noParts(): StorageError {
  return new StorageError("INVALID_PART", "expected one part at least, found none");
}
