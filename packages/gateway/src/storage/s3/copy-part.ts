import { optionalText } from "../../http/xml-reader.ts";
import type { MultipartStorage } from "../contract/multipart.ts";
import { preconditionFailed } from "../contract/preconditions.ts";
import { copySource } from "./copy-object.ts";
import { faultError } from "./fault.ts";
import { isStorable, type Names } from "./names.ts";
import { checksumIn, dateOf, storedEtag } from "./object-info.ts";
import type { OpenUploads } from "./open-uploads.ts";
import type { ObjectReader } from "./read-object.ts";
import type { Upstream } from "./upstream.ts";

export type CopyPart = MultipartStorage["copyPart"];

export interface PartCopierOptions {
  readonly upstream: Upstream;
  readonly names: Names;
  readonly reader: ObjectReader;
  readonly uploads: OpenUploads;
}

/** Copies inside the upstream; no byte passes here. */
export function partCopier({ upstream, names, reader, uploads }: PartCopierOptions): CopyPart {
  return async (upload, number, source, { range, sourceEtag, signal }) => {
    const { bucket, key } = await uploads.place(upload);
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
      etag: storedEtag(optionalText(copied, "ETag"), doing),
      lastModified: dateOf(optionalText(copied, "LastModified")),
      checksum: checksumIn(copied),
    };
  };
}
