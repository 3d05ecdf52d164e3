/** Multipart uploads, as the contract defines them. */

import type { MultipartStorage } from "../../contract/multipart.ts";
import { preconditionFailed } from "../../contract/preconditions.ts";
import type { DiskIndex } from "../database/contract.ts";
import { translating } from "../errors.ts";
import { rangeBody, unchangedBody } from "../objects/file-bytes.ts";
import { type UploadCompleterOptions, uploadCompleter } from "./complete-upload.ts";
import { uploadLister } from "./list-uploads.ts";
import { type PartReceiverOptions, partInfo, partReceiver, uploadInfo } from "./receive-parts.ts";

/** Runs a step that writes: its errors are translated, and `close` waits for it. */
export type Write = <T>(doing: string, step: () => Promise<T>) => Promise<T>;

export function diskMultipart(
  index: DiskIndex,
  options: PartReceiverOptions & UploadCompleterOptions,
  write: Write,
): MultipartStorage {
  const { finder } = options;
  const receiver = partReceiver(index, options);
  const list = uploadLister(index);
  const complete = uploadCompleter(index, options);
  return {
    createUpload: (ref, createOptions = {}) => write("begin an upload", () => receiver.create(ref, createOptions)),
    getUpload: (upload) => translating("look at the upload", async () => uploadInfo(receiver.find(upload))),
    putPart: (upload, number, body, partOptions = {}) =>
      write("store the part", () => receiver.putPart(upload, number, body, partOptions)),
    // The bytes are read, because a part has its own MD5.
    copyPart: (upload, number, source, { range, sourceEtag, signal }) =>
      write("copy the part", () =>
        finder.using(source, async (found) => {
          if (found.info.etag !== sourceEtag) throw preconditionFailed();
          const { start, end } = range ?? { start: 0, end: found.info.size - 1 };
          const length = end - start + 1;
          const body = unchangedBody(found, rangeBody({ fd: found.fd, start, length }));
          return receiver.putPart(upload, number, body, { contentLength: length, signal });
        }),
      ),
    listParts: (upload, { after, limit }) =>
      translating("list the parts", async () => {
        const row = receiver.find(upload);
        const rows = index.reader.uploads.parts(row.id, { after, limit: limit + 1 });
        return { upload: uploadInfo(row), parts: rows.slice(0, limit).map(partInfo), truncated: rows.length > limit };
      }),
    listUploads: (bucket, listOptions) => translating("list the uploads", async () => list(bucket, listOptions)),
    completeUpload: (upload, parts, completeOptions) =>
      write("complete the upload", () => complete(upload, parts, completeOptions)),
    abortUpload: (upload) => write("abort the upload", () => receiver.abort(upload)),
  };
}
