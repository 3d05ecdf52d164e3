import { formatHttpDate } from "../../../http/date.ts";
import type { XmlElement } from "../../../http/xml.ts";
import type {
  GetObjectAttributes,
  ObjectAttribute,
  ObjectAttributes,
} from "../../../operations/get-object-attributes.ts";
import { permitObject } from "../../../pipeline/authorize.ts";
import type { ObjectInfo } from "../../../storage/contract/storage.ts";
import { expectNullVersion, invalidArgument, invalidCombination, readInteger, readLimit } from "../arguments.ts";
import type { S3ObjectOperation } from "../operation.ts";
import { checksumElements } from "../present.ts";
import { xmlAnswer } from "../xml.ts";

const ATTRIBUTES = "x-amz-object-attributes";
const MAX_PARTS = "x-amz-max-parts";
const MARKER = "x-amz-part-number-marker";

const NAMES: Readonly<Record<string, ObjectAttribute>> = {
  ETag: "etag",
  Checksum: "checksum",
  ObjectParts: "parts",
  StorageClass: "storageClass",
  ObjectSize: "size",
};

export const getObjectAttributesOperation: S3ObjectOperation<GetObjectAttributes> = {
  name: "GetObjectAttributes",
  action: "s3:GetObjectAttributes",
  method: "GET",
  on: "object",
  selectors: ["attributes"],
  parameters: ["versionId"],
  amz: [ATTRIBUTES, MAX_PARTS, MARKER],
  readsBody: false,
  read({ permit, amz, parameters }, object) {
    // At Amazon whoever asks has to be allowed both.
    permitObject(permit, object, { method: "GET", action: "s3:GetObject" });
    expectNullVersion(parameters.get("versionId"), object.key);
    const marker = amz.get(MARKER) ?? "0";
    const after = readInteger(marker);
    if (after === undefined) throw invalidArgument(MARKER, marker, "Argument partNumberMarker must be an integer.");
    const text = "Argument max-parts must be an integer between 0 and 2147483647";
    return {
      operation: "get-object-attributes",
      object,
      attributes: readAttributes(amz.get(ATTRIBUTES)),
      after,
      limit: readLimit(MAX_PARTS, amz.get(MAX_PARTS), { most: 1000, text }),
    };
  },
  present({ info, request }, _, { requestId }) {
    const { attributes } = request;
    return xmlAnswer({
      root: "GetObjectAttributesResponse",
      elements: [
        ["ETag", attributes.has("etag") ? info.etag : undefined],
        ["Checksum", attributes.has("checksum") ? someElements(checksumElements(info)) : undefined],
        ["ObjectParts", attributes.has("parts") ? partsElements(info, request) : undefined],
        ["StorageClass", attributes.has("storageClass") ? "STANDARD" : undefined],
        ["ObjectSize", attributes.has("size") ? info.size : undefined],
      ],
      requestId,
      headers: ["last-modified", formatHttpDate(info.lastModified.getTime())],
    });
  },
};

function readAttributes(header: string | undefined): ReadonlySet<ObjectAttribute> {
  const names = (header ?? "").split(",").map((name) => name.trim());
  if (names.every((name) => name === "")) {
    throw invalidCombination(
      "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty",
    );
  }
  return new Set(
    names.map((name) => {
      const attribute = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
      if (attribute !== undefined) return attribute;
      throw invalidArgument(ATTRIBUTES, name, "Invalid attribute name specified.");
    }),
  );
}

function someElements(elements: readonly XmlElement[]): readonly XmlElement[] | undefined {
  return elements.length === 0 ? undefined : elements;
}

/** S3 tells the single parts only of an object with a checksum, and of one that did not come in parts nothing. */
function partsElements(
  { parts, checksums }: ObjectInfo,
  { after, limit }: ObjectAttributes["request"],
): readonly XmlElement[] | undefined {
  if (parts === undefined) return undefined;
  const [algorithm] = Object.keys(checksums);
  if (algorithm === undefined) return [["PartsCount", parts.length]];
  const page = parts.slice(after, after + limit);
  const last = after + page.length;
  return [
    ["IsTruncated", last < parts.length],
    ["MaxParts", limit],
    ["NextPartNumberMarker", last],
    ["PartNumberMarker", after],
    ...page.map(
      ({ size, checksum }, i): XmlElement => [
        "Part",
        [
          [`Checksum${algorithm.toUpperCase()}`, checksum],
          ["PartNumber", after + i + 1],
          ["Size", size],
        ],
      ],
    ),
    ["PartsCount", parts.length],
  ];
}
