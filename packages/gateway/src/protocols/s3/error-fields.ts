import type { S3Grant } from "daypass/s3";
import type { Refusal } from "../../pipeline/refusal.ts";
import type { Exchange } from "../protocol.ts";
import type { ErrorFields } from "./error-body.ts";

/** What S3 repeats of the request in an error: the caller's own words for what was asked. */
export function requestFields({ code, details }: Refusal, { request, permit }: Exchange): ErrorFields {
  switch (code) {
    case "NO_SUCH_KEY":
      return [["Key", String(details["key"] ?? permit?.object?.key ?? "")]];
    case "NO_SUCH_BUCKET":
    case "BUCKET_EXISTS":
    case "BUCKET_NAME_TAKEN":
    case "BUCKET_NOT_EMPTY":
      return [["BucketName", String(details["bucket"] ?? permit?.bucket ?? "")]];
    case "NO_SUCH_UPLOAD":
    case "INVALID_PART":
      return [["UploadId", parameterOf(permit?.grant as S3Grant | undefined, "uploadId")]];
    case "CLOCK_SKEW":
      return [["RequestTime", headerOf(request, "x-amz-date") ?? headerOf(request, "date") ?? ""]];
    default:
      return [];
  }
}

function parameterOf(grant: S3Grant | undefined, wanted: string): string {
  return grant?.parameters.find(([name]) => name === wanted)?.[1] ?? "";
}

const QUERY_KEY = /[?&](?:AWSAccessKeyId=([^&]*)|X-Amz-Credential=([^&]*?)(?:%2F|\/)\d{8}(?:%2F|\/))/i;
const HEADER_KEY = /Credential=([^\s,]*?)\/\d{8}\/|^AWS ([^\s:]+):/;

/** The access key id that a signature names: in a form, in the header, or in the query. */
export function accessKeyField({ details }: Refusal, { request }: Exchange): ErrorFields {
  const { accessKeyId } = details;
  if (typeof accessKeyId === "string") return [["AWSAccessKeyId", accessKeyId]];
  const [, version4, version2] = HEADER_KEY.exec(headerOf(request, "authorization") ?? "") ?? [];
  const [, query2, query4 = ""] = QUERY_KEY.exec(request.target) ?? [];
  return [["AWSAccessKeyId", version4 ?? version2 ?? (query2 ?? query4).replace(/%2F/gi, "/")]];
}

function headerOf({ headers }: Exchange["request"], wanted: string): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
}
