import { xmlDocument } from "../../http/xml.ts";
import { optionalText, requiredText } from "../../http/xml-reader.ts";
import type {
  CompletedUpload,
  CompleteOptions,
  MultipartStorage,
  NamedPart,
  PartInfo,
  PutPartOptions,
  UploadInfo,
  UploadRef,
} from "../multipart.ts";
import { type ChecksumRequest, isStorageError, StorageError } from "../storage.ts";
import { checkSizes, noSuchPart, noSuchUpload } from "../upload-refusals.ts";
import { conditionalFault, preconditionFailed, type WriteConditions } from "./conditions.ts";
import { copySource } from "./copy-object.ts";
import { document } from "./document.ts";
import { faultError, uploadFault } from "./fault.ts";
import type { HeldBytes } from "./held-memory.ts";
import { openUploads } from "./list-uploads.ts";
import { namedParts } from "./named-parts.ts";
import { expectStorable, isStorable, type Names } from "./names.ts";
import { checksumIn, dateOf, headersOfInfo, taggingHeader, unquoted } from "./object-info.ts";
import type { ObjectReader } from "./read-object.ts";
import { base64, uploadBody } from "./upload-body.ts";
import type { Upstream } from "./upstream.ts";

export type Multipart = MultipartStorage;

export interface MultipartParts {
  readonly upstream: Upstream;
  readonly names: Names;
  readonly conditions: WriteConditions;
  readonly reader: ObjectReader;
  readonly holdBytes: number;
  readonly heldBytes: () => HeldBytes;
}

/** What S3 gives of a list of parts at once. */
const PAGE = 1000;

