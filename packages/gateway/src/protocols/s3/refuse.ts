import { virtualBucket } from "../../pipeline/addressed-bucket.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import type { Refusal } from "../../pipeline/refusal.ts";
import type { Exchange } from "../protocol.ts";
import { textAnswer } from "../text-answer.ts";
import { type ErrorFields, errorBody, type S3Error } from "./error-body.ts";
import { s3Error } from "./errors.ts";
import { mismatchFields } from "./mismatch-fields.ts";

export interface S3RefusalOptions {
  readonly region: string;
  readonly debugFields: boolean;
  readonly origins: readonly string[];
}

/** Writes a refusal in S3's XML. */
export function refuseS3({
  region,
  debugFields,
  origins,
}: S3RefusalOptions): (refusal: Refusal, exchange: Exchange) => Answer {
  const bucketOf = virtualBucket(origins);
  return (refusal, exchange) => {
    const { status, code, message, fields = [] } = errorOf(refusal);
    const body = errorBody([
      ["Code", code],
      ["Message", message],
      ...fields,
      ...resourceFields(refusal, exchange),
      ...(debugFields && code === "SignatureDoesNotMatch"
        ? mismatchFields(exchange.request, bucketOf(exchange.request.authority) ?? "")
        : []),
      ["RequestId", exchange.requestId],
      ["HostId", "daypass"],
    ]);
    const headers = ["x-amz-request-id", exchange.requestId, "x-amz-bucket-region", region];
    if (status === 503) headers.push("retry-after", "1");
    if (refusal.code === "RANGE_NOT_SATISFIABLE") headers.push("content-range", `bytes */${refusal.details["size"]}`);
    return textAnswer({ status, type: "application/xml", text: body, headers });
  };
}

function errorOf({ code, details }: Refusal): S3Error {
  // The storage compares two digests; S3 has a name of its own for the second.
  return code === "DIGEST_MISMATCH" && details["digest"] === "sha256"
    ? s3Error("BODY_DIGEST", {})
    : s3Error(code, details);
}

/** The caller's own words for what was asked, where S3 repeats them. */
function resourceFields(refusal: Refusal, { request, permit }: Exchange): ErrorFields {
  switch (refusal.code) {
    case "NO_SUCH_KEY":
      return [["Key", String(refusal.details["key"] ?? permit?.object?.key ?? "")]];
    case "NO_SUCH_BUCKET":
      return [["BucketName", permit?.bucket ?? ""]];
    case "UNKNOWN_KEY":
    case "SIGNATURE_MISMATCH":
      return accessKeyField(request.target, request.headers);
    default:
      return [];
  }
}

const ACCESS_KEY = /[?&](?:AWSAccessKeyId=([^&]*)|X-Amz-Credential=([^&]*?)(?:%2F|\/)\d{8}(?:%2F|\/))/i;

function accessKeyField(target: string, headers: Exchange["request"]["headers"]): ErrorFields {
  const authorization = headers.find(([name]) => name.toLowerCase() === "authorization")?.[1] ?? "";
  const [, version2, version4 = ""] = ACCESS_KEY.exec(target) ?? [];
  const id = /Credential=([^\s,]*?)\/\d{8}\//.exec(authorization)?.[1] ?? decoded(version2 ?? version4);
  return [["AWSAccessKeyId", id]];
}

function decoded(text: string): string {
  return text.replace(/%2F/gi, "/");
}
