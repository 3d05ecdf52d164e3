import { CHECKSUM_BYTES } from "../../../http/checksum.ts";
import {
  childrenOf,
  expectOnly,
  malformed,
  optionalText,
  type ReadElement,
  requiredText,
} from "../../../http/xml-reader.ts";
import type { CompleteUpload } from "../../../operations/complete-upload.ts";
import { Refusal } from "../../../pipeline/refusal.ts";
import { type ChecksumType, MAX_PARTS } from "../../../storage/contract/multipart.ts";
import type { ChecksumAlgorithm } from "../../../storage/contract/storage.ts";
import { invalidArgument, invalidCombination, readInteger } from "../arguments.ts";
import { declaredChecksum } from "../checksums.ts";
import { readDocument } from "../document.ts";
import { locationOf } from "../location.ts";
import type { S3Call, S3ObjectOperation } from "../operation.ts";
import { checksumElements, quoted } from "../present.ts";
import { readWriteConditions } from "../write-fields.ts";
import { xmlAnswer } from "../xml.ts";

const TYPE = "x-amz-checksum-type";
const SIZE = "x-amz-mp-object-size";

/** Ten thousand parts, each with its longest checksum. */
const MAX_BYTES = 4 * 1024 * 1024;
const ELEMENTS_OF_PART = 4;

export const completeMultipartUploadOperation: S3ObjectOperation<CompleteUpload> = {
  name: "CompleteMultipartUpload",
  action: "s3:PutObject",
  method: "POST",
  on: "object",
  selectors: ["uploadId"],
  amz: [TYPE, SIZE],
  conditional: true,
  readsBody: true,
  mayTakeLong: true,
  async read(call, object) {
    const conditions = readWriteConditions(call);
    const checksum = declaredChecksum({ ...call, checksums: withoutCounts(call.checksums) });
    const request = {
      operation: "complete-upload",
      object,
      uploadId: call.parameters.get("uploadId") ?? "",
      ...conditions,
      checksum:
        typeof checksum?.expected === "string"
          ? { algorithm: checksum.algorithm, value: checksum.expected }
          : undefined,
      checksumType: readType(call.amz.get(TYPE)),
      size: readSize(call.amz.get(SIZE)),
      minPartSize: call.limits.minPart,
      maxSize: call.limits.object,
      location: locationOf(call.received.request, call.origins),
    } as const;
    const document = await readDocument(call, "CompleteMultipartUpload", {
      maxBytes: MAX_BYTES,
      elements: 1 + MAX_PARTS * ELEMENTS_OF_PART,
      checksumsOfObject: true,
    });
    return { ...request, parts: readParts(document) };
  },
  present: ({ object, location, etag, checksums }, _, { requestId }) =>
    xmlAnswer({
      root: "CompleteMultipartUploadResult",
      elements: [
        ["Location", location],
        ["Bucket", object.bucket],
        ["Key", object.key],
        ["ETag", quoted(etag)],
        ...checksumElements({ checksums }),
      ],
      requestId,
    }),
};

/** The checksum of checksums may come with the number of parts behind it, as S3 itself writes it. */
function withoutCounts(checksums: S3Call["checksums"]): S3Call["checksums"] {
  return new Map([...checksums].map(([algorithm, value]) => [algorithm, value.replace(/-[0-9]+$/, "")]));
}

function readParts(document: ReadElement): CompleteUpload["parts"] {
  expectOnly(document, ["Part"]);
  const parts = childrenOf(document, "Part").map(readPart);
  if (parts.length === 0) throw malformed("expected at least one part, found none");
  let last = 0;
  for (const { number } of parts) {
    if (number <= last) throw new Refusal("INVALID_PART_ORDER", "expected parts in the order of their numbers");
    last = number;
  }
  return parts;
}

const CHECKSUM_ELEMENTS = new Map(
  Object.keys(CHECKSUM_BYTES).map((algorithm) => [
    `Checksum${algorithm.toUpperCase()}`,
    algorithm as ChecksumAlgorithm,
  ]),
);

function readPart(part: ReadElement): CompleteUpload["parts"][number] {
  expectOnly(part, ["PartNumber", "ETag", ...CHECKSUM_ELEMENTS.keys()]);
  const text = requiredText(part, "PartNumber").trim();
  const number = readInteger(text);
  if (number === undefined) throw malformed("expected PartNumber as a number, found something else");
  if (number < 1) throw invalidArgument("PartNumber", text, "PartNumber must be >= 1");
  if (number > MAX_PARTS) throw malformed(`expected part numbers up to ${MAX_PARTS}, found a greater one`);
  // With its quotes as S3 gave it, or without them as some clients keep it.
  const etag = requiredText(part, "ETag")
    .trim()
    .replace(/^"(.*)"$/, "$1");
  const checksums = [...CHECKSUM_ELEMENTS].flatMap(([name, algorithm]) => {
    const checksum = optionalText(part, name);
    return checksum === undefined ? [] : [{ algorithm, checksum }];
  });
  if (checksums.length > 1) {
    throw invalidArgument("Checksum", "", "Invalid Base64 or multiple checksums present in request");
  }
  return { number, etag, algorithm: checksums[0]?.algorithm, checksum: checksums[0]?.checksum };
}

function readType(value: string | undefined): ChecksumType | undefined {
  if (value === undefined || value === "FULL_OBJECT" || value === "COMPOSITE") return value;
  throw invalidCombination("Value for x-amz-checksum-type header is invalid.");
}

function readSize(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^[0-9]{1,15}$/.test(value)) return Number(value);
  throw invalidCombination("Value for x-amz-mp-object-size header is invalid.");
}
