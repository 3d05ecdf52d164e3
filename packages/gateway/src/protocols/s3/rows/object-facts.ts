import { formatHttpDate } from "../../../http/date.ts";
import type { XmlElements } from "../../../http/xml.ts";
import { childrenOf, type ReadElement, textOf } from "../../../http/xml-reader.ts";
import type { DescribeObject } from "../../../operations/get-object.ts";
import type { SetObjectTags } from "../../../operations/put-object.ts";
import type { PermittedObject } from "../../../permit.ts";
import { permitObject } from "../../../pipeline/authorize.ts";
import { Refusal } from "../../../pipeline/refusal.ts";
import type { ObjectInfo } from "../../../storage/contract/storage.ts";
import { checksumElements, emptyAnswer, noContent, OWNER_ID, OWNER_POLICY, xmlAnswer } from "../answers.ts";
import { expectNullVersion, invalidArgument, invalidCombination, readLimit, readPartMarker } from "../arguments.ts";
import { readDocument, readOptionalDocument } from "../document.ts";
import { onObject, type S3Call, type S3Row } from "../row.ts";
import { readTagging, taggingElements } from "../tags.ts";

const ATTRIBUTES = "x-amz-object-attributes";
const MAX_PARTS = "x-amz-max-parts";
const MARKER = "x-amz-part-number-marker";
const NAMES: readonly string[] = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];

/** Access control lists, attributes and tags of an object. */
export const objectFactRows: readonly S3Row[] = [
  // "If your bucket uses the bucket owner enforced setting … requests to read ACLs are still supported and return the … owner's full control".
  onObject<DescribeObject>({
    name: "GetObjectAcl",
    method: "GET",
    selectors: ["acl"],
    parameters: ["versionId"],
    read: describe,
    present: (_, exchange) => xmlAnswer(exchange, { root: "AccessControlPolicy", content: OWNER_POLICY }),
  }),
  onObject<DescribeObject>({
    name: "GetObjectAttributes",
    method: "GET",
    selectors: ["attributes"],
    parameters: ["versionId"],
    amz: [ATTRIBUTES, MAX_PARTS, MARKER],
    read(call, object) {
      // Amazon requires both permissions.
      permitObject(call.permit, object, { method: "GET", action: "s3:GetObject" });
      const described = describe(call, object);
      readMarker(call);
      const parts = readAttributes(call).has("ObjectParts");
      readPartLimit(call);
      return { ...described, parts };
    },
    present(info, { call, requestId }) {
      const attributes = readAttributes(call);
      const checksum = checksumElements(info);
      const all: XmlElements = {
        ETag: info.etag,
        Checksum: Object.keys(checksum).length === 0 ? undefined : checksum,
        ObjectParts: partElements(info, call),
        StorageClass: "STANDARD",
        ObjectSize: info.size,
      };
      const content = Object.fromEntries(Object.entries(all).filter(([name]) => attributes.has(name)));
      const headers = ["last-modified", formatHttpDate(info.lastModified.getTime())];
      return xmlAnswer({ requestId }, { root: "GetObjectAttributesResponse", content }, headers);
    },
  }),
  onObject<DescribeObject>({
    name: "GetObjectTagging",
    method: "GET",
    selectors: ["tagging"],
    parameters: ["versionId"],
    read: describe,
    present: ({ tags = {} }, exchange) => xmlAnswer(exchange, { root: "Tagging", content: taggingElements(tags) }),
  }),
  // "If your bucket uses the bucket owner enforced setting … requests to set ACLs or update ACLs fail". The existing list is accepted:
  // clients that copy an object put back the result of GetObjectAcl.
  onObject<DescribeObject>({
    name: "PutObjectAcl",
    method: "PUT",
    selectors: ["acl"],
    parameters: ["versionId"],
    amz: ["x-amz-sdk-checksum-algorithm"],
    readsBody: true,
    async read(call, object) {
      const described = describe(call, object);
      const policy = await readOptionalDocument(call, "AccessControlPolicy");
      if (policy !== undefined && isOwnerPolicy(policy)) return described;
      throw new Refusal("ACL_NOT_SUPPORTED", "buckets here have no access control lists. Leave yours out");
    },
    present: (_, exchange) => emptyAnswer(exchange),
  }),
  onObject<SetObjectTags>({
    name: "PutObjectTagging",
    method: "PUT",
    selectors: ["tagging"],
    parameters: ["versionId"],
    amz: ["x-amz-sdk-checksum-algorithm"],
    readsBody: true,
    async read(call, object) {
      expectNullVersion(call.parameters.get("versionId"), object.key);
      return { operation: "set-object-tags", object, tags: readTagging(await readDocument(call, "Tagging")) };
    },
    present: (_, exchange) => emptyAnswer(exchange),
  }),
  onObject<SetObjectTags>({
    name: "DeleteObjectTagging",
    method: "DELETE",
    selectors: ["tagging"],
    parameters: ["versionId"],
    read(call, object) {
      expectNullVersion(call.parameters.get("versionId"), object.key);
      return { operation: "set-object-tags", object, tags: {} };
    },
    present: (_, exchange) => noContent(exchange),
  }),
];

