import { urlEncoded, type XmlElement } from "../../../http/xml.ts";
import type { ListUploads } from "../../../operations/list-uploads.ts";
import { permitPrefix } from "../../../pipeline/authorize.ts";
import { invalidArgument, readLimit } from "../arguments.ts";
import type { S3PartialOperation } from "../operation.ts";
import { ownerElement } from "../owner.ts";
import { xmlAnswer } from "../xml.ts";

export const listMultipartUploadsOperation: S3PartialOperation<ListUploads> = {
  name: "ListMultipartUploads",
  action: "s3:ListBucketMultipartUploads",
  method: "GET",
  on: "keys",
  selectors: ["uploads"],
  parameters: ["prefix", "delimiter", "key-marker", "upload-id-marker", "max-uploads", "encoding-type"],
  readsBody: false,
  read({ parameters, permit }) {
    const prefix = parameters.get("prefix") ?? "";
    const delimiter = parameters.get("delimiter") || undefined;
    const encoding = parameters.get("encoding-type");
    if (encoding !== undefined && encoding !== "url") {
      throw invalidArgument("encoding-type", encoding, "Invalid Encoding Method specified in Request");
    }
    const text = "Provided max-uploads not an integer or within integer range";
    return {
      operation: "list-uploads",
      keys: permitPrefix(permit, prefix),
      delimiter,
      keyMarker: parameters.get("key-marker") ?? "",
      uploadIdMarker: parameters.get("upload-id-marker") ?? "",
      limit: readLimit("max-uploads", parameters.get("max-uploads"), { most: 1000, text }),
      urlEncoded: encoding === "url",
    };
  },
  present({ page, request }, _, { requestId }) {
    const { keys, delimiter, keyMarker, uploadIdMarker, limit } = request;
    const text = request.urlEncoded ? urlEncoded : (key: string): string => key;
    const last = page.truncated ? page.entries.at(-1) : undefined;
    const uploads = page.entries.flatMap((entry) => (entry.kind === "upload" ? [entry.upload] : []));
    const prefixes = page.entries.flatMap((entry) => (entry.kind === "prefix" ? [entry.prefix] : []));
    return xmlAnswer({
      root: "ListMultipartUploadsResult",
      elements: [
        ["Bucket", keys.bucket],
        ["KeyMarker", text(keyMarker)],
        ["UploadIdMarker", uploadIdMarker],
        ["NextKeyMarker", last && text(last.kind === "upload" ? last.upload.key : last.prefix)],
        ["NextUploadIdMarker", last?.kind === "upload" ? last.upload.uploadId : undefined],
        ["Prefix", text(keys.prefix)],
        ["Delimiter", delimiter && text(delimiter)],
        ["EncodingType", request.urlEncoded ? "url" : undefined],
        ["MaxUploads", limit],
        ["IsTruncated", page.truncated],
        ...uploads.map(
          ({ key, uploadId, created, checksum }): XmlElement => [
            "Upload",
            [
              ["Key", text(key)],
              ["UploadId", uploadId],
              ownerElement("Initiator"),
              ownerElement("Owner"),
              ["StorageClass", "STANDARD"],
              ["Initiated", created],
              ["ChecksumAlgorithm", checksum?.algorithm.toUpperCase()],
              ["ChecksumType", checksum?.type],
            ],
          ],
        ),
        ...prefixes.map((prefix): XmlElement => ["CommonPrefixes", [["Prefix", text(prefix)]]]),
      ],
      requestId,
    });
  },
};
