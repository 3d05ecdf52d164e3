import type { WireRequest } from "../../../core/contracts.ts";
import { parseTarget } from "../../../wire/raw-target.ts";
import type { S3Texts } from "../texts.ts";
import { s3V2StringToSign } from "./canonical.ts";
import { parseS3V2 } from "./parse.ts";

const NONE: ReadonlySet<string> = new Set();

/**
 * The string to sign of a request with SigV2 in its query. Verifies nothing.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
 *
 * @param virtualBucket the bucket if the host names it, else the empty string: SigV2 signs it
 * @throws {DaypassError} `MALFORMED`, `AMBIGUOUS_AUTHENTICATION`, `UNSIGNED_PARAMETER`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { s3V2Texts } from "daypass/s3/v2";
 *
 * export const signedText = (request: WireRequest) => s3V2Texts(request, "").stringToSign;
 * ```
 */
export function s3V2Texts(request: WireRequest, virtualBucket: string): S3Texts {
  const wire = parseTarget(request.target);
  const parsed = parseS3V2({ request, wire, origin: "", wildcard: virtualBucket }, NONE);
  return { stringToSign: s3V2StringToSign({ method: request.method, ...parsed }) };
}
