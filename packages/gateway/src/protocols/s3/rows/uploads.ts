import { CHECKSUM_BYTES } from "../../../http/checksum.ts";
import { excerpt } from "../../../http/excerpt.ts";
import type { XmlElements } from "../../../http/xml.ts";
import {
  childrenOf,
  expectOnly,
  malformed,
  optionalText,
  type ReadElement,
  requiredText,
} from "../../../http/xml-reader.ts";
import type { CompleteUpload } from "../../../operations/complete-upload.ts";
import type { AbortUpload, CreateUpload, ListParts, ListUploads, PutPart } from "../../../operations/uploads.ts";
import { permitPrefix } from "../../../pipeline/authorize.ts";
import { Refusal } from "../../../pipeline/refusal.ts";
import {
  type ChecksumType,
  MAX_PARTS,
  type NamedPart,
  type UploadChecksum,
} from "../../../storage/contract/multipart.ts";
import type { ChecksumAlgorithm } from "../../../storage/contract/storage.ts";
import {
  checksumElements,
  emptyAnswer,
  locationOf,
  noContent,
  OWNER,
  partChecksumElements,
  quoted,
  xmlAnswer,
} from "../answers.ts";
import {
  invalidArgument,
  invalidCombination,
  readInteger,
  readLimit,
  readPartMarker,
  readPartNumber,
} from "../arguments.ts";
import { declaredChecksum, declaredDigests } from "../checksums.ts";
import { readDocument } from "../document.ts";
import { onKeys, onObject, type S3Call, type S3Row } from "../row.ts";
import { readUploadTags, TAGGING } from "../tags.ts";
import { readEncoding } from "./listings.ts";
import { readStoredHeaders, readWriteConditions, requiredLength } from "./objects.ts";

const ALGORITHM = "x-amz-checksum-algorithm";
const TYPE = "x-amz-checksum-type";
const SIZE = "x-amz-mp-object-size";

/** Ten thousand parts, each with its longest checksum. */
const MAX_BYTES = 4 * 1024 * 1024;
const ELEMENTS_OF_PART = 4;

