import { optionalText, readXml } from "../../http/xml-reader.ts";
import { StorageError, type StorageErrorCode } from "../contract/storage.ts";

/** What the upstream says no with. */
export interface UpstreamFault {
  /** Of HTTP. */
  readonly status: number;
  /** S3's, such as `NoSuchKey`; empty where the answer names none, as that of HEAD cannot. */
  readonly code: string;
}

const CODES: Readonly<Record<string, StorageErrorCode>> = {
  NoSuchBucket: "NO_SUCH_BUCKET",
  BucketAlreadyExists: "BUCKET_EXISTS",
  BucketAlreadyOwnedByYou: "BUCKET_EXISTS",
  InvalidBucketName: "BUCKET_NAME_TAKEN",
  BucketNotEmpty: "BUCKET_NOT_EMPTY",
  PreconditionFailed: "PRECONDITION_FAILED",
  // "A conflicting operation occurs during the request": somebody else has won.
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
  QuotaExceeded: "DISK_FULL",
  XMinioStorageFull: "DISK_FULL",
};

/** The error that a refusal of the upstream is. Names its code and nothing else of its answer, which could hold a key or a signature. */
export function faultError({ status, code }: UpstreamFault, doing: string): StorageError {
  const known = Object.hasOwn(CODES, code) ? CODES[code] : status === 412 ? "PRECONDITION_FAILED" : undefined;
  const said = `${status}${/^[A-Za-z0-9.]{1,64}$/.test(code) ? ` ${code}` : ""}`;
  return new StorageError(known ?? "UNAVAILABLE", `could not ${doing}: the upstream answered ${said}${hint(code)}`);
}

/** The same of a call on an upload: what is not there is the upload, also where the upstream calls it a key (radosgw). */
export function uploadFault(fault: UpstreamFault, doing: string): StorageError {
  return faultError(fault.code === "NoSuchKey" ? { status: 404, code: "NoSuchUpload" } : fault, doing);
}

function hint(code: string): string {
  if (code === "PermanentRedirect" || code === "AuthorizationHeaderMalformed")
    return ": correct its region or endpoint";
  if (code === "RequestTimeTooSkewed") return ": compare the clocks of both";
  if (code === "AccessDenied" || code === "InvalidAccessKeyId") return ": check what its credentials may do";
  return "";
}

/** Reads the document of a refusal; whatever else is there names no code. */
export function faultOf(status: number, bytes: Uint8Array): UpstreamFault {
  try {
    return { status, code: optionalText(readXml(bytes, "Error", { anyCharacter: true }), "Code") ?? "" };
  } catch {
    return { status, code: "" };
  }
}

/** The upstream could not be reached, or broke off. Of the cause only its short code is said: its text can name addresses. */
export function unreachable(doing: string, cause: unknown): StorageError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const said = code === "" ? "" : ` (${code})`;
  const what = BAD_CERTIFICATE.test(code)
    ? `expected a certificate that fits the upstream's host and time, from an authority that this machine knows, found another${said}: renew it, or name its authority in NODE_EXTRA_CA_CERTS`
    : `the upstream does not answer${said}`;
  return new StorageError("UNAVAILABLE", `could not ${doing}: ${what}`, { cause });
}

/** The names that OpenSSL has for a chain that it does not take, and Node for another host's. */
const BAD_CERTIFICATE =
  /^(?:CERT_|CRL_|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT_IN_CHAIN$|UNABLE_TO_(?:GET|VERIFY)_|ERR_TLS_CERT_ALTNAME_INVALID$)/;
