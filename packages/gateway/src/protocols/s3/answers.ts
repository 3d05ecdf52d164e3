/** Answers and elements that several rows share. */
import type { WireRequest } from "daypass";
import { XML_DECLARATION, type XmlContent, type XmlElements, xmlDocument } from "../../http/xml.ts";
import { virtualBucket } from "../../pipeline/addressed-bucket.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import type { PartInfo } from "../../storage/contract/multipart.ts";
import type { ObjectInfo } from "../../storage/contract/storage.ts";
import { textAnswer } from "../text-answer.ts";

/** `x-amz-id-2`, and `HostId` in the body of an error: opaque, and different for each request. SDKs show it with every error. */
export function hostId(requestId: string): string {
  return `daypass/${requestId}`;
}

/** The headers by which S3 identifies a request. Every answer has them. */
export function requestIdHeaders(requestId: string): [string, string, string, string] {
  return ["x-amz-request-id", requestId, "x-amz-id-2", hostId(requestId)];
}

export function noContent({ requestId }: { readonly requestId: string }): Answer {
  return { status: 204, headers: requestIdHeaders(requestId), body: undefined };
}

/** A 200 without a body. */
export function emptyAnswer({ requestId }: { readonly requestId: string }, headers: readonly string[] = []): Answer {
  return {
    status: 200,
    headers: [...headers, "content-length", "0", ...requestIdHeaders(requestId)],
    body: undefined,
  };
}

/** A 200 with a document. */
export function xmlAnswer(
  { requestId }: { readonly requestId: string },
  { root, content }: { readonly root: string; readonly content: XmlContent | readonly XmlElements[] },
  headers: readonly string[] = [],
): Answer {
  return textAnswer({
    status: 200,
    type: "application/xml",
    text: xmlDocument(root, content),
    headers: [...requestIdHeaders(requestId), ...headers],
  });
}

/** The beginning of an answer whose document is not known yet. An error may follow as well. */
export function beginXmlAnswer(requestId: string): Answer {
  return textAnswer({
    status: 200,
    type: "application/xml",
    text: XML_DECLARATION,
    headers: requestIdHeaders(requestId),
    open: true,
  });
}

/** The owner of everything here, in the form of Amazon's canonical user ids. */
export const OWNER_ID = "0d5b1f6f7c0e4f5b9f0a7c1d2e3f405162738495a6b7c8d9eaf0b1c2d3e4f506";

/** The content of an element that names the owner, e.g. `Owner` and `Initiator`. */
export const OWNER: XmlElements = { ID: OWNER_ID, DisplayName: "daypass" };

/** The access control policy of everything here: full control for the owner. */
export const OWNER_POLICY: XmlElements = {
  Owner: OWNER,
  AccessControlList: {
    Grant: {
      Grantee: {
        "@xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "@xsi:type": "CanonicalUser",
        ...OWNER,
      },
      Permission: "FULL_CONTROL",
    },
  },
};

export function quoted(etag: string): string {
  return `"${etag}"`;
}

/** A checksum of checksums ends with `-` and the number of parts. Base64 contains no `-`. */
export function checksumType(value: string): "FULL_OBJECT" | "COMPOSITE" {
  return value.includes("-") ? "COMPOSITE" : "FULL_OBJECT";
}

/** The checksum of an object as headers. */
export function addChecksumHeaders(headers: string[], { checksums }: Pick<ObjectInfo, "checksums">): void {
  for (const [algorithm, value] of Object.entries(checksums)) {
    headers.push(`x-amz-checksum-${algorithm}`, value, "x-amz-checksum-type", checksumType(value));
  }
}

/** The checksum of an object as elements of a document. */
export function checksumElements({ checksums }: Pick<ObjectInfo, "checksums">): XmlElements {
  const [first] = Object.entries(checksums);
  if (first === undefined) return {};
  const [algorithm, value] = first;
  return { [`Checksum${algorithm.toUpperCase()}`]: value, ChecksumType: checksumType(value) };
}

/** The checksum of a part, which has no type. */
export function partChecksumElements({ checksum }: Pick<PartInfo, "checksum">): XmlElements {
  return checksum === undefined ? {} : { [`Checksum${checksum.algorithm.toUpperCase()}`]: checksum.value };
}

/** The URL that the client used, without its query. A proxy in front of the gateway may have ended TLS. */
export function locationOf({ target, authority }: WireRequest, origins: readonly string[]): string {
  const secure = virtualBucket(origins.filter((origin) => origin.startsWith("https:")));
  const scheme = secure(authority) === undefined ? "http" : "https";
  return `${scheme}://${authority}${target.replace(/\?.*/s, "")}`;
}
