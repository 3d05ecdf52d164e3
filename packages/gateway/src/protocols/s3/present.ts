import type { S3Grant } from "daypass/s3";
import { metadataHeader } from "../../http/metadata.ts";
import type { XmlElement } from "../../http/xml.ts";
import type { ObjectRead } from "../../operations/get-object.ts";
import type { Permit } from "../../permit.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import type { PartInfo } from "../../storage/contract/multipart.ts";
import type { ObjectInfo } from "../../storage/contract/storage.ts";
import { addDelivery, memoisedHeaders, overriddenHeaders, redirect, responseOverrides } from "../object-headers.ts";
import type { Exchange } from "../protocol.ts";
import { isRangeGranted } from "../request-fields.ts";
import { requestIdHeaders } from "./request-id.ts";

const describe = memoisedHeaders(amzHeaders);
// A browser's cache would give the answer to whoever navigates there later, were it not for this.
const describeAsStored = memoisedHeaders((info) => [...amzHeaders(info), "vary", "authorization"], { asStored: true });

/** The answer of GET and HEAD on an object. */
export function presentObject(result: ObjectRead, permit: Permit<S3Grant>, { requestId, request }: Exchange): Answer {
  const answer = readObject(result, permit);
  const { parameters } = permit.grant;
  if (parameters.length > 0 || request.headers.some(([name]) => isChecksumMode(name))) {
    addChecksums(answer.headers, result, permit, request.headers);
  }
  if (result.part?.count !== undefined) answer.headers.push("x-amz-mp-parts-count", String(result.part.count));
  answer.headers.push(...requestIdHeaders(requestId));
  return answer;
}

function readObject(result: ObjectRead, { grant, at }: Permit<S3Grant>): Answer {
  const { info, range, notModified } = result;
  let { body } = result;
  const overrides = responseOverrides(grant);
  const secondsLeft = Math.floor((grant.expiresAt.getTime() - at) / 1000);
  if (body?.kind === "redirect") {
    const sentOn = isRangeGranted(grant) ? undefined : redirect(body, info, { overrides, secondsLeft });
    if (sentOn !== undefined) return sentOn;
    body = body.bytes();
  }
  const headers = fieldsOf(info, overrides, grant);
  const wish = overrides?.cacheControl ?? info.headers.cacheControl;
  addDelivery(headers, result, isForProgram(grant) ? { stored: wish } : { wish, secondsLeft });
  return { status: notModified ? 304 : range === undefined ? 200 : 206, headers, body };
}

/** What is stored, as it is for programs that manage objects, and made safe for whatever opens a URL. */
function fieldsOf(info: ObjectInfo, overrides: ReturnType<typeof responseOverrides>, grant: S3Grant): string[] {
  const asStored = isForProgram(grant);
  if (overrides === undefined) return (asStored ? describeAsStored : describe)(info).slice();
  const vary = asStored ? ["vary", "authorization"] : [];
  return [...overriddenHeaders(info, overrides, { asStored }), ...amzHeaders(info), ...vary];
}

/** Signed in its header: nothing navigates to it, and it is no URL that a cache could keep. */
function isForProgram({ scheme }: S3Grant): boolean {
  return scheme.endsWith("/header");
}

/** What is S3's own in the headers of an object. */
function amzHeaders({ metadata, tags }: ObjectInfo): readonly string[] {
  const headers = Object.entries(metadata).flatMap(([name, value]) => [`x-amz-meta-${name}`, metadataHeader(value)]);
  if (tags !== undefined) headers.push("x-amz-tagging-count", String(Object.keys(tags).length));
  return headers;
}

function isChecksumMode(name: string): boolean {
  return name.length === 19 && name.toLowerCase() === "x-amz-checksum-mode";
}

/** `x-amz-checksum-mode: ENABLED` asks for the checksums that were verified when the object came. */
function addChecksums(
  headers: string[],
  { info, range, part, notModified }: ObjectRead,
  { grant }: Permit<S3Grant>,
  requestHeaders: readonly (readonly [string, string])[],
): void {
  // Amazon tells it of what it sends. boto3 would hold the body of a 304 against it, and fail.
  if (notModified) return;
  const asked =
    requestHeaders.some(([name, value]) => isChecksumMode(name) && value === "ENABLED") ||
    grant.parameters.some(([name, value]) => name.toLowerCase() === "x-amz-checksum-mode" && value === "ENABLED");
  if (!asked) return;
  if (part?.count !== undefined) addPartChecksum(headers, info, part.checksum);
  // Of a range the checksum of the whole would be a wrong one.
  else if (range === undefined || part !== undefined) addChecksumHeaders(headers, info);
}

/** A part that was asked for by its number has a checksum of its own. */
function addPartChecksum(headers: string[], { checksums }: ObjectInfo, value: string | undefined): void {
  if (value === undefined) return;
  for (const [algorithm, whole] of Object.entries(checksums)) {
    headers.push(`x-amz-checksum-${algorithm}`, value, "x-amz-checksum-type", checksumType(whole));
  }
}

/** The checksum of an object and what it is the checksum of. */
export function addChecksumHeaders(headers: string[], { checksums }: Pick<ObjectInfo, "checksums">): void {
  for (const [algorithm, value] of Object.entries(checksums)) {
    headers.push(`x-amz-checksum-${algorithm}`, value, "x-amz-checksum-type", checksumType(value));
  }
}

/** A checksum of checksums ends in the number of parts, which base64 has no way to. */
export function checksumType(value: string): "FULL_OBJECT" | "COMPOSITE" {
  return value.includes("-") ? "COMPOSITE" : "FULL_OBJECT";
}

/** The checksum of an object as elements of a document. */
export function checksumElements({ checksums }: Pick<ObjectInfo, "checksums">): readonly XmlElement[] {
  return Object.entries(checksums).flatMap(([algorithm, value]): XmlElement[] => [
    [`Checksum${algorithm.toUpperCase()}`, value],
    ["ChecksumType", checksumType(value)],
  ]);
}

/** The checksum of a part, which has no type of its own. */
export function partChecksumElements({ checksum }: Pick<PartInfo, "checksum">): readonly XmlElement[] {
  return checksum === undefined ? [] : [[`Checksum${checksum.algorithm.toUpperCase()}`, checksum.value]];
}

export function quoted(etag: string): string {
  return `"${etag}"`;
}
