import type { UrlGrant } from "daypass/url";
import type { DeleteObject } from "../../operations/delete-object.ts";
import type { GetObject } from "../../operations/get-object.ts";
import type { HeadObject } from "../../operations/head-object.ts";
import type { PutObject } from "../../operations/put-object.ts";
import type { WriteConditions } from "../../operations/write-conditions.ts";
import type { Permit, PermittedObject } from "../../permit.ts";
import type { Limits } from "../../pipeline/limits.ts";
import type { Received } from "../../pipeline/receive.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import { bytesOfBase64, bytesOfHex } from "../digests.ts";
import { contentLength, readConditions, readRange, storedHeaders } from "../request-fields.ts";
import { expectWhole, readWriteConditions } from "../write-fields.ts";
import { obligationOf } from "./obligation.ts";

/** All that a Daypass URL can ask for. */
export type UrlRequest = GetObject | HeadObject | PutObject | DeleteObject;

/** The operation that a permitted Daypass URL asks for. Its query selects nothing: a file is a path. */
export function urlOperation(
  { grant, object }: Permit<UrlGrant>,
  received: Received,
  { body, limits }: { readonly body: AsyncIterable<Uint8Array>; readonly limits: Limits },
): UrlRequest {
  const { request, fields } = received;
  if (object === undefined) throw new Refusal("NO_SUCH_KEY", "expected the path of a file, found that of a bucket");
  switch (request.method) {
    case "GET":
      return { operation: "get-object", object, conditions: readConditions(fields), range: readRange(fields, grant) };
    case "HEAD":
      return { operation: "head-object", object, conditions: readConditions(fields), range: readRange(fields, grant) };
    case "DELETE":
      return { operation: "delete-object", object, ...writeConditions(grant, fields) };
    case "PUT":
      return putObject(object, received, { grant, body, limits });
    default:
      throw new Refusal("METHOD_NOT_ALLOWED", "expected GET, HEAD, PUT or DELETE, found another method", {
        method: request.method,
      });
  }
}

function putObject(
  object: PermittedObject,
  { request, fields }: Received,
  upload: { readonly grant: UrlGrant; readonly body: AsyncIterable<Uint8Array>; readonly limits: Limits },
): PutObject {
  const { grant, body, limits } = upload;
  const length = obligationOf(grant, "body-length");
  const digest = obligationOf(grant, "body-sha256");
  expectWhole(fields);
  const announced = contentLength(fields);
  if (announced !== undefined && length !== undefined && (announced < length.min || announced > length.max)) {
    throw new Refusal(
      "BODY_LENGTH",
      `expected ${length.min} to ${length.max} bytes, found ${announced}: send what was granted`,
    );
  }
  return {
    operation: "put-object",
    object,
    body,
    contentLength: announced,
    maxBytes: Math.min(limits.body, length?.max ?? limits.body),
    minBytes: length?.min,
    contentType: fields.contentType,
    headers: storedHeaders(request.headers),
    metadata: {},
    digests: {
      md5: contentMd5(request.headers),
      sha256: digest === undefined ? undefined : bytesOfHex(digest.sha256),
    },
    checksum: undefined,
    tags: undefined,
    ...writeConditions(grant, fields),
  };
}

function contentMd5(headers: Received["request"]["headers"]): Uint8Array | undefined {
  const declared = headers.find(([name]) => name.toLowerCase() === "content-md5")?.[1];
  return declared === undefined ? undefined : bytesOfBase64("content-md5", declared, 16);
}

function writeConditions(grant: UrlGrant, fields: Received["fields"]): WriteConditions {
  const { createOnly, ifMatch } = readWriteConditions(
    fields,
    (header) =>
      new Refusal("NOT_IMPLEMENTED", `expected a condition that is implemented, found ${header}: leave it out`, {
        header,
      }),
  );
  return { createOnly: createOnly || obligationOf(grant, "create-only") !== undefined, ifMatch };
}
