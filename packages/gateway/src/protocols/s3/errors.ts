import type { ErrorDetails } from "daypass";
import type { RefusalCode } from "../../pipeline/refusal.ts";
import { malformedError, scopeError, twoMechanisms } from "./authorization-errors.ts";
import type { S3Error } from "./error-body.ts";

type Row = S3Error | ((details: ErrorDetails) => S3Error);

const internal: S3Error = {
  status: 500,
  code: "InternalError",
  message: "We encountered an internal error. Please try again.",
};

const accessDenied: S3Error = { status: 403, code: "AccessDenied", message: "Access Denied" };

const incompleteBody: S3Error = {
  status: 400,
  code: "IncompleteBody",
  message: "You did not provide the number of bytes specified by the Content-Length HTTP header",
};

const tooLarge: Row = (details) => ({
  status: 400,
  code: "EntityTooLarge",
  message: "Your proposed upload exceeds the maximum allowed size",
  fields: pick(details, { size: "ProposedSize", limit: "MaxSizeAllowed" }),
});

const DIGESTS = { expected: "ExpectedDigest", calculated: "CalculatedDigest" };

/** What `x-amz-content-sha256` may say at Amazon, besides a hash. */
const PAYLOAD_MODES = [
  "UNSIGNED-PAYLOAD",
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
  "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
  "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
];

const payloadMode: S3Error = {
  status: 501,
  code: "NotImplemented",
  message: "A header you provided implies functionality that is not implemented",
  fields: [["Header", "x-amz-content-sha256"]],
};

function payloadValue(found: ErrorDetails[string] = ""): S3Error {
  return {
    status: 400,
    code: "InvalidArgument",
    message: `x-amz-content-sha256 must be ${PAYLOAD_MODES.join(", ")} or a valid sha256 value.`,
    fields: [
      ["ArgumentName", "x-amz-content-sha256"],
      ["ArgumentValue", String(found)],
    ],
  };
}

/** S3 tells instants without a fraction of a second. */
function wholeSecond([name, value]: [string, string]): [string, string] {
  return [name, value.replace(/\.\d{3}Z$/, "Z")];
}

const oneFile: S3Error = {
  status: 400,
  code: "InvalidArgument",
  message: "POST requires exactly one file upload per request.",
  fields: [["ArgumentName", "file"]],
};