export function upstreamMultipart(parts: MultipartParts): MultipartStorage {
  const { upstream, names, conditions, reader, holdBytes, heldBytes } = parts;
  const uploads = openUploads(upstream, names);
  const elements = namedParts();

  async function place({
    bucket,
    key,
    uploadId,
  }: UploadRef): Promise<{ readonly bucket: string; readonly key: string }> {
    const found = { bucket: await names.of(bucket), key };
    if (uploadId === "" || !isStorable(key)) throw noSuchUpload();
    return found;
  }

  async function sendPart(
    upload: UploadRef,
    part: {
      readonly number: number;
      readonly body: AsyncIterable<Uint8Array>;
      readonly options: PutPartOptions;
      readonly memory: HeldBytes;
    },
  ): Promise<PartInfo> {
    const { number, body, options, memory } = part;
    const { bucket, key } = await place(upload);
    const { checksum: wanted } = await uploads.get(upload);
    const request: ChecksumRequest | undefined =
      options.checksum ?? (wanted === undefined ? undefined : { algorithm: wanted.algorithm });
    const ready = await uploadBody(body, { ...options, checksum: request }, { holdBytes, memory });
    if (ready.kind === "endless") {
      await ready.rest.return?.();
      throw new StorageError(
        "TOO_LARGE",
        `expected the length of a part of more than ${holdBytes} bytes, found none announced`,
      );
    }
    // S3 refuses a checksum that is not the upload's.
    const headers = Object.fromEntries(
      Object.entries(ready.headers).filter(
        ([name]) => !name.startsWith("x-amz-checksum-") || name === `x-amz-checksum-${wanted?.algorithm}`,
      ),
    );
    const doing = "store the part";
    const { answer, fault } = await upstream.ask({
      doing,
      method: "PUT",
      bucket,
      key,
      query: { partNumber: String(number), uploadId: upload.uploadId },
      headers,
      body: ready.body,
      signal: options.signal,
    });
    if (fault !== undefined) throw uploadFault(fault, doing);
    answer.resume();
    // What the upstream was not told it does not keep: where the upload has none it is kept here, else nobody may name the part by it.
    const kept = wanted === undefined || request?.algorithm === wanted.algorithm ? request : undefined;
    const value = kept === undefined ? undefined : ready.digests()[kept.algorithm];
    const stored: PartInfo = {
      number,
      size: ready.length,
      etag: unquoted(answer.headers.etag),
      lastModified: dateOf(answer.headers.date),
      checksum:
        kept === undefined || value === undefined ? undefined : { algorithm: kept.algorithm, value: base64(value) },
    };
    if (wanted === undefined) elements.remember(upload, stored);
    return stored;
  }

  async function* eachPart(upload: UploadRef): AsyncGenerator<PartInfo> {
    for (let after = 0; ; ) {
      const page = await uploads.parts(upload, { after, limit: PAGE });
      yield* page.parts;
      const last = page.parts.at(-1);
      if (!page.truncated || last === undefined) return;
      after = last.number;
    }
  }

  /** Not every upstream holds a completion to sizes, and none to a smallest part of ours. */
  async function checkParts(upload: UploadRef, named: readonly NamedPart[], options: CompleteOptions): Promise<void> {
    const missing = new Map(named.map((part) => [part.number, part]));
    const parts: PartInfo[] = [];
    for await (const part of eachPart(upload)) {
      if (missing.get(part.number)?.etag !== part.etag) continue;
      missing.delete(part.number);
      parts.push(part);
    }
    const [absent] = missing.values();
    if (absent !== undefined) throw noSuchPart(absent);
    checkSizes(parts, options);
  }

  return {
    async createUpload(ref, options = {}) {
      expectStorable(ref);
      const { checksum, tags, signal } = options;
      const bucket = await names.of(ref.bucket);
      const headers = {
        ...headersOfInfo(ref.key, options),
        ...taggingHeader(tags),
        "x-amz-checksum-algorithm": checksum?.algorithm.toUpperCase(),
        "x-amz-checksum-type": checksum?.type,
      };
      const call = {
        doing: "begin the upload",
        method: "POST",
        bucket,
        key: ref.key,
        query: { uploads: "" },
        headers,
        signal,
      };
      const { document: begun, answer } = await upstream.read(call, "InitiateMultipartUploadResult");
      const uploadId = requiredText(begun, "UploadId");
      const info = { bucket: ref.bucket, key: ref.key, uploadId, created: dateOf(answer.headers.date), checksum };
      uploads.remember(info);
      return info;
    },

    getUpload: async (upload) => {
      await place(upload);
      return uploads.get(upload);
    },

    async putPart(upload, number, body, options = {}) {
      const memory = heldBytes();
      try {
        return await sendPart(upload, { number, body, options, memory });
      } finally {
        memory.release();
      }
    },

    async copyPart(upload, number, source, { range, sourceEtag, signal }) {
      const { bucket, key } = await place(upload);
      const from = await names.of(source.bucket);
      const info = isStorable(source.key) ? await reader.head(source, { signal }) : undefined;
      if (info === undefined) return undefined;
      if (info.etag !== sourceEtag) throw preconditionFailed();
      const headers = {
        ...copySource(from, source.key, sourceEtag),
        ...(range === undefined ? {} : { "x-amz-copy-source-range": `bytes=${range.start}-${range.end}` }),
      };
      const query = { partNumber: String(number), uploadId: upload.uploadId };
      const doing = "copy the part";
      const call = { doing, method: "PUT", bucket, key, query, headers, signal };
      const { document: copied, fault } = await upstream.readOrFault(call, "CopyPartResult");
      if (fault?.code === "NoSuchKey") return undefined;
      if (copied === undefined) throw faultError(fault, doing);
      return {
        number,
        size: range === undefined ? info.size : range.end - range.start + 1,
        etag: unquoted(requiredText(copied, "ETag")),
        lastModified: dateOf(optionalText(copied, "LastModified")),
        checksum: checksumIn(copied),
      };
    },

    async listParts(upload, options) {
      await place(upload);
      return uploads.parts(upload, options);
    },

    listUploads: (bucket, options) => uploads.list(bucket, options),

    async completeUpload(upload, named, options) {
      const { bucket, key } = await place(upload);
      const { minPartSize, maxSize, size, checksum, signal } = options;
      // The very same call again finds an upload that is not open any more: what it made is for the upstream to say.
      const open = await isOpen(() => uploads.get(upload));
      const algorithm = open?.checksum?.algorithm;
      if (open !== undefined && (minPartSize > 0 || maxSize !== undefined || size !== undefined))
        await checkParts(upload, named, options);
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
        throw new StorageError("CHECKSUM_MISMATCH", `the parts have another ${algorithm} than the one declared`, {
          digest: algorithm,
        });
      }
      if (completed === undefined) {
        throw "if-match" in condition ? conditionalFault(fault, doing, condition) : uploadFault(fault, doing);
      }
      const made = checksumIn(completed);
      uploads.forget(upload);
      return {
        etag: unquoted(requiredText(completed, "ETag")),
        checksums: made === undefined ? {} : { [made.algorithm]: made.value },
      } satisfies CompletedUpload;
    },

    async abortUpload(upload) {
      const { bucket, key } = await place(upload);
      uploads.forget(upload);
      const query = { uploadId: upload.uploadId };
      const doing = "end the upload";
      const { answer, fault } = await upstream.ask({ doing, method: "DELETE", bucket, key, query });
      if (fault !== undefined) throw uploadFault(fault, doing);
      answer.resume();
    },
  };
}

async function isOpen(look: () => Promise<UploadInfo>): Promise<UploadInfo | undefined> {
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
