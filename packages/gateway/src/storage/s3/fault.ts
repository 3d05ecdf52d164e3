import { optionalText, readXml } from "../../http/xml-reader.ts";
import { StorageError, type StorageErrorCode } from "../contract/storage.ts";

/** A refusal of the upstream. */
export interface UpstreamFault {
  /** The HTTP status. */
  readonly status: number;
  /** The code of S3, such as `NoSuchKey`. Empty if the answer has none, as after HEAD. */
  readonly code: string;
}

/** Translates the fault of a call into the error that the driver throws. */
export type FaultError = (fault: UpstreamFault, doing: string) => StorageError;

const CODES: Readonly<Record<string, StorageErrorCode>> = {
  NoSuchBucket: "NO_SUCH_BUCKET",
  BucketAlreadyExists: "BUCKET_EXISTS",
  BucketAlreadyOwnedByYou: "BUCKET_EXISTS",
  InvalidBucketName: "BUCKET_NAME_TAKEN",
  BucketNotEmpty: "BUCKET_NOT_EMPTY",
  PreconditionFailed: "PRECONDITION_FAILED",
  // "A conflicting operation occurs during the request": another client was faster.
  ConditionalRequestConflict: "PRECONDITION_FAILED",
  BadDigest: "DIGEST_MISMATCH",
  XAmzContentChecksumMismatch: "CHECKSUM_MISMATCH",
  EntityTooLarge: "TOO_LARGE",
  EntityTooSmall: "PART_TOO_SMALL",
  IncompleteBody: "INCOMPLETE_BODY",
  RequestTimeout: "INCOMPLETE_BODY",
  KeyTooLongError: "KEY_NOT_STORABLE",
  NoSuchUpload: "NO_SUCH_UPLOAD",
  InvalidPart: "INVALID_PART",
  AccessDenied: "STORAGE_DENIED",
  QuotaExceeded: "DISK_FULL",
  XMinioStorageFull: "DISK_FULL",
};

/** What the operator can do about a code. */
const HINTS: Readonly<Record<string, string>> = {
  PermanentRedirect: ": correct its region or endpoint",
  AuthorizationHeaderMalformed: ": correct its region or endpoint",
  RequestTimeTooSkewed: ": compare the clocks of both",
  AccessDenied: ": check what its credentials may do",
  InvalidAccessKeyId: ": check what its credentials may do",
};

/** The error for a fault. It names the code and nothing else of the answer, which could contain a key or a signature. */
export function faultError({ status, code }: UpstreamFault, doing: string): StorageError {
  const known = Object.hasOwn(CODES, code) ? CODES[code] : status === 412 ? "PRECONDITION_FAILED" : undefined;
  const shown = /^[A-Za-z0-9.]{1,64}$/.test(code) ? ` ${code}` : "";
  const hint = Object.hasOwn(HINTS, code) ? HINTS[code] : "";
  return unavailable(doing, `the upstream answered ${status}${shown}${hint}`, { code: known });
}

/** The error for a fault of a call on an upload. radosgw calls a missing upload a missing key. */
export function uploadFault(fault: UpstreamFault, doing: string): StorageError {
  return faultError(fault.code === "NoSuchKey" ? { status: 404, code: "NoSuchUpload" } : fault, doing);
}

/** An error whose text begins with the failed call. `UNAVAILABLE` unless another code is known. */
export function unavailable(
  doing: string,
  why: string,
  { code = "UNAVAILABLE", cause }: { readonly code?: StorageErrorCode | undefined; readonly cause?: unknown } = {},
): StorageError {
  return new StorageError(code, `could not ${doing}: ${why}`, cause === undefined ? {} : { cause });
}

/** Reads the document of a refusal. Any other body has no code. */
export function faultOf(status: number, bytes: Uint8Array): UpstreamFault {
  try {
    return { status, code: optionalText(readXml(bytes, "Error", { anyCharacter: true }), "Code") ?? "" };
  } catch {
    return { status, code: "" };
  }
}

/** The error for an upstream that cannot be reached or breaks off. Only the short code of the cause is shown: its text can name addresses. */
export function unreachable(doing: string, cause: unknown): StorageError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const shown = code === "" ? "" : ` (${code})`;
  const why = BAD_CERTIFICATE.test(code)
    ? `the upstream's certificate is expired, for another host, or from an unknown authority${shown}. Renew it, or name its authority in NODE_EXTRA_CA_CERTS`
    : `the upstream does not answer${shown}`;
  return unavailable(doing, why, { cause });
}

/** OpenSSL's codes for a rejected chain, and Node's code for the certificate of another host. */
const BAD_CERTIFICATE =
  /^(?:CERT_|CRL_|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT_IN_CHAIN$|UNABLE_TO_(?:GET|VERIFY)_|ERR_TLS_CERT_ALTNAME_INVALID$)/;
