import { optionalText, requiredText } from "../../http/xml-reader.ts";
import type { MultipartStorage, PartInfo, PutPartOptions, UploadRef } from "../contract/multipart.ts";
import { preconditionFailed } from "../contract/preconditions.ts";
import { type ChecksumRequest, StorageError } from "../contract/storage.ts";
import { uploadCompleter } from "./complete-upload.ts";
import type { DriverContext } from "./driver-context.ts";
import { faultError, uploadFault } from "./fault.ts";
import type { HeldBytes } from "./held-memory.ts";
import { expectStorable } from "./names.ts";
import { checksumIn, copySource, dateOf, headersOfInfo, storedEtag, taggingHeader } from "./object-info.ts";
import { openUploads } from "./open-uploads.ts";
import { base64, type SendableBody, uploadBody } from "./upload-body.ts";

export function upstreamMultipart(driver: DriverContext): MultipartStorage {
  const { upstream, names, reader, holdBytes, heldBytes } = driver;
  const uploads = openUploads(driver);
  const completer = uploadCompleter(driver, uploads);

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
      const message = `the part is larger than ${holdBytes} bytes and announces no length. Send Content-Length`;
      throw new StorageError("TOO_LARGE", message);
    }
    const doing = "store the part";
    const answer = await upstream.send({
      doing,
      method: "PUT",
      bucket,
      key,
      query: { partNumber: String(number), uploadId: upload.uploadId },
      headers: partHeaders(ready.headers, wanted?.algorithm),
      body: ready.body,
      signal: options.signal,
      error: uploadFault,
    });
    // A client may name the part by a checksum that the upstream or this driver knows.
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
    if (wanted === undefined) completer.remember(upload, stored);
    return stored;
  }

  return {
    async createUpload(ref, options = {}) {
      expectStorable(ref);
      const { bucket, key } = ref;
      const { checksum, tags, signal } = options;
      const headers = {
        ...headersOfInfo(key, options),
        ...taggingHeader(tags),
        "x-amz-checksum-algorithm": checksum?.algorithm.toUpperCase(),
        "x-amz-checksum-type": checksum?.type,
      };
      const call = { doing: "begin the upload", method: "POST", key, query: { uploads: "" }, headers, signal };
      const { document, answer } = await upstream.read(
        { ...call, bucket: await names.of(bucket) },
        "InitiateMultipartUploadResult",
      );
      const uploadId = requiredText(document, "UploadId");
      const info = { bucket, key, uploadId, created: dateOf(answer.headers.date), checksum };
      uploads.remember(info);
      return info;
    },

    async getUpload(upload) {
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

    /** Copies inside the upstream: no byte passes through the gateway. */
    async copyPart(upload, number, source, { range, sourceEtag, signal }) {
      const { bucket, key } = await uploads.place(upload);
      const from = await names.of(source.bucket);
      const info = await reader.head(source, { signal });
      if (info === undefined) return undefined;
      if (info.etag !== sourceEtag) throw preconditionFailed();
      const headers = {
        ...copySource(from, source.key, sourceEtag),
        ...(range === undefined ? {} : { "x-amz-copy-source-range": `bytes=${range.start}-${range.end}` }),
      };
      const query = { partNumber: String(number), uploadId: upload.uploadId };
      const doing = "copy the part";
      const call = { doing, method: "PUT", bucket, key, query, headers, signal };
      const { document, fault } = await upstream.readOrFault(call, "CopyPartResult");
      if (fault?.code === "NoSuchKey") return undefined;
      if (document === undefined) throw faultError(fault, doing);
      return {
        number,
        size: range === undefined ? info.size : range.end - range.start + 1,
        etag: storedEtag(optionalText(document, "ETag"), doing),
        lastModified: dateOf(optionalText(document, "LastModified")),
        checksum: checksumIn(document),
      };
    },

    async listParts(upload, options) {
      await uploads.place(upload);
      return uploads.parts(upload, options);
    },

    listUploads: (bucket, options) => uploads.list(bucket, options),

    completeUpload: completer.complete,

    async abortUpload(upload) {
      const place = await uploads.place(upload);
      uploads.forget(upload);
      const query = { uploadId: upload.uploadId };
      await upstream.send({ doing: "end the upload", method: "DELETE", ...place, query, error: uploadFault });
    },
  };
}

/** S3 refuses a checksum by another algorithm than the upload's. */
function partHeaders(headers: SendableBody["headers"], algorithm: string | undefined): SendableBody["headers"] {
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !name.startsWith("x-amz-checksum-") || name === `x-amz-checksum-${algorithm}`,
    ),
  );
}
