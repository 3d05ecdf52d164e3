import type { S3Grant } from "daypass/s3";
import type { OperationRequest } from "../../operations/operations.ts";
import type { PutObject } from "../../operations/put-object.ts";
import type { Permit, PermittedObject } from "../../pipeline/authorize.ts";
import type { Limits } from "../../pipeline/limits.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { Received, RequestFields } from "../../pipeline/target.ts";
import { contentLength, readConditions, readIfMatch, readRange, storedHeaders } from "../request-fields.ts";
import { type AmzFields, notImplemented, readAmz } from "./amz.ts";
import { checkedBody, declaredDigests } from "./checksums.ts";

/**
 * The operation that a permitted S3 request asks for. What is not one of the four object calls is refused as
 * `NOT_IMPLEMENTED`, in whatever way it is asked for: by method, sub-resource, header or by naming a bucket only.
 */
export function s3Operation(
  { grant, object }: Permit<S3Grant>,
  received: Received,
  { body, limits }: { readonly body: AsyncIterable<Uint8Array>; readonly limits: Limits },
): OperationRequest {
  const { request, fields } = received;
  const amz = readAmz(request, grant, limits);
  if (object === undefined) throw notImplemented("method", `${request.method} on a bucket`);
  switch (request.method) {
    case "GET":
      expectNoBody(grant);
      return { operation: "get-object", object, conditions: readConditions(fields), range: readRange(fields) };
    case "HEAD":
      expectNoBody(grant);
      return { operation: "head-object", object, conditions: readConditions(fields), range: readRange(fields) };
    case "DELETE":
      expectNoBody(grant);
      return { operation: "delete-object", object, ifMatch: ifMatch(fields) };
    case "PUT":
      return putObject(object, { received, grant, amz, body, limits });
    case "POST":
      throw notImplemented("method", "POST");
    default:
      throw new Refusal("METHOD_NOT_ALLOWED", "expected GET, HEAD, PUT or DELETE, found another method", {
        method: request.method,
      });
  }
}

const SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** These calls read no body, so the only body hash they can keep is that of an empty one. */
function expectNoBody({ obligations }: S3Grant): void {
  for (const obligation of obligations) {
    if (obligation.kind === "body-sha256" && obligation.sha256 !== SHA256_OF_NOTHING) {
      throw new Refusal("BODY_DIGEST", "expected the hash of an empty body on a request without one, found another");
    }
  }
}

interface Upload {
  readonly received: Received;
  readonly grant: S3Grant;
  readonly amz: AmzFields;
  readonly body: AsyncIterable<Uint8Array>;
  readonly limits: Limits;
}

function putObject(object: PermittedObject, { received, grant, amz, body, limits }: Upload): PutObject {
  const { fields, request } = received;
  const length = contentLength(fields);
  if (length === undefined) {
    throw new Refusal("LENGTH_REQUIRED", "expected Content-Length on an upload, found none: send it");
  }
  if (fields.ifModifiedSince !== undefined || fields.ifUnmodifiedSince !== undefined) {
    throw notImplemented("header", fields.ifModifiedSince === undefined ? "If-Unmodified-Since" : "If-Modified-Since");
  }
  if (fields.ifNoneMatch !== undefined && fields.ifNoneMatch.trim() !== "*")
    throw notImplemented("header", "If-None-Match");
  const headers = storedHeaders(request.headers);
  if (headers.contentEncoding !== undefined && /(?:^|,)\s*aws-chunked\s*(?:,|$)/i.test(headers.contentEncoding)) {
    throw notImplemented("header", "Content-Encoding");
  }
  return {
    operation: "put-object",
    object,
    body: checkedBody(body, amz.checksums),
    contentLength: length,
    maxBytes: limits.body,
    minBytes: undefined,
    contentType: fields.contentType,
    headers,
    metadata: amz.metadata,
    digests: declaredDigests(request.headers, grant, amz.checksums),
    createOnly: fields.ifNoneMatch !== undefined || grant.obligations.some(({ kind }) => kind === "create-only"),
    ifMatch: ifMatch(fields),
  };
}

function ifMatch({ ifMatch: value }: RequestFields): string | undefined {
  return readIfMatch(value, () => notImplemented("header", "If-Match"));
}
