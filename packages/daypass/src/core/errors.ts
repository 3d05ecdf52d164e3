/**
 * Every error code of the library with the sentence that introduces it. The code is the contract and never changes
 * its meaning; the text may. `docs/errors.md` has a section for each row, and a test holds the two together.
 */
const ERROR_CODES = {
  // Asking for a signature
  INVALID_INPUT: "an option is missing or has the wrong form",
  INVALID_KEY: "the signing key cannot be used",
  INVALID_EXPIRY: "the lifetime is outside what the scheme allows",
  DOT_SEGMENTS: "the key has a `.` or `..` segment, which URL parsers remove",
  UNSUPPORTED_CONSTRAINT: "the scheme cannot bind this constraint",
  CREDENTIALS_EXPIRE_FIRST: "the credentials expire before the URL",
  CREDENTIALS_NOT_READY: "the credentials have not been loaded yet",
  // Reading a request
  MALFORMED: "the request does not follow the grammar",
  NO_SIGNATURE: "the request carries no signature that this verifier reads",
  AMBIGUOUS_AUTHENTICATION: "the request is signed in more than one way",
  WRONG_ORIGIN: "the request is for an origin that is not configured",
  // Trusting a signature
  UNKNOWN_KEY: "no key has this identifier",
  WRONG_SCOPE: "the signature was made for another region, service or date",
  SIGNATURE_MISMATCH: "the signature does not belong to this request",
  INVALID_TOKEN: "the session token does not belong to this key",
  EXPIRED_TOKEN: "the credentials behind the signature have expired",
  UNSIGNED_HEADER: "a header that must be signed is not",
  UNSIGNED_PARAMETER: "a query parameter that the signature does not cover",
  KEY_SCOPE: "the key may not grant this",
  // Honouring a grant
  EXPIRED: "the grant has expired",
  NOT_YET_VALID: "the grant has not begun",
  CLOCK_SKEW: "the signing time is too far from the server's clock",
  METHOD_NOT_GRANTED: "the grant is for other methods",
  WRONG_AUDIENCE: "the grant is for another audience",
  WRONG_SUBJECT: "the grant is for another subject",
  IP_NOT_GRANTED: "the grant is for other addresses",
  USES_SPENT: "all uses of the grant are spent",
  UNENFORCED_CONSTRAINT: "the grant has a constraint that its caller does not enforce",
  UNSUPPORTED_PAYLOAD: "the way the body is sent is not supported here",
  POLICY_NOT_MET: "the form does not meet its policy",
  // Receiving a body
  BODY_LENGTH: "the body is shorter or longer than the grant allows",
  BODY_TYPE: "the Content-Type differs from the granted one",
  BODY_DIGEST: "the body differs from the granted one",
} as const;

/**
 * A stable identifier of what went wrong: the part of a {@link DaypassError} that programs may depend on.
 *
 * @useDeclaredType
 */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Facts about an error that are safe to show to the sender of the request. Never a secret or an expected signature. */
export type ErrorDetails = Readonly<Record<string, string | number | readonly string[]>>;

/** All codes in the order of the table, for documentation and for exhaustive mappings. */
// Marked pure so that bundlers drop the unused table, a third of a signer's size.
export const errorCodes: readonly ErrorCode[] = /* @__PURE__ */ Object.keys(ERROR_CODES) as ErrorCode[];

/**
 * Returns the sentence that introduces a code in the documentation. It contains nothing from any request.
 *
 * @param code one of {@link errorCodes}
 * @example
 * ```ts
 * import { describeErrorCode, errorCodes } from "daypass";
 *
 * for (const code of errorCodes) console.log(code, describeErrorCode(code));
 * ```
 */
export function describeErrorCode(code: ErrorCode): string {
  return ERROR_CODES[code];
}

/**
 * The only error type of Daypass. `message` says what is wrong and what to do, and contains no secret, signature or
 * session token; `details` has the same facts for programs.
 *
 * @example
 * ```ts
 * import { DaypassError, isDaypassError } from "daypass";
 *
 * const error: unknown = new DaypassError("EXPIRED", "the grant ended 5 s ago; ask for a new URL");
 * if (isDaypassError(error)) console.log(error.code); // "EXPIRED"
 * ```
 */
export class DaypassError extends Error {
  /** What went wrong: the part that programs may depend on. */
  declare readonly code: ErrorCode;
  /** The facts in `message`, by name; empty if it has no facts. */
  declare readonly details: ErrorDetails;
  /** For the operator's log: who signed, if the request was refused although its signature matched. Only verifiers set it. */
  declare readonly signedBy?: SignedBy;

  /**
   * Nothing is checked: keep secrets, signatures and session tokens out of message and details.
   *
   * @param options `details` may be shown to the sender of the request; `cause` is for the operator only
   */
  constructor(
    code: ErrorCode,
    message: string,
    options?: { readonly details?: ErrorDetails | undefined; readonly cause?: unknown },
  ) {
    super(message, options);
    this.name = "DaypassError";
    this.code = code;
    this.details = options?.details ?? {};
  }
}

/** Whose signature matched. */
export interface SignedBy {
  /** Identifier of the scheme, e.g. `"s3"`. */
  readonly scheme: string;
  /** Access key id or `kid`. */
  readonly keyId: string;
  /** The id that the grant would have had. */
  readonly id: string;
}

/** Notes on a refusal who signed. */
export function withSigner(error: unknown, signedBy: SignedBy): unknown {
  return Object.assign(error as Error, { signedBy });
}

/** An error with a code, a message and its facts. */
export function refusal(code: ErrorCode, message: string, details?: ErrorDetails): DaypassError {
  return new DaypassError(code, message, { details });
}

/** The refusal of a grant because of an obligation that the caller of the verifier does not enforce. */
export function unenforced(constraint: string): DaypassError {
  const message = `the constraint "${constraint}" is not listed in \`enforces\``;
  return new DaypassError("UNENFORCED_CONSTRAINT", message, { details: { constraint } });
}

/**
 * Returns whether a thrown value is a {@link DaypassError}, even one of another copy of the library.
 *
 * @param value whatever was caught
 * @example
 * ```ts
 * import { isDaypassError } from "daypass";
 *
 * export const status = (error: unknown): number => (isDaypassError(error) ? 403 : 500);
 * ```
 */
export function isDaypassError(value: unknown): value is DaypassError {
  // By name: two copies of the library in one process (a duplicated dependency, CJS beside ESM) still recognise each other's
  // errors, where `instanceof` would not.
  const { name, code } = Object(value);
  return name === "DaypassError" && typeof code === "string";
}

/** What is wrong with an option, and what to pass. The found value is shown: `"another"` stands for what may hold a secret. */
export function faultText(option: string, expected: string, found: unknown): string {
  const text =
    Object(found) === found ? "an object" : typeof found === "string" ? JSON.stringify(found) : String(found);
  // What comes before a host or behind a path is a password or a token at times.
  const shown =
    found === undefined ? "missing" : found === "another" ? "not valid" : text.replace(/^.*@|[?#].*/gs, "...");
  return `${option} is ${shown}. Pass ${expected}`;
}

/** `INVALID_INPUT`, or a code that says more, with a {@link faultText}. */
export function invalidInput(
  option: string,
  expected: string,
  found: unknown,
  code: ErrorCode = "INVALID_INPUT",
): DaypassError {
  return refusal(code, faultText(option, expected, found));
}
