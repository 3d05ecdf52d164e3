import type { WireRequest } from "../../../core/contracts.ts";
import { canonicalRequestText } from "../../../core/v4.ts";
import { parseTarget } from "../../../wire/raw-target.ts";
import type { S3Texts } from "../texts.ts";
import { v4aStringToSign } from "./canonical.ts";
import { parseS3V4a } from "./parse.ts";

/**
 * The canonical request and string to sign of a request with SigV4A in its query. Verifies nothing. Holds the session token
 * of a request that has one: for its sender only.
 *
 * @throws {DaypassError} `MALFORMED`, `UNSIGNED_HEADER`, `AMBIGUOUS_AUTHENTICATION`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { s3V4aTexts } from "daypass/s3/v4a";
 *
 * export const signedText = (request: WireRequest) => s3V4aTexts(request).stringToSign;
 * ```
 */
export function s3V4aTexts(request: WireRequest): S3Texts {
  const { time, scope, canonical } = parseS3V4a({
    request,
    wire: parseTarget(request.target),
    origin: "",
    wildcard: "",
  });
  return { canonicalRequest: canonicalRequestText(canonical), stringToSign: v4aStringToSign(time, scope, canonical) };
}
