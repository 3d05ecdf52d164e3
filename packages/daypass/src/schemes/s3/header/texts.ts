import type { WireRequest } from "../../../core/contracts.ts";
import { parseTarget } from "../../../wire/raw-target.ts";
import { type S3Texts, v4Texts } from "../texts.ts";
import { parseS3Header } from "./parse.ts";

/**
 * `s3Texts` for a request with SigV4 in its `Authorization` header. Verifies nothing.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 *
 * @throws {DaypassError} `MALFORMED`, `UNSIGNED_HEADER`, `AMBIGUOUS_AUTHENTICATION`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { s3HeaderTexts } from "daypass/s3/header";
 *
 * export const signedText = (request: WireRequest) => s3HeaderTexts(request).stringToSign;
 * ```
 */
export function s3HeaderTexts(request: WireRequest): S3Texts {
  const wire = parseTarget(request.target);
  return v4Texts(request.method, parseS3Header({ request, wire, origin: "", wildcard: "" }));
}
