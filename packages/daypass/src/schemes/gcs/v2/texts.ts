import type { WireRequest } from "../../../core/contracts.ts";
import { parseTarget } from "../../../wire/raw-target.ts";
import type { GcsSignedTexts } from "../texts.ts";
import { gcsV2StringToSign } from "./canonical.ts";
import { parseGcsV2 } from "./parse.ts";

/**
 * The string to sign of a request with V2 in its query. Verifies nothing.
 *
 * @param hostBucket the bucket if the host names it, else the empty string: V2 signs it
 * @throws {DaypassError} `MALFORMED`, `AMBIGUOUS_AUTHENTICATION`, `UNSIGNED_HEADER`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { gcsV2SignedTexts } from "daypass/gcs/v2";
 *
 * export const signedText = (request: WireRequest) => gcsV2SignedTexts(request, "").stringToSign;
 * ```
 */
export function gcsV2SignedTexts(request: WireRequest, hostBucket: string): GcsSignedTexts {
  const wire = parseTarget(request.target);
  const allowUnsigned = { has: () => true };
  const parsed = parseGcsV2({ request, wire, origin: "", wildcard: hostBucket }, { hostBucket, allowUnsigned });
  return { stringToSign: gcsV2StringToSign({ ...parsed, method: request.method }) };
}
