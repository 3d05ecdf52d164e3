import { requiredText } from "../../http/xml-reader.ts";
import type { MultipartStorage, PartInfo, PutPartOptions, UploadRef } from "../contract/multipart.ts";
import { type ChecksumRequest, StorageError } from "../contract/storage.ts";
import { uploadCompleter } from "./complete-upload.ts";
import type { WriteConditions } from "./conditions.ts";
import { partCopier } from "./copy-part.ts";
import { uploadFault } from "./fault.ts";
import type { HeldBytes } from "./held-memory.ts";
import { namedParts } from "./named-parts.ts";
import { expectStorable, type Names } from "./names.ts";
import { dateOf, headersOfInfo, storedEtag, taggingHeader } from "./object-info.ts";
import { openUploads } from "./open-uploads.ts";
import type { ObjectReader } from "./read-object.ts";
import { base64, uploadBody } from "./upload-body.ts";
import type { Upstream } from "./upstream.ts";
import { drop } from "./wire.ts";

export interface UpstreamMultipartOptions {
  readonly upstream: Upstream;
  readonly names: Names;
  readonly conditions: WriteConditions;
  readonly reader: ObjectReader;
  readonly holdBytes: number;
  readonly heldBytes: () => HeldBytes;
}

export function upstreamMultipart(options: UpstreamMultipartOptions): MultipartStorage {
  const { upstream, names, conditions, reader, holdBytes, heldBytes } = options;
  const uploads = openUploads(upstream, names);
  const elements = namedParts();

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
    const { bucket, key } = await uploads.place(upload);
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
    drop(answer);
    // What the upstream was not told it does not keep: where the upload has none it is kept here, else nobody may name the part by it.
    const kept = wanted === undefined || request?.algorithm === wanted.algorithm ? request : undefined;
    const value = kept === undefined ? undefined : ready.digests()[kept.algorithm];
    const stored: PartInfo = {
      number,
      size: ready.length,
      etag: storedEtag(answer.headers.etag, doing),
      lastModified: dateOf(answer.headers.date),
      checksum:
        kept === undefined || value === undefined ? undefined : { algorithm: kept.algorithm, value: base64(value) },
    };
    if (wanted === undefined) elements.remember(upload, stored);
    return stored;
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
      await uploads.place(upload);
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

    async listParts(upload, options) {
      await uploads.place(upload);
      return uploads.parts(upload, options);
    },

    copyPart: partCopier({ upstream, names, reader, uploads }),

    listUploads: (bucket, options) => uploads.list(bucket, options),

    completeUpload: uploadCompleter({ upstream, conditions, uploads, elements }),

    async abortUpload(upload) {
      const { bucket, key } = await uploads.place(upload);
      uploads.forget(upload);
      const query = { uploadId: upload.uploadId };
      const doing = "end the upload";
      const { answer, fault } = await upstream.ask({ doing, method: "DELETE", bucket, key, query });
      if (fault !== undefined) throw uploadFault(fault, doing);
      drop(answer);
    },
  };
}