// Codes, statuses and texts as AWS documents them (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html), and
// where that page is silent as MinIO and versitygw send them.
const ERRORS = {
  // No request can cause these: a key or an option of the gateway is wrong.
  INVALID_INPUT: internal,
  INVALID_KEY: internal,
  INVALID_EXPIRY: internal,
  DOT_SEGMENTS: internal,
  UNSUPPORTED_CONSTRAINT: internal,
  CREDENTIALS_EXPIRE_FIRST: internal,
  CREDENTIALS_NOT_READY: internal,
  INTERNAL: internal,

  MALFORMED: malformedError,
  WRONG_SCOPE: scopeError,
  NO_SIGNATURE: accessDenied,
  KEY_SCOPE: accessDenied,
  METHOD_NOT_GRANTED: accessDenied,
  WRONG_AUDIENCE: accessDenied,
  WRONG_SUBJECT: accessDenied,
  IP_NOT_GRANTED: accessDenied,
  BODY_TYPE: accessDenied,
  UNSIGNED_PARAMETER: accessDenied,
  PREFLIGHT_REFUSED: {
    status: 403,
    code: "AccessForbidden",
    // With Amazon's own slip of the pen: people search for it.
    message:
      "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
  },
  PREFLIGHT_INCOMPLETE: ({ missing }) => ({
    status: 400,
    code: "BadRequest",
    message:
      missing === "origin"
        ? "Insufficient information. Origin request header needed."
        : "Invalid Access-Control-Request-Method: null",
  }),
  UNENFORCED_CONSTRAINT: accessDenied,
  AMBIGUOUS_AUTHENTICATION: twoMechanisms,
  WRONG_ORIGIN: { status: 400, code: "InvalidRequest", message: "This host is not served here." },
  UNKNOWN_KEY: {
    status: 403,
    code: "InvalidAccessKeyId",
    message: "The AWS Access Key Id you provided does not exist in our records.",
  },
  SIGNATURE_MISMATCH: {
    status: 403,
    code: "SignatureDoesNotMatch",
    message:
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
  },
  INVALID_TOKEN: {
    status: 400,
    code: "InvalidToken",
    message: "The provided token is malformed or otherwise invalid.",
  },
  EXPIRED_TOKEN: { status: 400, code: "ExpiredToken", message: "The provided token has expired." },
  UNSIGNED_HEADER: (details) => ({
    status: 403,
    code: "AccessDenied",
    message: "There were headers present in the request which were not signed",
    fields: pick(details, { headers: "HeadersNotSigned" }),
  }),
  EXPIRED: (details) => ({
    status: 403,
    code: "AccessDenied",
    message: "Request has expired",
    fields: pick(details, { expires: "X-Amz-Expires", expiresAt: "Expires", serverTime: "ServerTime" }).map(
      wholeSecond,
    ),
  }),
  NOT_YET_VALID: { status: 403, code: "AccessDenied", message: "Request is not valid yet" },
  CLOCK_SKEW: (details) => ({
    status: 403,
    code: "RequestTimeTooSkewed",
    message: "The difference between the request time and the current time is too large.",
    fields: [
      ...pick(details, { serverTime: "ServerTime" }).map(wholeSecond),
      ["MaxAllowedSkewMilliseconds", String(Number(details["maximum"] ?? 900) * 1000)],
    ],
  }),
  UNSUPPORTED_PAYLOAD: ({ found }) =>
    PAYLOAD_MODES.some((mode) => mode === found) ? payloadMode : payloadValue(found),
  POLICY_NOT_MET: (details) => ({
    status: 403,
    code: "AccessDenied",
    message:
      details["field"] === undefined
        ? `Invalid according to Policy: Policy Condition failed: ${details["condition"]}`
        : `Invalid according to Policy: Extra input fields: ${details["field"]}`,
  }),
  NOT_IMPLEMENTED: (details) => ({
    status: 501,
    code: "NotImplemented",
    message:
      details["header"] === undefined
        ? "The requested functionality is not implemented"
        : "A header you provided implies functionality that is not implemented",
    fields: pick(details, { header: "Header", parameter: "QueryParameter", method: "Method" }),
  }),
  METHOD_NOT_ALLOWED: (details) => ({
    status: 405,
    code: "MethodNotAllowed",
    message: "The specified method is not allowed against this resource.",
    fields: pick(details, { method: "Method" }),
  }),

  NO_SUCH_KEY: { status: 404, code: "NoSuchKey", message: "The specified key does not exist." },
  NO_SUCH_VERSION: (details) => ({
    status: 404,
    code: "NoSuchVersion",
    message: "The specified version does not exist.",
    fields: pick(details, { key: "Key", versionId: "VersionId" }),
  }),
  CONFLICT: (details) => ({
    status: 409,
    code: "ConditionalRequestConflict",
    message: "The conditional request cannot succeed due to a conflicting operation against this resource.",
    fields: pick(details, { condition: "Condition" }),
  }),
  NO_SUCH_BUCKET: { status: 404, code: "NoSuchBucket", message: "The specified bucket does not exist" },
  BUCKET_EXISTS: {
    status: 409,
    code: "BucketAlreadyOwnedByYou",
    message: "Your previous request to create the named bucket succeeded and you already own it.",
  },
  BUCKET_NAME_TAKEN: {
    status: 409,
    code: "BucketAlreadyExists",
    message:
      "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
  },
  INVALID_BUCKET_NAME: (details) => ({
    status: 400,
    code: "InvalidBucketName",
    message: "The specified bucket is not valid.",
    fields: pick(details, { bucket: "BucketName" }),
  }),
  WRONG_LOCATION: (details) => ({
    status: 400,
    code: "IllegalLocationConstraintException",
    message: `The ${details["location"]} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  }),
  NOT_CONFIGURED: (details) => ({
    status: 404,
    code: String(details["code"]),
    message: String(details["text"]),
    fields: pick(details, { bucket: "BucketName" }),
  }),
  BUCKET_NOT_EMPTY: {
    status: 409,
    code: "BucketNotEmpty",
    message: "The bucket you tried to delete is not empty",
  },
  PRECONDITION_FAILED: (details) => ({
    status: 412,
    code: "PreconditionFailed",
    message: "At least one of the pre-conditions you specified did not hold",
    fields: pick(details, { condition: "Condition" }),
  }),
  RANGE_NOT_SATISFIABLE: (details) => ({
    status: 416,
    code: "InvalidRange",
    message: "The requested range is not satisfiable",
    fields: pick(details, { range: "RangeRequested", size: "ActualObjectSize" }),
  }),

  NO_SUCH_PART_NUMBER: (details) => ({
    status: 416,
    code: "InvalidPartNumber",
    message: "The requested partnumber is not satisfiable",
    fields: pick(details, { count: "ActualPartCount", part: "PartNumberRequested" }),
  }),

  LENGTH_REQUIRED: {
    status: 411,
    code: "MissingContentLength",
    message: "You must provide the Content-Length HTTP header.",
  },
  TOO_LARGE: tooLarge,
  BODY_LENGTH: (details) => (details["part"] === "chunks" ? incompleteBody : tooLarge(details)),
  TOO_SMALL: (details) => ({
    status: 400,
    code: "EntityTooSmall",
    message: "Your proposed upload is smaller than the minimum allowed size",
    fields: pick(details, { size: "ProposedSize", limit: "MinSizeAllowed" }),
  }),
  INCOMPLETE_BODY: incompleteBody,
  BODY_TOO_SLOW: {
    status: 400,
    code: "RequestTimeout",
    message:
      "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.",
  },
  BODY_DIGEST: (details) => ({
    status: 400,
    code: "XAmzContentSHA256Mismatch",
    message: "The provided 'x-amz-content-sha256' header does not match what was computed.",
    fields: pick(details, { expected: "ClientComputedContentSHA256", calculated: "S3ComputedContentSHA256" }),
  }),
  DIGEST_MISMATCH: (details) => ({
    status: 400,
    code: "BadDigest",
    message: "The Content-MD5 you specified did not match what we received.",
    fields: pick(details, DIGESTS),
  }),
  CHECKSUM_MISMATCH: (details) => ({
    status: 400,
    code: "BadDigest",
    message: `The ${String(details["digest"]).toUpperCase()} you specified did not match the calculated checksum.`,
    fields: pick(details, DIGESTS),
  }),
  INVALID_DIGEST: (details) =>
    details["header"] === "content-md5"
      ? {
          status: 400,
          code: "InvalidDigest",
          message: "The Content-MD5 you specified was invalid.",
          fields: pick(details, { value: "Content-MD5" }),
        }
      : { status: 400, code: "InvalidRequest", message: `Value for ${String(details["header"])} header is invalid.` },
  INVALID_RESPONSE_HEADER: (details) => ({
    status: 400,
    code: "InvalidArgument",
    message: "Header value cannot be represented using ISO-8859-1.",
    fields: pick(details, { parameter: "ArgumentName" }),
  }),
  KEY_TOO_LONG: (details) => ({
    status: 400,
    code: "KeyTooLongError",
    message: "Your key is too long",
    fields: pick(details, { size: "Size", limit: "MaxSizeAllowed" }),
  }),
  METADATA_TOO_LARGE: (details) => ({
    status: 400,
    code: "MetadataTooLarge",
    message: "Your metadata headers exceed the maximum allowed metadata size",
    fields: pick(details, { size: "Size", limit: "MaxSizeAllowed" }),
  }),
  KEY_NOT_STORABLE: { status: 400, code: "InvalidArgument", message: "This key cannot be stored here." },
  MALFORMED_XML: {
    status: 400,
    code: "MalformedXML",
    message: "The XML you provided was not well-formed or did not validate against our published schema",
  },
  DOCUMENT_TOO_LARGE: (details) => ({
    status: 400,
    code: "MaxMessageLengthExceeded",
    message: "Your request was too big.",
    fields: pick(details, { limit: "MaxMessageLengthBytes" }),
  }),
  // `text` holds the words that AWS has for just this.
  INVALID_ARGUMENT: (details) => ({
    status: 400,
    code: "InvalidArgument",
    message: String(details["text"] ?? "Invalid Argument"),
    fields: pick(details, { argument: "ArgumentName", value: "ArgumentValue" }),
  }),
  INVALID_COMBINATION: (details) => ({
    status: 400,
    code: "InvalidRequest",
    message: String(details["text"] ?? "Invalid Request"),
  }),
  CHECKSUM_ALGORITHM: (details) => ({
    status: 400,
    code: "InvalidRequest",
    message: `Checksum Type mismatch occurred, expected checksum Type: ${details["expected"]}, actual checksum Type: ${details["found"]}`,
  }),
  CHECKSUM_TYPE: (details) => ({
    status: 400,
    code: "InvalidRequest",
    message: `The upload was created using the ${details["expected"]} checksum mode. The complete request must use the same checksum mode.`,
  }),
  PART_CHECKSUM_MISSING: (details) => ({
    status: 400,
    code: "InvalidRequest",
    message: `The upload was created using a ${details["algorithm"]} checksum. The complete request must include the checksum for each part. It was missing for part ${details["part"]} in the request.`,
  }),
  COPY_RANGE: (details) => ({
    status: 400,
    code: "InvalidArgument",
    message: `Range specified is not valid for source object of size: ${details["size"]}`,
    fields: [["ArgumentName", "x-amz-copy-source-range"], ...pick(details, { range: "ArgumentValue" })],
  }),
  COPY_SOURCE_TOO_LARGE: (details) => ({
    status: 400,
    code: "InvalidRequest",
    message: `The specified copy source is larger than the maximum allowable size for a copy source: ${details["limit"]}`,
  }),
  NO_SUCH_UPLOAD: {
    status: 404,
    code: "NoSuchUpload",
    message:
      "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
  },
  INVALID_PART: (details) => ({
    status: 400,
    code: "InvalidPart",
    message:
      "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    fields: pick(details, { part: "PartNumber", etag: "ETag" }),
  }),
  INVALID_PART_ORDER: {
    status: 400,
    code: "InvalidPartOrder",
    message: "The list of parts was not in ascending order. Parts must be ordered by part number.",
  },
  PART_TOO_SMALL: (details) => ({
    status: 400,
    code: "EntityTooSmall",
    message: "Your proposed upload is smaller than the minimum allowed size",
    fields: pick(details, { size: "ProposedSize", limit: "MinSizeAllowed", part: "PartNumber", etag: "ETag" }),
  }),
  SIZE_MISMATCH: (details) => ({
    status: 400,
    code: "InvalidRequest",
    message: `The provided 'x-amz-mp-object-size' header value ${details["expected"]} does not match what was computed: ${details["found"]}`,
  }),
  INVALID_TAG: (details) => ({
    status: 400,
    code: "InvalidTag",
    message: String(details["text"] ?? "The tag provided was not a valid tag."),
    fields: pick(details, { key: "TagKey", value: "TagValue" }),
  }),
  TOO_MANY_TAGS: { status: 400, code: "BadRequest", message: "Object tags cannot be greater than 10" },
  ACL_NOT_SUPPORTED: {
    status: 400,
    code: "AccessControlListNotSupported",
    message: "The bucket does not allow ACLs",
  },
  INVALID_STORAGE_CLASS: (details) => ({
    status: 400,
    code: "InvalidStorageClass",
    message: "The storage class you specified is not valid",
    fields: pick(details, { found: "StorageClassRequested" }),
  }),
  MALFORMED_FORM: {
    status: 400,
    code: "MalformedPOSTRequest",
    message: "The body of your POST request is not well-formed multipart/form-data.",
  },
  FORM_FIELD: ({ parameter = "", problem = "" }) =>
    parameter === "policy"
      ? {
          status: 400,
          code: "InvalidPolicyDocument",
          message: `Invalid Policy: the policy document has a problem with ${problem}.`,
        }
      : {
          status: 400,
          code: "InvalidArgument",
          message:
            problem === "missing"
              ? `Bucket POST must contain a field named '${parameter}'.  If it is specified, please check the order of the fields.`
              : `The form field '${parameter}' is not well-formed.`,
          fields: [["ArgumentName", String(parameter)]],
        },
  POLICY_EXPIRED: { status: 403, code: "AccessDenied", message: "Invalid according to Policy: Policy expired." },
  FORM_TOO_LARGE: {
    status: 400,
    code: "MaxPostPreDataLengthExceeded",
    message: "Your POST request fields preceding the upload file were too large.",
  },
  FORM_WITHOUT_FILE: oneFile,
  FORM_WITH_FILES: oneFile,
  REDIRECT_REFUSED: {
    status: 403,
    code: "AccessDenied",
    message: "The success_action_redirect of this form leads to an origin that is not allowed.",
  },
  INVALID_ACTION: (details) => ({
    status: 400,
    code: "InvalidAction",
    message: `Could not find operation ${details["found"]} for version 2011-06-15`,
  }),
  INVALID_PARAMETER: (details) => ({
    status: 400,
    code: "ValidationError",
    message: `The value of the parameter ${details["parameter"]} is not valid here.`,
  }),
  MALFORMED_POLICY: (details) => ({
    status: 400,
    code: "MalformedPolicyDocument",
    message: `A session policy here holds ${details["expected"]}.`,
  }),
  INVALID_REQUEST: { status: 400, code: "InvalidRequest", message: "The request's head is ambiguous or incomplete." },
  URI_TOO_LONG: { status: 414, code: "InvalidURI", message: "The specified URI is too long." },
  HEADERS_TOO_LARGE: {
    status: 400,
    code: "RequestHeaderSectionTooLarge",
    message: "Your request header section exceeds the maximum allowed request header section size.",
  },
  DISK_FULL: { status: 507, code: "InsufficientStorage", message: "The storage has no room left." },
  READ_ONLY: { status: 403, code: "AccessDenied", message: "The storage can be read and not written." },
  UNAVAILABLE: { status: 503, code: "ServiceUnavailable", message: "Service is unable to handle request." },
  BUSY: { status: 503, code: "SlowDown", message: "Please reduce your request rate." },
} satisfies Record<RefusalCode, Row>;

/** The words of S3 for a refusal. */
export function s3Error(code: RefusalCode, details: ErrorDetails): S3Error {
  const row: Row = ERRORS[code];
  return typeof row === "function" ? row(details) : row;
}

/** The details that are there, under S3's names. */
function pick(details: ErrorDetails, names: Readonly<Record<string, string>>): [string, string][] {
  const fields: [string, string][] = [];
  for (const [detail, name] of Object.entries(names)) {
    const value = details[detail];
    if (value !== undefined) fields.push([name, typeof value === "object" ? value.join(", ") : String(value)]);
  }
  return fields;
}
