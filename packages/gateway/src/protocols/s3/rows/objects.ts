import { metadataHeader } from "../../../http/metadata.ts";
import type { DeleteObject } from "../../../operations/delete-object.ts";
import type { GetObject, HeadObject, ObjectRead, Selection } from "../../../operations/get-object.ts";
import type { PutObject } from "../../../operations/put-object.ts";
import type { WriteConditions } from "../../../operations/write-conditions.ts";
import type { Answer } from "../../../pipeline/outcome.ts";
import { Refusal } from "../../../pipeline/refusal.ts";
import type { ObjectInfo, StoredHeaders } from "../../../storage/contract/storage.ts";
import { headerStyle, presentRead } from "../../object-headers.ts";
import {
  expectWhole,
  readConditions,
  readWriteConditions as readConditionsOfWrite,
  readRange,
  storedHeaders,
} from "../../request-fields.ts";
import { addChecksumHeaders, checksumType, emptyAnswer, noContent, quoted, requestIdHeaders } from "../answers.ts";
import { expectNullVersion, invalidCombination, notImplemented, readPartNumber } from "../arguments.ts";
import { declaredChecksum, declaredDigests } from "../checksums.ts";
import { onObject, type S3Call, type S3Exchange, type S3Row } from "../row.ts";
import { readUploadTags, TAGGING } from "../tags.ts";

export const objectRows: readonly S3Row[] = [
  onObject<GetObject>({
    name: "GetObject",
    method: "GET",
    parameters: ["partNumber", "versionId"],
    read: (call, object) => ({ operation: "get-object", object, ...readSelection(call, object.key) }),
    present: presentObject,
  }),
  onObject<HeadObject>({
    name: "HeadObject",
    action: "s3:GetObject",
    method: "HEAD",
    parameters: ["partNumber", "versionId"],
    read: (call, object) => ({ operation: "head-object", object, ...readSelection(call, object.key) }),
    present: presentObject,
  }),
  onObject<PutObject>({
    name: "PutObject",
    method: "PUT",
    amz: ["x-amz-sdk-checksum-algorithm", TAGGING],
    conditional: true,
    readsBody: true,
    read(call, object) {
      const { received, metadata, payload, limits } = call;
      expectWhole(received.fields);
      return {
        operation: "put-object",
        object,
        contentLength: requiredLength(call),
        ...readWriteConditions(call),
        headers: readStoredHeaders(call),
        tags: readUploadTags(call, object),
        body: payload.body,
        maxBytes: limits.body,
        contentType: received.fields.contentType,
        metadata,
        digests: declaredDigests(call),
        checksum: declaredChecksum(call),
      };
    },
    present(info, exchange) {
      const answer = emptyAnswer(exchange, ["ETag", quoted(info.etag)]);
      addChecksumHeaders(answer.headers, info);
      return answer;
    },
  }),
  onObject<DeleteObject>({
    name: "DeleteObject",
    method: "DELETE",
    parameters: ["versionId"],
    conditional: true,
    read(call, object) {
      expectNullVersion(call.parameters.get("versionId"), object.key);
      return { operation: "delete-object", object, ...readWriteConditions(call) };
    },
    present: (_, exchange) => noContent(exchange),
  }),
];

/** Which state and which part of the object GET and HEAD ask for. */
function readSelection({ received: { fields }, parameters, permit }: S3Call, key: string): Selection {
  const conditions = readConditions(fields);
  const range = readRange(fields, permit.grant);
  if (parameters.size === 0) return { conditions, range };
  expectNullVersion(parameters.get("versionId"), key);
  const number = parameters.get("partNumber");
  const part = number === undefined ? undefined : readPartNumber(number);
  if (part !== undefined && range !== undefined) {
    throw invalidCombination("Cannot specify both Range header and partNumber query parameter");
  }
  return { conditions, range, part };
}

/** S3 accepts no body of unknown length. */
export function requiredLength({ payload: { length } }: S3Call): number {
  if (length !== undefined) return length;
  throw new Refusal("LENGTH_REQUIRED", "the upload has no Content-Length. Send it");
}

