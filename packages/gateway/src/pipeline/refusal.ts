import { type ErrorCode, type ErrorDetails, isDaypassError } from "daypass";
import { MalformedXml } from "../http/xml-reader.ts";
import { isStorageError, type StorageErrorCode } from "../storage/contract/storage.ts";

/** Refusals without a code in the library or the storage. */
const GATEWAY_CODES = {
  INVALID_REQUEST: "the request's head can be read in more than one way",
  INVALID_ARGUMENT: "a header or parameter has a value that it cannot have",
  INVALID_COMBINATION: "what the request asks for does not fit together",
  URI_TOO_LONG: "the target is longer than the limit",
  HEADERS_TOO_LARGE: "the request has more headers than the limit",
  PREFLIGHT_REFUSED: "the policy allows no such cross-origin request",
  PREFLIGHT_INCOMPLETE: "the preflight does not say what is to be asked",
  NOT_IMPLEMENTED: "the dialect has this function, but the gateway does not implement it",
  METHOD_NOT_ALLOWED: "a file has no such method",
  INVALID_BUCKET_NAME: "a bucket cannot have this name",
  WRONG_LOCATION: "the bucket is asked for in another region",
  NOT_CONFIGURED: "what was asked for is not set for the bucket",
  MALFORMED_XML: "the body is not the XML that the operation takes",
  NO_SUCH_KEY: "there is no such object",
  NO_SUCH_VERSION: "the object has no such version",
  CONFLICT: "another request is changing the same object",
  RANGE_NOT_SATISFIABLE: "the range lies outside the object",
  NO_SUCH_PART_NUMBER: "the object has no part of this number",
  LENGTH_REQUIRED: "the upload does not announce its length",
  INVALID_DIGEST: "a declared digest does not have the form of one",
  INVALID_RESPONSE_HEADER: "a signed response header cannot be sent",
  KEY_TOO_LONG: "the key is longer than the limit",
  METADATA_TOO_LARGE: "the user metadata is larger than the limit",
  DOCUMENT_TOO_LARGE: "the document in the body is larger than the limit",
  CHECKSUM_ALGORITHM: "a checksum is by another algorithm than the upload's",
  CHECKSUM_TYPE: "a checksum is of another type than the upload's",
  PART_CHECKSUM_MISSING: "a part is named without its checksum",
  COPY_RANGE: "the range to copy does not lie within the source",
  COPY_SOURCE_TOO_LARGE: "the source of the copy is larger than the limit",
  INVALID_PART_ORDER: "the parts are not in the order of their numbers",
  INVALID_TAG: "a tag has a form that tags cannot have",
  TOO_MANY_TAGS: "an object has more tags than the limit",
  ACL_NOT_SUPPORTED: "buckets have no access control lists here",
  INVALID_STORAGE_CLASS: "there is no such storage class",
  MALFORMED_FORM: "the form can be read in more than one way, or in none",
  FORM_FIELD: "a field of the form is missing, repeated or not in its form",
  POLICY_EXPIRED: "the policy of the form has ended",
  FORM_TOO_LARGE: "what stands before the file is larger than the limit",
  FORM_WITHOUT_FILE: "the form has no part named file",
  FORM_WITH_FILES: "the form has more than one part named file",
  REDIRECT_REFUSED: "the form wants to send the browser where it may not go",
  INVALID_ACTION: "the service knows no such call",
  INVALID_PARAMETER: "a parameter of the call has a value that it cannot have",
  MALFORMED_POLICY: "the session policy says what a scope cannot",
  BODY_TOO_SLOW: "the body came too slowly",
  LINK_CLOSED: "the link does not open",
  REVOKED: "the grant was revoked",
  ROUTE_REQUIREMENT: "the URL lacks a constraint that its route requires",
  UPSTREAM_FAILED: "the upstream gave no usable response",
  UPSTREAM_TIMEOUT: "the upstream did not answer in time",
  BUSY: "too many requests are under way",
  INTERNAL: "the gateway failed",
} as const;

/**
 * Why the gateway itself refuses a request, apart from refusals by the library and the storage.
 *
 * @useDeclaredType
 */
export type GatewayCode = keyof typeof GATEWAY_CODES;

const STORAGE_CODES: Readonly<Record<StorageErrorCode, string>> = {
  NO_SUCH_BUCKET: "there is no such bucket",
  BUCKET_EXISTS: "there is a bucket of this name already",
  BUCKET_NAME_TAKEN: "something that is no bucket has this name",
  BUCKET_NOT_EMPTY: "the bucket is not empty",
  PRECONDITION_FAILED: "the object is not in the state that the request asks for",
  DIGEST_MISMATCH: "the body does not have the declared digest",
  CHECKSUM_MISMATCH: "the body does not have the declared checksum",
  TOO_LARGE: "the body is larger than allowed",
  TOO_SMALL: "the body is smaller than allowed",
  INCOMPLETE_BODY: "the body ended before its announced length",
  KEY_NOT_STORABLE: "the storage cannot hold this key",
  NO_SUCH_UPLOAD: "there is no such upload in parts",
  INVALID_PART: "a part that the request names is not there",
  PART_TOO_SMALL: "a part that is not the last is smaller than allowed",
  SIZE_MISMATCH: "the parts have another size than the request says",
  DISK_FULL: "the storage is full",
  READ_ONLY: "the storage can be read and not written",
  STORAGE_DENIED: "the gateway may not access this part of its storage",
  UNAVAILABLE: "the storage does not answer",
};

/** Every code outside the library. */
export const ownCodes = Object.keys({ ...GATEWAY_CODES, ...STORAGE_CODES }) as (GatewayCode | StorageErrorCode)[];

/** Returns the sentence that introduces a code in the documentation. */
export function describeRefusalCode(code: GatewayCode | StorageErrorCode): string {
  return { ...GATEWAY_CODES, ...STORAGE_CODES }[code];
}

/** Every code with which a request can be refused. A new code does not compile until each dialect has a response for it. */
export type RefusalCode = ErrorCode | StorageErrorCode | GatewayCode;

/** A request that is not served. `details` are safe to show to its sender. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: RefusalCode;
  readonly details: ErrorDetails;

  constructor(code: RefusalCode, message: string, details: ErrorDetails = {}, options: ErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

/** Turns the error of a step into a refusal. An unexpected error becomes `INTERNAL`, with the error as its cause. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof MalformedXml) return new Refusal("MALFORMED_XML", error.message, {}, { cause: error });
  if (isDaypassError(error)) return new Refusal(error.code, error.message, error.details, { cause: error });
  if (isStorageError(error)) {
    const details = error.digest === undefined ? error.details : { ...error.details, digest: error.digest };
    return new Refusal(error.code, error.message, details, { cause: error });
  }
  if ((error as { code?: unknown } | undefined)?.code === "STATE_UNAVAILABLE") {
    return new Refusal("UNAVAILABLE", "the state does not answer", {}, { cause: error });
  }
  return new Refusal(
    "INTERNAL",
    "the gateway failed; the operator finds the reason under the request id",
    {},
    { cause: error },
  );
}
