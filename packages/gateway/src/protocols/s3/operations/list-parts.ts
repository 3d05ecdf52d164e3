import type { XmlElement } from "../../../http/xml.ts";
import type { ListParts } from "../../../operations/list-parts.ts";
import { invalidArgument, readInteger, readLimit } from "../arguments.ts";
import type { S3ObjectOperation } from "../operation.ts";
import { ownerElement } from "../owner.ts";
import { partChecksumElements, quoted } from "../present.ts";
import { xmlAnswer } from "../xml.ts";

export const listPartsOperation: S3ObjectOperation<ListParts> = {
  name: "ListParts",
  action: "s3:ListMultipartUploadParts",
  method: "GET",
  on: "object",
  selectors: ["uploadId"],
  parameters: ["max-parts", "part-number-marker"],
  readsBody: false,
  read({ parameters }, object) {
    const marker = parameters.get("part-number-marker") ?? "";
    const after = marker === "" ? 0 : readInteger(marker);
    if (after === undefined) {
      throw invalidArgument("part-number-marker", marker, "Argument partNumberMarker must be an integer.");
    }
    const text = "Provided max-parts not an integer or within integer range";
    return {
      operation: "list-parts",
      object,
      uploadId: parameters.get("uploadId") ?? "",
      after,
      limit: readLimit("max-parts", parameters.get("max-parts"), { most: 1000, text }),
    };
  },
  present({ page, request }, _, { requestId }) {
    const { upload, parts, truncated } = page;
    return xmlAnswer({
      root: "ListPartsResult",
      elements: [
        ["Bucket", upload.bucket],
        ["Key", upload.key],
        ["UploadId", upload.uploadId],
        ownerElement("Initiator"),
        ownerElement("Owner"),
        ["StorageClass", "STANDARD"],
        ["PartNumberMarker", request.after],
        ["NextPartNumberMarker", parts.at(-1)?.number ?? 0],
        ["MaxParts", request.limit],
        ["IsTruncated", truncated],
        ["ChecksumAlgorithm", upload.checksum?.algorithm.toUpperCase()],
        ["ChecksumType", upload.checksum?.type],
        ...parts.map(
          (part): XmlElement => [
            "Part",
            [
              ["PartNumber", part.number],
              ["LastModified", part.lastModified],
              ["ETag", quoted(part.etag)],
              ["Size", part.size],
              ...partChecksumElements(part),
            ],
          ],
        ),
      ],
      requestId,
    });
  },
};