export const uploadRows: readonly S3Row[] = [
  onObject<ListParts>({
    name: "ListParts",
    action: "s3:ListMultipartUploadParts",
    method: "GET",
    selectors: ["uploadId"],
    parameters: ["max-parts", "part-number-marker"],
    read({ parameters }, object) {
      const text = "Provided max-parts not an integer or within integer range";
      return {
        operation: "list-parts",
        object,
        uploadId: parameters.get("uploadId") ?? "",
        after: readPartMarker("part-number-marker", parameters.get("part-number-marker") || "0"),
        limit: readLimit("max-parts", parameters.get("max-parts"), { most: 1000, text }),
      };
    },
    present: ({ upload, parts, truncated }, { asked, requestId }) =>
      xmlAnswer(
        { requestId },
        {
          root: "ListPartsResult",
          content: {
            Bucket: upload.bucket,
            Key: upload.key,
            UploadId: upload.uploadId,
            Initiator: OWNER,
            Owner: OWNER,
            StorageClass: "STANDARD",
            PartNumberMarker: asked.after,
            NextPartNumberMarker: parts.at(-1)?.number ?? 0,
            MaxParts: asked.limit,
            IsTruncated: truncated,
            ...uploadChecksumElements(upload.checksum),
            Part: parts.map((part) => ({
              PartNumber: part.number,
              LastModified: part.lastModified,
              ETag: quoted(part.etag),
              Size: part.size,
              ...partChecksumElements(part),
            })),
          },
        },
      ),
  }),
  onObject<PutPart>({
    name: "UploadPart",
    action: "s3:PutObject",
    method: "PUT",
    selectors: ["uploadId", "partNumber"],
    amz: ["x-amz-sdk-checksum-algorithm"],
    readsBody: true,
    read: (call, object) => ({
      operation: "put-part",
      object,
      ...readPartRef(call),
      body: call.payload.body,
      contentLength: requiredLength(call),
      maxBytes: call.limits.body,
      digests: declaredDigests(call),
      checksum: declaredChecksum(call),
    }),
    present({ etag, checksum }, exchange) {
      const answer = emptyAnswer(exchange, ["ETag", quoted(etag)]);
      if (checksum !== undefined) answer.headers.push(`x-amz-checksum-${checksum.algorithm}`, checksum.value);
      return answer;
    },
  }),
  onObject<CreateUpload>({
    name: "CreateMultipartUpload",
    action: "s3:PutObject",
    method: "POST",
    selectors: ["uploads"],
    amz: [ALGORITHM, TYPE, TAGGING],
    read: (call, object) => ({
      operation: "create-upload",
      object,
      contentType: call.received.fields.contentType,
      headers: readStoredHeaders(call),
      metadata: call.metadata,
      tags: readUploadTags(call, object),
      checksum: readUploadChecksum(call),
    }),
    present({ bucket, key, uploadId, checksum }, exchange) {
      const content = { Bucket: bucket, Key: key, UploadId: uploadId };
      const headers = checksum === undefined ? [] : [ALGORITHM, checksum.algorithm.toUpperCase(), TYPE, checksum.type];
      return xmlAnswer(exchange, { root: "InitiateMultipartUploadResult", content }, headers);
    },
  }),
  onObject<CompleteUpload>({
    name: "CompleteMultipartUpload",
    action: "s3:PutObject",
    method: "POST",
    selectors: ["uploadId"],
    amz: [TYPE, SIZE],
    conditional: true,
    readsBody: true,
    mayTakeLong: true,
    async read(call, object) {
      const { amz, limits, parameters } = call;
      const conditions = readWriteConditions(call);
      const checksum = declaredChecksum({ ...call, checksums: withoutCounts(call.checksums) });
      const request = {
        operation: "complete-upload",
        object,
        uploadId: parameters.get("uploadId") ?? "",
        ...conditions,
        checksum:
          typeof checksum?.expected === "string"
            ? { algorithm: checksum.algorithm, value: checksum.expected }
            : undefined,
        checksumType: readType(amz.get(TYPE)),
        size: readSize(amz.get(SIZE)),
        minPartSize: limits.minPart,
        maxSize: limits.object,
      } as const;
      const document = await readDocument(call, "CompleteMultipartUpload", {
        maxBytes: MAX_BYTES,
        elements: 1 + MAX_PARTS * ELEMENTS_OF_PART,
        checksumsOfObject: true,
      });
      return { ...request, parts: readParts(document) };
    },
    present({ etag, checksums }, { asked: { object }, call, requestId }) {
      const content = {
        Location: locationOf(call.received.request, call.origins),
        Bucket: object.bucket,
        Key: object.key,
        ETag: quoted(etag),
        ...checksumElements({ checksums }),
      };
      return xmlAnswer({ requestId }, { root: "CompleteMultipartUploadResult", content });
    },
  }),
  onObject<AbortUpload>({
    name: "AbortMultipartUpload",
    method: "DELETE",
    selectors: ["uploadId"],
    read: ({ parameters }, object) => ({
      operation: "abort-upload",
      object,
      uploadId: parameters.get("uploadId") ?? "",
    }),
    present: (_, exchange) => noContent(exchange),
  }),
  onKeys<ListUploads>({
    name: "ListMultipartUploads",
    action: "s3:ListBucketMultipartUploads",
    method: "GET",
    selectors: ["uploads"],
    parameters: ["prefix", "delimiter", "key-marker", "upload-id-marker", "max-uploads", "encoding-type"],
    read({ parameters, permit }) {
      const prefix = parameters.get("prefix") ?? "";
      const delimiter = parameters.get("delimiter") || undefined;
      readEncoding(parameters.get("encoding-type"));
      const text = "Provided max-uploads not an integer or within integer range";
      return {
        operation: "list-uploads",
        keys: permitPrefix(permit, prefix),
        delimiter,
        after: uploadPosition(parameters, prefix, delimiter),
        limit: readLimit("max-uploads", parameters.get("max-uploads"), { most: 1000, text }),
      };
    },
    present({ entries, truncated }, { asked: { keys, delimiter, limit }, call, requestId }) {
      const { parameters } = call;
      const { encode, encoding } = readEncoding(parameters.get("encoding-type"));
      const last = truncated ? entries.at(-1) : undefined;
      const content = {
        Bucket: keys.bucket,
        KeyMarker: encode(parameters.get("key-marker") ?? ""),
        UploadIdMarker: parameters.get("upload-id-marker") ?? "",
        NextKeyMarker: last && encode(last.kind === "upload" ? last.upload.key : last.prefix),
        NextUploadIdMarker: last?.kind === "upload" ? last.upload.uploadId : undefined,
        Prefix: encode(keys.prefix),
        Delimiter: delimiter && encode(delimiter),
        EncodingType: encoding,
        MaxUploads: limit,
        IsTruncated: truncated,
        Upload: entries.flatMap((entry) => {
          if (entry.kind === "prefix") return [];
          const { key, uploadId, created, checksum } = entry.upload;
          return [
            {
              Key: encode(key),
              UploadId: uploadId,
              Initiator: OWNER,
              Owner: OWNER,
              StorageClass: "STANDARD",
              Initiated: created,
              ...uploadChecksumElements(checksum),
            },
          ];
        }),
        CommonPrefixes: entries.flatMap((entry) => (entry.kind === "prefix" ? [{ Prefix: encode(entry.prefix) }] : [])),
      };
      return xmlAnswer({ requestId }, { root: "ListMultipartUploadsResult", content });
    },
  }),
];

