import type { WireRequest } from "../../core/contracts.ts";
import { parseTarget } from "../../wire/raw-target.ts";
import { GOOG4_RSA, gcsTexts } from "./canonical.ts";
import { detectGcs, parseGcs } from "./parse.ts";

/** The text that is signed: the request's own bytes in canonical form, without any secret of the verifier. */
export interface GcsSignedTexts {
  /** V2 has none. */
  readonly canonicalRequest?: string | undefined;
  /** Line by line as the server has it, in one text. */
  readonly stringToSign: string;
}

/**
 * The canonical request and string to sign of a request with V4 in its query, as Google shows them to a caller whose
 * signature does not match. Verifies nothing.
 *
 * @throws {DaypassError} `MALFORMED`, `UNSIGNED_HEADER`, `WRONG_SCOPE`, `AMBIGUOUS_AUTHENTICATION`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { gcsSignedTexts } from "daypass/gcs";
 *
 * export const lines = (request: WireRequest) => gcsSignedTexts(request).canonicalRequest?.split("\n");
 * ```
 */
export function gcsSignedTexts(request: WireRequest): GcsSignedTexts {
  // Neither the origin nor the bucket is part of what V4 signs.
  const received = { request, wire: parseTarget(request.target), origin: "", wildcard: "" };
  const parsed = parseGcs(received, detectGcs(request) ?? GOOG4_RSA);
  const { canonicalRequest, stringToSign } = gcsTexts({ ...parsed, method: request.method });
  return { canonicalRequest, stringToSign };
}
