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
export function readStoredHeaders({ received: { request }, payload }: S3Call): StoredHeaders {
  const { contentEncoding, ...headers } = storedHeaders(request.headers);
  if (contentEncoding === undefined) return headers;
  const codings = contentEncoding.split(",").map((coding) => coding.trim());
  const rest = codings.filter((coding) => coding.toLowerCase() !== "aws-chunked");
  // The framing belongs to the request and not to the object. Without a signed mode nobody has undone it.
  if (rest.length < codings.length && !payload.chunked) throw notImplemented("header", "Content-Encoding");
  return rest.length === 0 ? headers : { ...headers, contentEncoding: rest.join(", ") };
}
