import { unsatisfiedContentRange } from "../../http/range.ts";
import { virtualBucket } from "../../pipeline/addressed-bucket.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import type { Refusal } from "../../pipeline/refusal.ts";
import type { Exchange } from "../protocol.ts";
import { textAnswer } from "../text-answer.ts";
import { errorBody, type S3Error } from "./error-body.ts";
import { accessKeyField, requestFields } from "./error-fields.ts";
import { s3Error } from "./errors.ts";
import { formMismatchFields, mismatchFields } from "./mismatch-fields.ts";
import { hostId, requestIdHeaders } from "./request-id.ts";
import { unsignedError } from "./unsigned.ts";

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

  function errorOf({ code, details }: Refusal, { request }: Exchange): S3Error {
    if (code === "NO_SIGNATURE") return unsignedError(request, bucketOf(request.authority) ?? "");
    // The storage compares two digests; S3 has a name of its own for the second.
    return code === "DIGEST_MISMATCH" && details["digest"] === "sha256"
      ? s3Error("BODY_DIGEST", details)
      : s3Error(code, details);
  }

  function mismatch(refusal: Refusal, { request }: Exchange): ReturnType<typeof mismatchFields> {
    if (!debugFields) return [];
    return formMismatchFields(refusal.details) ?? mismatchFields(request, bucketOf(request.authority) ?? "");
  }

  return (refusal, exchange) => {
    const { status, code, message, fields = [] } = errorOf(refusal, exchange);
    const { requestId } = exchange;
    const isMismatch = code === "SignatureDoesNotMatch";
    const body = errorBody([
      ["Code", code],
      ["Message", message],
      ...requestFields(refusal, exchange),
      ...fields,
      ...(isMismatch || code === "InvalidAccessKeyId" ? accessKeyField(refusal, exchange) : []),
      ...(isMismatch ? mismatch(refusal, exchange) : []),
      ["RequestId", requestId],
      ["HostId", hostId(requestId)],
    ]);
    const headers = [...requestIdHeaders(requestId), "x-amz-bucket-region", region];
    if (status === 503) headers.push("retry-after", "1");
    if (refusal.code === "RANGE_NOT_SATISFIABLE") {
      headers.push("content-range", unsatisfiedContentRange(Number(refusal.details["size"])));
    }
    return textAnswer({ status, type: "application/xml", text: body, headers });
  };
}
