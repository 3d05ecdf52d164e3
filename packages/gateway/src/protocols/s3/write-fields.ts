import type { WriteConditions } from "../../operations/write-conditions.ts";
import type { Received } from "../../pipeline/receive.ts";
import type { StoredHeaders } from "../../storage/contract/storage.ts";
import { storedHeaders } from "../request-fields.ts";
import { readWriteConditions as readConditionsOfWrite } from "../write-fields.ts";
import { notImplemented } from "./amz.ts";
import type { S3Call, S3Operation } from "./operation.ts";

/**
 * The conditions of a write, of which S3 has no others than `If-None-Match: *` and `If-Match` with one tag.
 *
 * @throws {Refusal} `NOT_IMPLEMENTED`, `PRECONDITION_FAILED` for a weak tag
 */
export function readWriteConditions({ received: { fields }, permit: { grant } }: S3Call): WriteConditions {
  // As Amazon does, whatever RFC 9110 would have ignored.
  if (fields.ifModifiedSince !== undefined) throw notImplemented("header", "If-Modified-Since");
  if (fields.ifUnmodifiedSince !== undefined) throw notImplemented("header", "If-Unmodified-Since");
  const { createOnly, ifMatch } = readConditionsOfWrite(fields, (header) => notImplemented("header", header));
  return { createOnly: createOnly || grant.obligations.some(({ kind }) => kind === "create-only"), ifMatch };
}

/**
 * Refuses conditions of a write that nothing holds to them: it would happen all the same.
 *
 * @throws {Refusal} `NOT_IMPLEMENTED`
 */
export function expectNoConditions({ method, conditional }: S3Operation, { fields }: Received): void {
  if (conditional === true || method === "GET" || method === "HEAD") return;
  if (fields.ifMatch !== undefined) throw notImplemented("header", "If-Match");
  if (fields.ifNoneMatch !== undefined) throw notImplemented("header", "If-None-Match");
  if (fields.ifUnmodifiedSince !== undefined) throw notImplemented("header", "If-Unmodified-Since");
}

/** The headers that every later download repeats. */
export function readStoredHeaders({ received: { request }, payload }: S3Call): StoredHeaders {
  const { contentEncoding, ...headers } = storedHeaders(request.headers);
  if (contentEncoding === undefined) return headers;
  const codings = contentEncoding.split(",").map((coding) => coding.trim());
  const rest = codings.filter((coding) => coding.toLowerCase() !== "aws-chunked");
  // The framing belongs to the request and not to the object. Without a signed mode nobody has undone it.
  if (rest.length < codings.length && !payload.chunked) throw notImplemented("header", "Content-Encoding");
  return rest.length === 0 ? headers : { ...headers, contentEncoding: rest.join(", ") };
}
