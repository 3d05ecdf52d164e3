import { CHECKSUM_BYTES } from "../../../http/checksum.ts";
import type { CreateUpload } from "../../../operations/create-upload.ts";
import type { ChecksumType, UploadChecksum } from "../../../storage/contract/multipart.ts";
import type { ChecksumAlgorithm } from "../../../storage/contract/storage.ts";
import { invalidCombination } from "../arguments.ts";
import type { S3Call, S3ObjectOperation } from "../operation.ts";
import { readUploadTags, TAGGING } from "../tags.ts";
import { readStoredHeaders } from "../write-fields.ts";
import { xmlAnswer } from "../xml.ts";

const ALGORITHM = "x-amz-checksum-algorithm";
const TYPE = "x-amz-checksum-type";

export const createMultipartUploadOperation: S3ObjectOperation<CreateUpload> = {
  name: "CreateMultipartUpload",
  action: "s3:PutObject",
  method: "POST",
  on: "object",
  selectors: ["uploads"],
  amz: [ALGORITHM, TYPE, TAGGING],
  readsBody: false,
  read: (call, object) => ({
    operation: "create-upload",
    object,
    contentType: call.received.fields.contentType,
    headers: readStoredHeaders(call),
    metadata: call.metadata,
    tags: readUploadTags(call, object),
    checksum: readUploadChecksum(call),
  }),
  present({ upload }, _, { requestId }) {
    const { bucket, key, uploadId, checksum } = upload;
    return xmlAnswer({
      root: "InitiateMultipartUploadResult",
      elements: [
        ["Bucket", bucket],
        ["Key", key],
        ["UploadId", uploadId],
      ],
      requestId,
      headers: checksum === undefined ? [] : [ALGORITHM, checksum.algorithm.toUpperCase(), TYPE, checksum.type],
    });
  },
};

function readUploadChecksum({ amz }: S3Call): UploadChecksum | undefined {
  const name = amz.get(ALGORITHM);
  const wanted = amz.get(TYPE);
  if (name === undefined) {
    if (wanted === undefined) return undefined;
    throw invalidCombination(
      "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
    );
  }
  const algorithm = Object.keys(CHECKSUM_BYTES).find(
    (known): known is ChecksumAlgorithm => known === name.toLowerCase(),
  );
  if (algorithm === undefined) {
    throw invalidCombination(
      `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${Object.keys(CHECKSUM_BYTES).join(", ").toUpperCase()}]`,
    );
  }
  const types = TYPES[algorithm];
  const type = types.find((known) => known === (wanted ?? types[0]));
  if (type !== undefined) return { algorithm, type };
  throw invalidCombination(
    wanted === "FULL_OBJECT" || wanted === "COMPOSITE"
      ? `The ${wanted} checksum type cannot be used with the ${algorithm} checksum algorithm.`
      : "Value for x-amz-checksum-type header is invalid.",
  );
}

/** What S3 computes of each, the first where none is named. */
const TYPES: Readonly<Record<ChecksumAlgorithm, readonly [ChecksumType, ...ChecksumType[]]>> = {
  crc32: ["COMPOSITE", "FULL_OBJECT"],
  crc32c: ["COMPOSITE", "FULL_OBJECT"],
  crc64nvme: ["FULL_OBJECT"],
  md5: ["COMPOSITE"],
  sha1: ["COMPOSITE"],
  sha256: ["COMPOSITE"],
  sha512: ["COMPOSITE"],
};
