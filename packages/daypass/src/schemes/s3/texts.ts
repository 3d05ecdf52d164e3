import { sha256Hex } from "#crypto";
import type { WireRequest } from "../../core/contracts.ts";
import { AWS4, canonicalRequestText, scopeText, stringToSignText } from "../../core/v4.ts";
import { parseTarget } from "../../wire/raw-target.ts";
import { canonicalHeaders } from "./canonical.ts";
import { type ParsedS3, parseS3 } from "./parse.ts";

/** The text that is signed: the request's own bytes in canonical form, without any secret of the verifier. */
export interface S3Texts {
  /** SigV2 has none. */
  readonly canonicalRequest?: string | undefined;
  /** Line by line as the server has it, in one text. */
  readonly stringToSign: string;
}

/**
 * The canonical request and string to sign of a request with SigV4 in its query, as S3 shows them to a caller whose
 * signature does not match. Verifies nothing. Holds the session token of a request that has one: for its sender only.
 *
 * @throws {DaypassError} `MALFORMED`, `UNSIGNED_HEADER`, `AMBIGUOUS_AUTHENTICATION`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { s3Texts } from "daypass/s3";
 *
 * export const lines = (request: WireRequest) => s3Texts(request).canonicalRequest?.split("\n");
 * ```
 */
export function s3Texts(request: WireRequest): S3Texts {
  const wire = parseTarget(request.target);
  // Neither the origin nor the bucket is part of what SigV4 signs.
  return v4Texts(request.method, parseS3({ request, wire, origin: "", wildcard: "" }));
}

/** The texts of any request that was read strictly. */
export function v4Texts(
  method: string,
  parsed: Pick<ParsedS3, "path" | "query" | "headers" | "signedHeaders" | "payload" | "time" | "scope">,
): S3Texts {
  const canonicalRequest = canonicalRequestText({ ...parsed, method, headers: canonicalHeaders(parsed.headers) });
  return {
    canonicalRequest,
    stringToSign: stringToSignText(AWS4, parsed.time, scopeText(AWS4, parsed.scope), sha256Hex(canonicalRequest)),
  };
}
