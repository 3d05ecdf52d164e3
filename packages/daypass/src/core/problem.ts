import { type DaypassError, describeErrorCode, type ErrorCode } from "./errors.ts";

// 0: no request can cause this code, so it is an error of the server. The record needs every code.
const STATUS: Readonly<Record<ErrorCode, number>> = {
  INVALID_INPUT: 0,
  INVALID_KEY: 0,
  INVALID_EXPIRY: 0,
  DOT_SEGMENTS: 0,
  UNSUPPORTED_CONSTRAINT: 0,
  CREDENTIALS_EXPIRE_FIRST: 0,
  CREDENTIALS_NOT_READY: 0,
  MALFORMED: 400,
  NO_SIGNATURE: 403,
  AMBIGUOUS_AUTHENTICATION: 400,
  // RFC 9110 section 15.5.20: the request reached a server that does not answer for its authority.
  WRONG_ORIGIN: 421,
  UNKNOWN_KEY: 403,
  WRONG_SCOPE: 403,
  SIGNATURE_MISMATCH: 403,
  INVALID_TOKEN: 403,
  EXPIRED_TOKEN: 403,
  UNSIGNED_HEADER: 403,
  UNSIGNED_PARAMETER: 403,
  KEY_SCOPE: 403,
  EXPIRED: 403,
  NOT_YET_VALID: 403,
  CLOCK_SKEW: 403,
  METHOD_NOT_GRANTED: 403,
  WRONG_AUDIENCE: 403,
  WRONG_SUBJECT: 403,
  IP_NOT_GRANTED: 403,
  USES_SPENT: 403,
  UNENFORCED_CONSTRAINT: 403,
  UNSUPPORTED_PAYLOAD: 501,
  POLICY_NOT_MET: 403,
  BODY_LENGTH: 400,
  BODY_TYPE: 415,
  BODY_DIGEST: 400,
};

const PHRASE: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  415: "Unsupported Media Type",
  421: "Misdirected Request",
  501: "Not Implemented",
};

/** The response to a refused request, ready to be sent. */
export interface Problem {
  /** The HTTP status. */
  readonly status: number;
  /** By their lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** RFC 9457 problem details as JSON. */
  readonly body: string;
}

/**
 * Returns the response to a request that was refused with this error, as RFC 9457 problem details: status, the error's code and
 * its sentence in the table of codes. The error's own message and details are for the operator and are not included, except for the name of
 * an unenforced constraint.
 *
 * 401 is never used: RFC 9110 requires a challenge with it, and a challenge cannot fix an expired URL.
 *
 * @returns `undefined` for an error that no request can cause: a server error, not a refusal
 * @example
 * ```ts
 * import { DaypassError, problem } from "daypass";
 *
 * export const { status } = problem(new DaypassError("EXPIRED", "ended 5 s ago")) ?? { status: 500 }; // 403
 * ```
 */
export function problem({ code, details }: DaypassError): Problem | undefined {
  const status = STATUS[code];
  if (!status) return undefined;
  const title = PHRASE[status];
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
    body: JSON.stringify({ title, status, code, detail: describeErrorCode(code), constraint: details["constraint"] }),
  };
}
