/** Uploads in parts, as the contract has them. */
import type { MultipartStorage } from "../../contract/multipart.ts";
import { translating } from "../errors.ts";
import { type UploadCompleterOptions, uploadCompleter } from "./complete-upload.ts";
import { partCopier } from "./copy-part.ts";
import { uploadLister } from "./list-uploads.ts";
import { type PartReceiverOptions, partReceiver } from "./receive-parts.ts";
import { partInfo, uploadInfo } from "./upload-info.ts";

/** Runs a step that writes: its errors are translated, and `close` waits for it. */
export type Write = <T>(doing: string, step: () => Promise<T>) => Promise<T>;

export function diskMultipart(options: PartReceiverOptions & UploadCompleterOptions, write: Write): MultipartStorage {
  const { reader } = options;
  const receiver = partReceiver(options);
  const list = uploadLister(options);
  const complete = uploadCompleter(options);
  const copyPart = partCopier({ ...options, receiver });
  return {
    createUpload: (ref, createOptions = {}) => write("begin an upload", () => receiver.create(ref, createOptions)),
    getUpload: (upload) => translating("look at the upload", async () => uploadInfo(receiver.find(upload))),
    putPart: (upload, number, body, partOptions = {}) =>
      write("store the part", () => receiver.putPart(upload, number, body, partOptions)),
    copyPart: (upload, number, source, copyOptions) =>
      write("copy the part", () => copyPart(upload, number, source, copyOptions)),
    listParts: (upload, { after, limit }) =>
      translating("list the parts", async () => {
        const row = receiver.find(upload);
        const rows = reader.uploads.parts(row.id, { after, limit: limit + 1 });
        return { upload: uploadInfo(row), parts: rows.slice(0, limit).map(partInfo), truncated: rows.length > limit };
      }),
    listUploads: (bucket, listOptions) => translating("list the uploads", async () => list(bucket, listOptions)),
    completeUpload: (upload, parts, completeOptions) =>
      write("complete the upload", () => complete(upload, parts, completeOptions)),
    abortUpload: (upload) => write("abort the upload", () => receiver.abort(upload)),
  };
}
