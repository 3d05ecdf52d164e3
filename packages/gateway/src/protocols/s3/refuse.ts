import type { WireRequest } from "daypass";
import type { S3Grant } from "daypass/s3";
import { formBoundary } from "../../http/multipart.ts";
import { unsatisfiedContentRange } from "../../http/range.ts";
import { escapeXml, OUTSIDE_XML, XML_DECLARATION } from "../../http/xml.ts";
import { virtualBucket } from "../../pipeline/addressed-bucket.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import type { Refusal } from "../../pipeline/refusal.ts";
import { page, wantsPage } from "../page.ts";
import type { Exchange } from "../protocol.ts";
import { textAnswer } from "../text-answer.ts";
import { hostId, requestIdHeaders } from "./answers.ts";
import { s3Error } from "./errors.ts";
import { formMismatchFields, mismatchFields } from "./mismatch-fields.ts";
import { type ErrorFields, invalidArgument, type S3Error } from "./signature-errors.ts";

export interface S3RefusalOptions {
  readonly region: string;
  readonly debugFields: boolean;
  readonly origins: readonly string[];
}

/** Writes refusals in the XML of S3. */
export function refuseS3({
  region,
  debugFields,
  origins,
}: S3RefusalOptions): (refusal: Refusal, exchange: Exchange) => Answer {
  const bucketOf = virtualBucket(origins);

  function errorOf({ code, details }: Refusal, { request }: Exchange): S3Error {
    if (code === "NO_SIGNATURE") return unsignedError(request, bucketOf(request.authority) ?? "");
    // S3 has a separate code for the payload hash; the storage has one code for both digests.
    const isPayload = code === "DIGEST_MISMATCH" && details["digest"] === "sha256";
    const error = s3Error(isPayload ? "BODY_DIGEST" : code, details);
    const { hint } = details;
    return hint === undefined ? error : { ...error, message: `${error.message}. ${hint}` };
  }

  function signatureFields(code: string, refusal: Refusal, exchange: Exchange): ErrorFields {
    const key = [["AWSAccessKeyId", accessKeyOf(refusal, exchange)]] as const;
    if (code === "InvalidAccessKeyId") return key;
    if (code !== "SignatureDoesNotMatch") return [];
    if (!debugFields) return key;
    const { request } = exchange;
    const texts = formMismatchFields(refusal.details) ?? mismatchFields(request, bucketOf(request.authority) ?? "");
    return [...key, ...texts];
  }

  return (refusal, exchange) => {
    const { status, code, message, fields = [] } = errorOf(refusal, exchange);
    const { requestId } = exchange;
    const text = errorBody([
      ["Code", code],
      ["Message", message],
      ...requestFields(refusal, exchange),
      ...fields,
      ...signatureFields(code, refusal, exchange),
      ["RequestId", requestId],
      ["HostId", hostId(requestId)],
    ]);
    const headers = [...requestIdHeaders(requestId), "x-amz-bucket-region", region];
    if (status === 503) headers.push("retry-after", "1");
    if (refusal.code === "RANGE_NOT_SATISFIABLE") {
      headers.push("content-range", unsatisfiedContentRange(Number(refusal.details["size"])));
    }
    // A browser that opened a link. Scripts of a page ask for anything.
    const isLink = /^(?:GET|HEAD)$/.test(exchange.request.method);
    if (isLink && wantsPage(exchange.request))
      return page(exchange, {
        status,
        code: refusal.code,
        headers,
        shown: code,
        expiresAt: refusal.details["expiresAt"],
      });
    return textAnswer({ status, type: "application/xml", text, headers });
  };
}

/** The XML of an error. It has no namespace, and stays readable if it repeats characters that XML does not have. */
export function errorBody(fields: ErrorFields): string {
  let text = `${XML_DECLARATION}<Error>`;
  for (const [name, value] of fields) text += `<${name}>${escapeXml(value.replace(OUTSIDE_XML, "\ufffd"))}</${name}>`;
  return `${text}</Error>`;
}

/** The error for a request without a recognised signature, with the reason if it is visible. */
function unsignedError({ method, target, headers }: WireRequest, virtualBucket: string): S3Error {
  if (headerOf(headers, "authorization") !== undefined) {
    // Amazon repeats the header. A credential of another service must not appear in logs of error bodies.
    return invalidArgument("Authorization", "Unsupported Authorization Type");
  }
  const type = headerOf(headers, "content-type");
  const isBucket = (virtualBucket === "" ? /^\/[^/?]+\/?$/ : /^\/$/).test(target);
  // A multipart form was read before, and had no signature.
  if (method !== "POST" || !isBucket || type === undefined || formBoundary(type) !== undefined) {
    return s3Error("NO_SIGNATURE", {});
  }
  if (/^multipart\/form-data\s*(?:;|$)/i.test(type)) return s3Error("MALFORMED_FORM", {});
  const condition = "Bucket POST must be of the enclosure-type multipart/form-data";
  return s3Error("PRECONDITION_FAILED", { condition });
}

/** The fields of the request that S3 repeats in an error. */
function requestFields({ code, details }: Refusal, { request: { headers }, permit }: Exchange): ErrorFields {
  switch (code) {
    case "NO_SUCH_KEY":
      return [["Key", String(details["key"] ?? permit?.object?.key ?? "")]];
    case "NO_SUCH_BUCKET":
    case "BUCKET_EXISTS":
    case "BUCKET_NAME_TAKEN":
    case "BUCKET_NOT_EMPTY":
      return [["BucketName", String(details["bucket"] ?? permit?.bucket ?? "")]];
    case "NO_SUCH_UPLOAD":
    case "INVALID_PART": {
      const { parameters = [] } = (permit?.grant ?? {}) as Partial<S3Grant>;
      return [["UploadId", parameters.find(([name]) => name === "uploadId")?.[1] ?? ""]];
    }
    case "CLOCK_SKEW":
      return [["RequestTime", headerOf(headers, "x-amz-date") ?? headerOf(headers, "date") ?? ""]];
    default:
      return [];
  }
}

const QUERY_KEY = /[?&](?:AWSAccessKeyId=([^&]*)|X-Amz-Credential=([^&]*?)(?:%2F|\/)\d{8}(?:%2F|\/))/i;
const HEADER_KEY = /Credential=([^\s,]*?)\/\d{8}\/|^AWS ([^\s:]+):/;

/** The access key id of a signature in a form, in the header, or in the query. */
function accessKeyOf({ details }: Refusal, { request }: Exchange): string {
  const { accessKeyId } = details;
  if (typeof accessKeyId === "string") return accessKeyId;
  const [, version4, version2] = HEADER_KEY.exec(headerOf(request.headers, "authorization") ?? "") ?? [];
  const [, query2, query4 = ""] = QUERY_KEY.exec(request.target) ?? [];
  return version4 ?? version2 ?? (query2 ?? query4).replace(/%2F/gi, "/");
}

function headerOf(headers: WireRequest["headers"], wanted: string): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
}