/** Which part of which upload. */
export function readPartRef({ parameters }: S3Call): { readonly uploadId: string; readonly number: number } {
  return {
    number: readPartNumber(parameters.get("partNumber") ?? ""),
    uploadId: parameters.get("uploadId") ?? "",
  };
}

function uploadChecksumElements(checksum: UploadChecksum | undefined): XmlElements {
  return { ChecksumAlgorithm: checksum?.algorithm.toUpperCase(), ChecksumType: checksum?.type };
}

/** After a key, one of its uploads, or all keys with a common prefix: the marker after rolled-up keys is their prefix. */
function uploadPosition(
  parameters: S3Call["parameters"],
  prefix: string,
  delimiter: string | undefined,
): ListUploads["after"] {
  const marker = parameters.get("key-marker") ?? "";
  if (marker === "") return undefined;
  const rolledUp = delimiter !== undefined && marker.startsWith(prefix) && marker.endsWith(delimiter);
  if (rolledUp && marker.indexOf(delimiter, prefix.length) === marker.length - delimiter.length) {
    return { prefix: marker };
  }
  return { key: marker, uploadId: parameters.get("upload-id-marker") || undefined };
}

/** The checksum types that S3 computes for each algorithm. The first type is the default. */
const TYPES: Readonly<Record<ChecksumAlgorithm, readonly [ChecksumType, ...ChecksumType[]]>> = {
  crc32: ["COMPOSITE", "FULL_OBJECT"],
  crc32c: ["COMPOSITE", "FULL_OBJECT"],
  crc64nvme: ["FULL_OBJECT"],
  md5: ["COMPOSITE"],
  sha1: ["COMPOSITE"],
  sha256: ["COMPOSITE"],
  sha512: ["COMPOSITE"],
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
  readType(wanted);
  throw invalidCombination(`The ${wanted} checksum type cannot be used with the ${algorithm} checksum algorithm.`);
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

/** S3 appends the number of parts to a checksum of checksums, and clients send it back so. */
function withoutCounts(checksums: S3Call["checksums"]): S3Call["checksums"] {
  return new Map([...checksums].map(([algorithm, value]) => [algorithm, value.replace(/-[0-9]+$/, "")]));
}

function readParts(document: ReadElement): readonly NamedPart[] {
  expectOnly(document, ["Part"]);
  const parts = childrenOf(document, "Part").map(readPart);
  if (parts.length === 0) throw malformed("the document names no part. Name at least one");
  let last = 0;
  for (const { number } of parts) {
    if (number <= last) throw new Refusal("INVALID_PART_ORDER", `part ${number} follows part ${last}. Sort the parts`);
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

function readPart(part: ReadElement): NamedPart {
  expectOnly(part, ["PartNumber", "ETag", ...CHECKSUM_ELEMENTS.keys()]);
  const text = requiredText(part, "PartNumber").trim();
  const number = readInteger(text);
  if (number === undefined) throw malformed(`PartNumber is ${excerpt(text)}. Send a whole number`);
  if (number < 1) throw invalidArgument("PartNumber", text, "PartNumber must be >= 1");
  if (number > MAX_PARTS) throw malformed(`PartNumber is ${number}. Send at most ${MAX_PARTS}`);
  // S3 quotes ETags. Some clients store them without quotes.
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
