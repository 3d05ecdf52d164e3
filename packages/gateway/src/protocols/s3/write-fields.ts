import type { WriteConditions } from "../../operations/write-conditions.ts";
import type { StoredHeaders } from "../../storage/storage.ts";
import { readIfMatch, storedHeaders } from "../request-fields.ts";
import { notImplemented } from "./amz.ts";
import type { S3Call } from "./operation.ts";

/**
 * The conditions of a write: `If-None-Match: *` and `If-Match` with one tag. S3 has no others.
 *
 * @throws {Refusal} `NOT_IMPLEMENTED`, `PRECONDITION_FAILED` for a weak tag
 */
export function readWriteConditions({ received: { fields }, permit: { grant } }: S3Call): WriteConditions {
  if (fields.ifModifiedSince !== undefined || fields.ifUnmodifiedSince !== undefined) {
    throw notImplemented("header", fields.ifModifiedSince === undefined ? "If-Unmodified-Since" : "If-Modified-Since");
  }
  if (fields.ifNoneMatch !== undefined && fields.ifNoneMatch.trim() !== "*")
    throw notImplemented("header", "If-None-Match");
  return {
    createOnly: fields.ifNoneMatch !== undefined || grant.obligations.some(({ kind }) => kind === "create-only"),
    ifMatch: readIfMatch(fields.ifMatch, () => notImplemented("header", "If-Match")),
  };
}

/** The headers that every later download repeats. */
export function readStoredHeaders({ received: { request } }: S3Call): StoredHeaders {
  const headers = storedHeaders(request.headers);
  if (headers.contentEncoding !== undefined && /(?:^|,)\s*aws-chunked\s*(?:,|$)/i.test(headers.contentEncoding)) {
    throw notImplemented("header", "Content-Encoding");
  }
  return headers;
}
