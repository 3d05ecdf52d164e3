import type { ErrorDetails } from "daypass";
import type { RefusalCode } from "../../pipeline/refusal.ts";
import { formFieldError } from "./form-errors.ts";
import { invalidArgument, malformedError, type S3Error, scopeError, twoMechanisms } from "./signature-errors.ts";

/**
 * Status, code, message and fields of an error. `{name}` in a message stands for a detail. The fields map details to element names;
 * absent details are left out.
 */
type Row = readonly [status: number, code: string, message: string, fields?: Readonly<Record<string, string>>];

const internal: Row = [500, "InternalError", "We encountered an internal error. Please try again."];
const accessDenied: Row = [403, "AccessDenied", "Access Denied"];
const signatureMismatch: Row = [
  403,
  "SignatureDoesNotMatch",
  "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
];
const incompleteBody: Row = [
  400,
  "IncompleteBody",
  "You did not provide the number of bytes specified by the Content-Length HTTP header",
];
const tooLarge: Row = [
  400,
  "EntityTooLarge",
  "Your proposed upload exceeds the maximum allowed size",
  { size: "ProposedSize", limit: "MaxSizeAllowed" },
];
const oneFile = invalidArgument("file", "POST requires exactly one file upload per request.");
const notImplemented: Row = [
  501,
  "NotImplemented",
  "The requested functionality is not implemented",
  { parameter: "QueryParameter", method: "Method" },
];
const notImplementedHeader: Row = [
  501,
  "NotImplemented",
  "A header you provided implies functionality that is not implemented",
  { header: "Header" },
];
const DIGESTS = { expected: "ExpectedDigest", calculated: "CalculatedDigest" };

/** The values of `x-amz-content-sha256` at Amazon, apart from a hash. */
const PAYLOAD_MODES = [
  "UNSIGNED-PAYLOAD",
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
  "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
  "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
];

function payloadError({ found = "" }: ErrorDetails): S3Error {
  const header = "x-amz-content-sha256";
  if (PAYLOAD_MODES.some((mode) => mode === found)) return errorOf(notImplementedHeader, { header });
  const message = `${header} must be ${PAYLOAD_MODES.join(", ")} or a valid sha256 value.`;
  return invalidArgument(header, message, String(found));
}

