import type { XmlElements } from "../../http/xml.ts";
import { optionalText } from "../../http/xml-reader.ts";
import { boundedMap } from "../contract/bounded-map.ts";
import {
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
import { conditionalFault } from "./conditions.ts";
import type { DriverContext } from "./driver-context.ts";
import { unavailable, uploadFault } from "./fault.ts";
import { PAGE } from "./list-objects.ts";
import { checksumIn, storedEtag } from "./object-info.ts";
import type { OpenUploads } from "./open-uploads.ts";
import { documentBody } from "./upstream.ts";

export interface UploadCompleter {
  readonly complete: MultipartStorage["completeUpload"];
  /** Call it for a part of an upload without a checksum. The upstream never learns the part's checksum, so the driver compares it. */
  remember(upload: UploadRef, part: PartInfo): void;
}

/** A few megabytes. Older checksums are not compared. */
const REMEMBERED = 20_000;

export function uploadCompleter(
  { upstream, conditions }: Pick<DriverContext, "upstream" | "conditions">,
  uploads: OpenUploads,
): UploadCompleter {
  // In memory: another process, or this one after a restart, knows only the parts that it received itself.
  const received = boundedMap<PartInfo["checksum"]>(REMEMBERED);
  const idOf = ({ uploadId }: UploadRef, { number, etag }: Pick<NamedPart, "number" | "etag">): string =>
    JSON.stringify([uploadId, number, etag]);

  async function* eachPart(upload: UploadRef, signal: AbortSignal | undefined): AsyncGenerator<PartInfo> {
    for (let after = 0; ; ) {
      const page = await uploads.parts(upload, { after, limit: PAGE, signal });
      yield* page.parts;
      const last = page.parts.at(-1);
      if (!page.truncated || last === undefined || last.number >= MAX_PARTS) return;
      if (last.number <= after) throw unavailable("list the parts", "the upstream's pages do not end");
      after = last.number;
    }
  }

  /** Not every upstream checks sizes, and none knows the gateway's smallest part. */
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

  /** The checksum that the upstream compares. @throws {StorageError} `INVALID_PART` if the remembered checksum differs */
  function checksumFor(upload: UploadRef, part: NamedPart, open: UploadInfo | undefined): PartInfo["checksum"] {
    const { checksum: value } = part;
    if (value === undefined) return undefined;
    // Also after the completion: the same call may be repeated.
    const known = received.get(idOf(upload, part));
    const algorithm = part.algorithm ?? open?.checksum?.algorithm ?? known?.algorithm;
    if (algorithm === undefined) throw noSuchPart(part);
    if (known !== undefined) {
      if (known.algorithm !== algorithm || known.value !== value) throw noSuchPart(part);
      return undefined;
    }
    // For an upload without a checksum the upstream refuses every checksum. The ETag identifies the bytes as well.
    return open !== undefined && open.checksum === undefined ? undefined : { algorithm, value };
  }

  function partElements(upload: UploadRef, part: NamedPart, open: UploadInfo | undefined): XmlElements {
    const checksum = checksumFor(upload, part, open);
    return {
      PartNumber: part.number,
      ETag: `"${part.etag}"`,
      ...(checksum && { [`Checksum${checksum.algorithm.toUpperCase()}`]: checksum.value }),
    };
  }

  return {
    remember(upload, part) {
      if (part.checksum !== undefined) received.set(idOf(upload, part), part.checksum);
    },
    async complete(upload, named, options) {
      const { bucket, key } = await uploads.place(upload);
      const { minPartSize, maxSize, size, checksum, signal } = options;
      // A repeated call finds no open upload. The upstream decides whether the earlier call completed it.
      const open = await ifOpen(async () => {
        const info = await uploads.get(upload);
        if (minPartSize > 0 || maxSize !== undefined || size !== undefined) await checkParts(upload, named, options);
        return info;
      });
      const algorithm = open?.checksum?.algorithm;
      if (named.length === 0) {
        throw open === undefined ? noSuchUpload() : new StorageError("INVALID_PART", "no part is named. Name one");
      }
      const condition = await conditions.headers("complete", { bucket, key }, options);
      const list = named.map((part) => partElements(upload, part, open));
      const { body, headers } = documentBody("CompleteMultipartUpload", { Part: list });
      const declared =
        algorithm === undefined || checksum === undefined
          ? {}
          : {
              [`x-amz-checksum-${algorithm}`]: checksum.replace(/-\d+$/, ""),
              "x-amz-checksum-type": open?.checksum?.type,
            };
      const call = {
        doing: "complete the upload",
        method: "POST",
        bucket,
        key,
        query: { uploadId: upload.uploadId },
        headers: {
          ...headers,
          ...condition,
          "x-amz-mp-object-size": size === undefined ? undefined : String(size),
          ...declared,
        },
        body,
        signal,
      };
      const { document, fault } = await upstream.readOrFault(call, "CompleteMultipartUploadResult");
      if (fault?.code === "BadDigest" && algorithm !== undefined) {
        const message = `the ${algorithm} of the parts is not the declared one`;
        throw new StorageError("CHECKSUM_MISMATCH", message, { digest: algorithm });
      }
      if (document === undefined) {
        throw ("if-match" in condition ? conditionalFault(condition) : uploadFault)(fault, call.doing);
      }
      const etag = storedEtag(optionalText(document, "ETag"), call.doing);
      const completed = checksumIn(document);
      uploads.forget(upload);
      return { etag, checksums: completed === undefined ? {} : { [completed.algorithm]: completed.value } };
    },
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
