import type { S3Grant } from "daypass/s3";
import { isHeaderValue } from "../../http/content-headers.ts";
import type { ObjectRead } from "../../operations/get-object.ts";
import type { Permit } from "../../pipeline/authorize.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import type { ObjectInfo } from "../../storage/storage.ts";
import { addDelivery, memoisedHeaders, overriddenHeaders, redirect, responseOverrides } from "../object-headers.ts";
import type { Exchange } from "../protocol.ts";

const describe = memoisedHeaders(userMetadata);

/** The answer of GET and HEAD on an object. */
export function presentObject(result: ObjectRead, permit: Permit<S3Grant>, { requestId, request }: Exchange): Answer {
  const answer = readObject(result, permit);
  if (permit.grant.parameters.length > 0 || request.headers.some(([name]) => isChecksumMode(name))) {
    addChecksums(answer.headers, result, permit, request.headers);
  }
  answer.headers.push("x-amz-request-id", requestId);
  return answer;
}

function readObject(result: ObjectRead, { grant, at }: Permit<S3Grant>): Answer {
  const { info, body, range, notModified } = result;
  // A request signed in its header ends soon and is no URL that a cache could keep: it names no life.
  const secondsLeft = grant.scheme === "s3/header" ? undefined : Math.floor((grant.expiresAt.getTime() - at) / 1000);
  if (body?.kind === "redirect") return redirect(body.url);
  const overrides = responseOverrides(grant);
  const headers =
    overrides === undefined ? describe(info).slice() : [...overriddenHeaders(info, overrides), ...userMetadata(info)];
  addDelivery(headers, result, { wish: overrides?.cacheControl ?? info.headers.cacheControl, secondsLeft });
  return { status: notModified ? 304 : range === undefined ? 200 : 206, headers, body };
}

function userMetadata({ metadata }: ObjectInfo): readonly string[] {
  return Object.entries(metadata).flatMap(([name, value]) => [`x-amz-meta-${name}`, headerText(value)]);
}

/** "Amazon S3 … returns the RFC 2047 encoded" form of metadata that a header cannot carry. */
function headerText(value: string): string {
  if (isHeaderValue(value)) return value;
  return `=?UTF-8?B?${btoa(String.fromCharCode(...new TextEncoder().encode(value)))}?=`;
}

function isChecksumMode(name: string): boolean {
  return name.length === 19 && name.toLowerCase() === "x-amz-checksum-mode";
}

/** `x-amz-checksum-mode: ENABLED` asks for the checksums that were verified when the object came. */
function addChecksums(
  headers: string[],
  { info, range }: ObjectRead,
  { grant }: Permit<S3Grant>,
  requestHeaders: readonly (readonly [string, string])[],
): void {
  const asked =
    requestHeaders.some(([name, value]) => isChecksumMode(name) && value === "ENABLED") ||
    grant.parameters.some(([name, value]) => name.toLowerCase() === "x-amz-checksum-mode" && value === "ENABLED");
  // Of a part the checksum of the whole would be a wrong one.
  if (!asked || range !== undefined) return;
  addChecksumHeaders(headers, info);
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