function describe({ parameters }: S3Call, object: PermittedObject): DescribeObject {
  expectNullVersion(parameters.get("versionId"), object.key);
  return { operation: "describe-object", object, parts: false };
}

function readAttributes({ amz }: S3Call): ReadonlySet<string> {
  const names = (amz.get(ATTRIBUTES) ?? "").split(",").map((name) => name.trim());
  if (names.every((name) => name === "")) {
    throw invalidCombination(
      "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty",
    );
  }
  const unknown = names.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw invalidArgument(ATTRIBUTES, unknown, "Invalid attribute name specified.");
  return new Set(names);
}

function readMarker({ amz }: S3Call): number {
  return readPartMarker(MARKER, amz.get(MARKER) ?? "0");
}

function readPartLimit({ amz }: S3Call): number {
  const text = "Argument max-parts must be an integer between 0 and 2147483647";
  return readLimit(MAX_PARTS, amz.get(MAX_PARTS), { most: 1000, text });
}

/** S3 lists single parts only for an object with a checksum. For an object that was uploaded whole it lists nothing. */
function partElements({ parts, checksums }: ObjectInfo, call: S3Call): XmlElements | undefined {
  if (parts === undefined) return undefined;
  const [algorithm] = Object.keys(checksums);
  if (algorithm === undefined) return { PartsCount: parts.length };
  const after = readMarker(call);
  const limit = readPartLimit(call);
  const page = parts.slice(after, after + limit);
  const last = after + page.length;
  return {
    IsTruncated: last < parts.length,
    MaxParts: limit,
    NextPartNumberMarker: last,
    PartNumberMarker: after,
    Part: page.map(({ size, checksum }, i) => ({
      [`Checksum${algorithm.toUpperCase()}`]: checksum,
      PartNumber: after + i + 1,
      Size: size,
    })),
    PartsCount: parts.length,
  };
}

/** Full control for the owner, and nothing for anyone else. Display names are ignored. */
export function isOwnerPolicy(policy: ReadElement): boolean {
  const owner = only(policy, "Owner");
  const list = only(policy, "AccessControlList");
  const grant = list === undefined || list.children.length !== 1 ? undefined : only(list, "Grant");
  if (owner === undefined || grant === undefined || !isOwner(owner)) return false;
  const [grantee, permission] = [only(grant, "Grantee"), only(grant, "Permission")];
  return grantee !== undefined && isOwner(grantee) && permission !== undefined && textOf(permission) === "FULL_CONTROL";
}

function isOwner(element: ReadElement): boolean {
  const id = only(element, "ID");
  return id !== undefined && textOf(id) === OWNER_ID && childrenOf(element, "URI").length === 0;
}

/** The child of this name, if there is exactly one. */
function only(element: ReadElement, name: string): ReadElement | undefined {
  const [first, second] = childrenOf(element, name);
  return second === undefined ? first : undefined;
}