/**
 * The conditions of a write. S3 has only `If-None-Match: *` and `If-Match` with one tag.
 *
 * @throws {Refusal} `NOT_IMPLEMENTED`, `PRECONDITION_FAILED` for a weak tag
 */
export function readWriteConditions({ received: { fields }, permit: { grant } }: S3Call): WriteConditions {
  // Amazon refuses both, although RFC 9110 would ignore them.
  if (fields.ifModifiedSince !== undefined) throw notImplemented("header", "If-Modified-Since");
  if (fields.ifUnmodifiedSince !== undefined) throw notImplemented("header", "If-Unmodified-Since");
  const { createOnly, ifMatch } = readConditionsOfWrite(fields, (header) => notImplemented("header", header));
  return { createOnly: createOnly || grant.obligations.some(({ kind }) => kind === "create-only"), ifMatch };
}

/** The headers that every later download repeats. */
export function readStoredHeaders({ received: { request } }: S3Call): StoredHeaders {
  const { contentEncoding, ...headers } = storedHeaders(request.headers);
  if (contentEncoding === undefined) return headers;
  const codings = contentEncoding.split(",").map((coding) => coding.trim());
  // The framing belongs to the request, not to the object. Its payload mode decides whether the body has frames.
  const rest = codings.filter((coding) => coding.toLowerCase() !== "aws-chunked");
  return rest.length === 0 ? headers : { ...headers, contentEncoding: rest.join(", ") };
}

const forUrls = headerStyle(amzHeaders);
// Without Vary, a browser's cache would answer a later navigation with the stored headers.
const forPrograms = headerStyle((info) => [...amzHeaders(info), "vary", "authorization"], { asStored: true });

function presentObject(result: ObjectRead, { call, requestId }: S3Exchange<GetObject | HeadObject>): Answer {
  const { permit, received } = call;
  const { scheme, parameters } = permit.grant;
  // A request that is signed in its header is no URL: nothing navigates to it, and no cache stores its answer.
  const style = scheme.endsWith("/header") ? forPrograms : forUrls;
  const answer = presentRead(result, { permit, style, mayRedirect: () => true });
  if (parameters.length > 0 || received.request.headers.some(([name]) => isChecksumMode(name))) {
    addChecksums(answer.headers, result, call);
  }
  if (result.part?.count !== undefined) answer.headers.push("x-amz-mp-parts-count", String(result.part.count));
  answer.headers.push(...requestIdHeaders(requestId));
  return answer;
}

/** The headers of an object that only S3 has. */
function amzHeaders({ metadata, tags }: ObjectInfo): readonly string[] {
  const headers = Object.entries(metadata).flatMap(([name, value]) => [`x-amz-meta-${name}`, metadataHeader(value)]);
  if (tags !== undefined) headers.push("x-amz-tagging-count", String(Object.keys(tags).length));
  return headers;
}

function isChecksumMode(name: string): boolean {
  return name.length === 19 && name.toLowerCase() === "x-amz-checksum-mode";
}

/** `x-amz-checksum-mode: ENABLED` asks for the checksums that were verified on upload. */
function addChecksums(
  headers: string[],
  { info, range, part, notModified }: ObjectRead,
  { permit, received }: S3Call,
): void {
  // Amazon sends checksums only with bytes. boto3 would compare one with the empty body of a 304, and fail.
  if (notModified) return;
  const asks = ([name, value]: readonly [string, string]): boolean => isChecksumMode(name) && value === "ENABLED";
  if (!received.request.headers.some(asks) && !permit.grant.parameters.some(asks)) return;
  if (part?.count === undefined) {
    // The checksum of the whole object would not match a range.
    if (range === undefined || part !== undefined) addChecksumHeaders(headers, info);
    return;
  }
  if (part.checksum === undefined) return;
  for (const [algorithm, whole] of Object.entries(info.checksums)) {
    headers.push(`x-amz-checksum-${algorithm}`, part.checksum, "x-amz-checksum-type", checksumType(whole));
  }
}
