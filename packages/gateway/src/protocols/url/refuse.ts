import { DaypassError, type ErrorCode, problem } from "daypass";
import { unsatisfiedContentRange } from "../../http/range.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import { describeRefusalCode, type Refusal, type RefusalCode } from "../../pipeline/refusal.ts";
import { page, wantsPage } from "../page.ts";
import type { Exchange } from "../protocol.ts";
import { textAnswer } from "../text-answer.ts";

// The library defines the status of its codes.
const STATUS = {
  MALFORMED_FORM: 400,
  FORM_FIELD: 400,
  POLICY_EXPIRED: 403,
  FORM_TOO_LARGE: 400,
  FORM_WITHOUT_FILE: 400,
  FORM_WITH_FILES: 400,
  REDIRECT_REFUSED: 403,
  INVALID_ACTION: 400,
  INVALID_PARAMETER: 400,
  MALFORMED_POLICY: 400,
  INVALID_REQUEST: 400,
  INVALID_ARGUMENT: 400,
  INVALID_COMBINATION: 400,
  URI_TOO_LONG: 414,
  HEADERS_TOO_LARGE: 431,
  PREFLIGHT_REFUSED: 403,
  PREFLIGHT_INCOMPLETE: 400,
  NOT_IMPLEMENTED: 501,
  METHOD_NOT_ALLOWED: 405,
  MALFORMED_XML: 400,
  NO_SUCH_KEY: 404,
  NO_SUCH_BUCKET: 404,
  INVALID_BUCKET_NAME: 400,
  WRONG_LOCATION: 400,
  NOT_CONFIGURED: 404,
  BUCKET_EXISTS: 409,
  BUCKET_NAME_TAKEN: 409,
  BUCKET_NOT_EMPTY: 409,
  NO_SUCH_VERSION: 404,
  NO_SUCH_PART_NUMBER: 416,
  CONFLICT: 409,
  RANGE_NOT_SATISFIABLE: 416,
  PRECONDITION_FAILED: 412,
  LENGTH_REQUIRED: 411,
  INVALID_DIGEST: 400,
  CHECKSUM_MISMATCH: 400,
  DIGEST_MISMATCH: 400,
  INVALID_RESPONSE_HEADER: 400,
  KEY_TOO_LONG: 400,
  KEY_NOT_STORABLE: 400,
  METADATA_TOO_LARGE: 431,
  DOCUMENT_TOO_LARGE: 413,
  NO_SUCH_UPLOAD: 404,
  INVALID_PART: 400,
  INVALID_PART_ORDER: 400,
  CHECKSUM_ALGORITHM: 400,
  CHECKSUM_TYPE: 400,
  PART_CHECKSUM_MISSING: 400,
  COPY_RANGE: 416,
  COPY_SOURCE_TOO_LARGE: 413,
  PART_TOO_SMALL: 400,
  SIZE_MISMATCH: 400,
  INVALID_TAG: 400,
  TOO_MANY_TAGS: 400,
  ACL_NOT_SUPPORTED: 400,
  LINK_CLOSED: 410,
  REVOKED: 403,
  ROUTE_REQUIREMENT: 403,
  UPSTREAM_FAILED: 502,
  UPSTREAM_TIMEOUT: 504,
  INVALID_STORAGE_CLASS: 400,
  TOO_LARGE: 413,
  TOO_SMALL: 400,
  INCOMPLETE_BODY: 400,
  BODY_TOO_SLOW: 408,
  DISK_FULL: 507,
  READ_ONLY: 403,
  STORAGE_DENIED: 500,
  UNAVAILABLE: 503,
  BUSY: 503,
  INTERNAL: 500,
} satisfies Record<Exclude<RefusalCode, ErrorCode>, number>;

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  416: "Range Not Satisfiable",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  507: "Insufficient Storage",
};

interface ProblemDetails {
  readonly status: number;
  readonly text: string;
}

function isLibraryCode(code: RefusalCode): code is ErrorCode {
  return !Object.hasOwn(STATUS, code);
}

function problemDetails(code: RefusalCode): ProblemDetails {
  if (!isLibraryCode(code)) {
    const status = STATUS[code];
    const text = JSON.stringify({ title: TITLES[status], status, code, detail: describeRefusalCode(code) });
    return { status, text };
  }
  const known = problem(new DaypassError(code, ""));
  // No request can cause this code: an option or a key of the gateway is wrong.
  return known === undefined ? problemDetails("INTERNAL") : { status: known.status, text: known.body };
}

/**
 * Answers with problem details (RFC 9457), or with a page if a browser asks for one. An unauthenticated client learns only the code, and an
 * unknown key gets the same answer as a wrong signature, so no client can find out which keys exist.
 */
export function refuseUrl(refusal: Refusal, exchange: Exchange): Answer {
  const { request, requestId } = exchange;
  const code = refusal.code === "UNKNOWN_KEY" ? "SIGNATURE_MISMATCH" : refusal.code;
  const { status, text } = problemDetails(code);
  const headers = ["x-request-id", requestId];
  if (status === 503) headers.push("retry-after", "1");
  if (status === 405) headers.push("allow", String(refusal.details["allow"] ?? "GET, HEAD, PUT, DELETE, OPTIONS"));
  if (code === "RANGE_NOT_SATISFIABLE") {
    headers.push("content-range", unsatisfiedContentRange(Number(refusal.details["size"])));
  }
  if (wantsPage(request))
    return page(exchange, { status, code, shown: code, headers, expiresAt: refusal.details["expiresAt"] });
  return textAnswer({ status, type: "application/problem+json", text, headers });
}
