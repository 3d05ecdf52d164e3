import type { WireRequest } from "../../../../core/contracts.ts";
import { parseTarget } from "../../../../wire/raw-target.ts";
import type { S3Texts } from "../../texts.ts";
import { s3V2StringToSign } from "../canonical.ts";
import { parseS3V2Header } from "./parse.ts";

/**
 * The string to sign of a request with SigV2 in its `Authorization` header. Verifies nothing.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
 *
 * @param virtualBucket the bucket if the host names it, else the empty string: SigV2 signs it
 * @throws {DaypassError} `MALFORMED`, `AMBIGUOUS_AUTHENTICATION`, `UNSIGNED_PARAMETER`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { s3V2HeaderTexts } from "daypass/s3/v2/header";
 *
 * export const signedText = (request: WireRequest) => s3V2HeaderTexts(request, "").stringToSign;
 * ```
 */
export function s3V2HeaderTexts(request: WireRequest, virtualBucket: string): S3Texts {
  const parsed = parseS3V2Header({ request, wire: parseTarget(request.target), origin: "", wildcard: virtualBucket });
  return { stringToSign: s3V2StringToSign({ method: request.method, ...parsed }) };
}