// Codes, statuses and texts as AWS documents them (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html), and
// as MinIO and versitygw send them if that page is silent.
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
  // SigV2 signs the headers. Amazon ignores their copies in the query, and finds another signature.
  UNSIGNED_PARAMETER: ({ parameter }) =>
    errorOf(/^content-(?:type|md5)$/i.test(String(parameter)) ? signatureMismatch : accessDenied, {}),
  PREFLIGHT_REFUSED: [
    403,
    "AccessForbidden",
    // With Amazon's spelling mistake: people search for it.
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
  ],
  PREFLIGHT_INCOMPLETE: ({ missing }) => ({
    status: 400,
    code: "BadRequest",
    message:
      missing === "origin"
        ? "Insufficient information. Origin request header needed."
        : "Invalid Access-Control-Request-Method: null",
  }),
  USES_SPENT: accessDenied,
  UNENFORCED_CONSTRAINT: accessDenied,
  AMBIGUOUS_AUTHENTICATION: () => twoMechanisms,
  WRONG_ORIGIN: [400, "InvalidRequest", "This host is not served here."],
  UNKNOWN_KEY: [403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."],
  SIGNATURE_MISMATCH: signatureMismatch,
  INVALID_TOKEN: [400, "InvalidToken", "The provided token is malformed or otherwise invalid."],
  EXPIRED_TOKEN: [400, "ExpiredToken", "The provided token has expired."],
  UNSIGNED_HEADER: [
    403,
    "AccessDenied",
    "There were headers present in the request which were not signed",
    { headers: "HeadersNotSigned" },
  ],
  EXPIRED: [
    403,
    "AccessDenied",
    "Request has expired",
    { expires: "X-Amz-Expires", expiresAt: "Expires", serverTime: "ServerTime" },
  ],
  NOT_YET_VALID: [403, "AccessDenied", "Request is not valid yet"],
  CLOCK_SKEW: ({ serverTime, maximum = 900 }) =>
    errorOf(
      [
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
        { serverTime: "ServerTime", milliseconds: "MaxAllowedSkewMilliseconds" },
      ],
      { ...(serverTime !== undefined && { serverTime }), milliseconds: Number(maximum) * 1000 },
    ),
  UNSUPPORTED_PAYLOAD: payloadError,
  POLICY_NOT_MET: ({ field, condition }) => ({
    status: 403,
    code: "AccessDenied",
    message: `Invalid according to Policy: ${field === undefined ? `Policy Condition failed: ${condition}` : `Extra input fields: ${field}`}`,
  }),
  NOT_IMPLEMENTED: (details) =>
    errorOf(details["header"] === undefined ? notImplemented : notImplementedHeader, details),
  METHOD_NOT_ALLOWED: [
    405,
    "MethodNotAllowed",
    "The specified method is not allowed against this resource.",
    { method: "Method" },
  ],

  NO_SUCH_KEY: [404, "NoSuchKey", "The specified key does not exist."],
  NO_SUCH_VERSION: [
    404,
    "NoSuchVersion",
    "The specified version does not exist.",
    { key: "Key", versionId: "VersionId" },
  ],
  CONFLICT: [
    409,
    "ConditionalRequestConflict",
    "The conditional request cannot succeed due to a conflicting operation against this resource.",
    { condition: "Condition" },
  ],
  NO_SUCH_BUCKET: [404, "NoSuchBucket", "The specified bucket does not exist"],
  BUCKET_EXISTS: [
    409,
    "BucketAlreadyOwnedByYou",
    "Your previous request to create the named bucket succeeded and you already own it.",
  ],
  BUCKET_NAME_TAKEN: [
    409,
    "BucketAlreadyExists",
    "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
  ],
  INVALID_BUCKET_NAME: [400, "InvalidBucketName", "The specified bucket is not valid.", { bucket: "BucketName" }],
  WRONG_LOCATION: [
    400,
    "IllegalLocationConstraintException",
    "The {location} location constraint is incompatible for the region specific endpoint this request was sent to.",
  ],
  NOT_CONFIGURED: (details) => errorOf([404, String(details["code"]), "{text}", { bucket: "BucketName" }], details),
  BUCKET_NOT_EMPTY: [409, "BucketNotEmpty", "The bucket you tried to delete is not empty"],
  PRECONDITION_FAILED: [
    412,
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold",
    { condition: "Condition" },
  ],
  RANGE_NOT_SATISFIABLE: [
    416,
    "InvalidRange",
    "The requested range is not satisfiable",
    { range: "RangeRequested", size: "ActualObjectSize" },
  ],

  NO_SUCH_PART_NUMBER: [
    416,
    "InvalidPartNumber",
    "The requested partnumber is not satisfiable",
    { count: "ActualPartCount", part: "PartNumberRequested" },
  ],

  LENGTH_REQUIRED: [411, "MissingContentLength", "You must provide the Content-Length HTTP header."],
  TOO_LARGE: tooLarge,
  BODY_LENGTH: (details) => errorOf(details["part"] === "chunks" ? incompleteBody : tooLarge, details),
  TOO_SMALL: [
    400,
    "EntityTooSmall",
    "Your proposed upload is smaller than the minimum allowed size",
    { size: "ProposedSize", limit: "MinSizeAllowed" },
  ],
  INCOMPLETE_BODY: incompleteBody,
  BODY_TOO_SLOW: [
    400,
    "RequestTimeout",
    "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.",
  ],
  BODY_DIGEST: [
    400,
    "XAmzContentSHA256Mismatch",
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    { expected: "ClientComputedContentSHA256", calculated: "S3ComputedContentSHA256" },
  ],
  DIGEST_MISMATCH: [400, "BadDigest", "The Content-MD5 you specified did not match what we received.", DIGESTS],
  CHECKSUM_MISMATCH: (details) => {
    const name = String(details["digest"]).toUpperCase();
    return errorOf(
      [400, "BadDigest", `The ${name} you specified did not match the calculated checksum.`, DIGESTS],
      details,
    );
  },
  INVALID_DIGEST: (details) =>
    errorOf(
      details["header"] === "content-md5"
        ? [400, "InvalidDigest", "The Content-MD5 you specified was invalid.", { value: "Content-MD5" }]
        : [400, "InvalidRequest", "Value for {header} header is invalid."],
      details,
    ),
  INVALID_RESPONSE_HEADER: [
    400,
    "InvalidArgument",
    "Header value cannot be represented using ISO-8859-1.",
    { parameter: "ArgumentName" },
  ],
  KEY_TOO_LONG: [400, "KeyTooLongError", "Your key is too long", { size: "Size", limit: "MaxSizeAllowed" }],
  METADATA_TOO_LARGE: [
    400,
    "MetadataTooLarge",
    "Your metadata headers exceed the maximum allowed metadata size",
    { size: "Size", limit: "MaxSizeAllowed" },
  ],
  KEY_NOT_STORABLE: [400, "InvalidArgument", "This key cannot be stored here."],
  MALFORMED_XML: [
    400,
    "MalformedXML",
    "The XML you provided was not well-formed or did not validate against our published schema",
  ],
  DOCUMENT_TOO_LARGE: [
    400,
    "MaxMessageLengthExceeded",
    "Your request was too big.",
    { limit: "MaxMessageLengthBytes" },
  ],
  // `text` is AWS's message for the specific case.
  INVALID_ARGUMENT: [400, "InvalidArgument", "{text}", { argument: "ArgumentName", value: "ArgumentValue" }],
  INVALID_COMBINATION: [400, "InvalidRequest", "{text}"],
  CHECKSUM_ALGORITHM: [
    400,
    "InvalidRequest",
    "Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {found}",
  ],
  CHECKSUM_TYPE: [
    400,
    "InvalidRequest",
    "The upload was created using the {expected} checksum mode. The complete request must use the same checksum mode.",
  ],
  PART_CHECKSUM_MISSING: [
    400,
    "InvalidRequest",
    "The upload was created using a {algorithm} checksum. The complete request must include the checksum for each part. It was missing for part {part} in the request.",
  ],
  COPY_RANGE: ({ size, range }) =>
    invalidArgument(
      "x-amz-copy-source-range",
      `Range specified is not valid for source object of size: ${size}`,
      String(range),
    ),
  COPY_SOURCE_TOO_LARGE: [
    400,
    "InvalidRequest",
    "The specified copy source is larger than the maximum allowable size for a copy source: {limit}",
  ],
  NO_SUCH_UPLOAD: [
    404,
    "NoSuchUpload",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
  ],
  INVALID_PART: [
    400,
    "InvalidPart",
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    { part: "PartNumber", etag: "ETag" },
  ],
  INVALID_PART_ORDER: [
    400,
    "InvalidPartOrder",
    "The list of parts was not in ascending order. Parts must be ordered by part number.",
  ],
  PART_TOO_SMALL: [
    400,
    "EntityTooSmall",
    "Your proposed upload is smaller than the minimum allowed size",
    { size: "ProposedSize", limit: "MinSizeAllowed", part: "PartNumber", etag: "ETag" },
  ],
  SIZE_MISMATCH: [
    400,
    "InvalidRequest",
    "The provided 'x-amz-mp-object-size' header value {expected} does not match what was computed: {found}",
  ],
  INVALID_TAG: [400, "InvalidTag", "{text}", { key: "TagKey", value: "TagValue" }],
  TOO_MANY_TAGS: [400, "BadRequest", "Object tags cannot be greater than 10"],
  LINK_CLOSED: [403, "AccessDenied", "Access Denied"],
  REVOKED: [403, "AccessDenied", "Access Denied"],
  ROUTE_REQUIREMENT: [403, "AccessDenied", "Access Denied"],
  UPSTREAM_FAILED: [502, "BadGateway", "The upstream gave no usable response"],
  UPSTREAM_TIMEOUT: [504, "GatewayTimeout", "The upstream did not answer in time"],
  ACL_NOT_SUPPORTED: ({ operation }) =>
    errorOf(
      operation === "CreateBucket"
        ? [
            400,
            "InvalidBucketAclWithObjectOwnership",
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
          ]
        : [400, "AccessControlListNotSupported", "The bucket does not allow ACLs"],
      {},
    ),
  INVALID_STORAGE_CLASS: [
    400,
    "InvalidStorageClass",
    "The storage class you specified is not valid",
    { found: "StorageClassRequested" },
  ],
  MALFORMED_FORM: [
    400,
    "MalformedPOSTRequest",
    "The body of your POST request is not well-formed multipart/form-data.",
  ],
  FORM_FIELD: formFieldError,
  POLICY_EXPIRED: [403, "AccessDenied", "Invalid according to Policy: Policy expired."],
  FORM_TOO_LARGE: [
    400,
    "MaxPostPreDataLengthExceeded",
    "Your POST request fields preceding the upload file were too large.",
  ],
  FORM_WITHOUT_FILE: () => oneFile,
  FORM_WITH_FILES: () => oneFile,
  REDIRECT_REFUSED: [
    403,
    "AccessDenied",
    "The success_action_redirect of this form leads to an origin that is not allowed.",
  ],
  INVALID_ACTION: [400, "InvalidAction", "Could not find operation {found} for version 2011-06-15"],
  INVALID_PARAMETER: [400, "ValidationError", "The value of the parameter {parameter} is not valid here."],
  MALFORMED_POLICY: [400, "MalformedPolicyDocument", "A session policy here holds {expected}."],
  INVALID_REQUEST: [400, "InvalidRequest", "The request's head is ambiguous or incomplete."],
  URI_TOO_LONG: [414, "InvalidURI", "The specified URI is too long."],
  HEADERS_TOO_LARGE: [
    400,
    "RequestHeaderSectionTooLarge",
    "Your request header section exceeds the maximum allowed request header section size.",
  ],
  DISK_FULL: [507, "InsufficientStorage", "The storage has no room left."],
  READ_ONLY: [403, "AccessDenied", "The storage can be read and not written."],
  STORAGE_DENIED: [500, "InternalError", "The storage denies the server access."],
  UNAVAILABLE: [503, "ServiceUnavailable", "Service is unable to handle request."],
  BUSY: [503, "SlowDown", "Please reduce your request rate."],
} satisfies Record<RefusalCode, Row | ((details: ErrorDetails) => S3Error)>;

/** The error of S3 for a refusal. */
export function s3Error(code: RefusalCode, details: ErrorDetails): S3Error {
  const row: Row | ((details: ErrorDetails) => S3Error) = ERRORS[code];
  return typeof row === "function" ? row(details) : errorOf(row, details);
}

/** S3 writes these instants without a fraction of a second. */
const INSTANTS: ReadonlySet<string> = new Set(["expiresAt", "serverTime"]);

function errorOf([status, code, template, names = {}]: Row, details: ErrorDetails): S3Error {
  const message = template.replace(/\{(\w+)\}/g, (_, name: string) => textOf(details[name]));
  const fields = Object.entries(names).flatMap(([detail, name]): [string, string][] => {
    const value = details[detail];
    if (value === undefined) return [];
    return [[name, INSTANTS.has(detail) ? textOf(value).replace(/\.\d{3}Z$/, "Z") : textOf(value)]];
  });
  return { status, code, message, fields };
}

function textOf(value: ErrorDetails[string] | undefined): string {
  return Array.isArray(value) ? value.join(", ") : String(value);
}
