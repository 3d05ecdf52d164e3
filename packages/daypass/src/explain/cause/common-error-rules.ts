import type { ServerError } from "../error-body.ts";
import type { Cause } from "../explanation.ts";
import { type AnswerRow, rowCause } from "./answer-rows.ts";
import { AWS_ROWS } from "./aws-error-rules.ts";

const ANY = /^/;
const NTP = "Set the signer's clock (NTP).";
export const CORS_SENTENCE =
  "The bucket's CORS rules do not allow this request from this page: a preflight is answered from them alone, and no signature helps.";
export const CORS_FIX = "Add a CORS rule with the page's origin, the method and the headers that it sends.";
const BODY_FIX = "Send the body that was signed, or sign without a checksum.";
/** What servers say by a code and by their status alone. */
export const BUSY = [
  "SERVER",
  "The server is limiting requests for now: this says nothing about the URL.",
  "Retry with increasing delays until the URL expires; send fewer requests at once.",
] as const;
export const NO_LENGTH = [
  "HEADER",
  "The upload has no Content-Length.",
  "Send a body of known length, not a stream.",
] as const;
export const BEHIND_END = [
  "HEADER",
  "The signature was accepted; the requested Range starts beyond the end of the object.",
  "Request a range within the object, or the whole object.",
] as const;

/**
 * Amazon's answers, as most stores have them. The first that fits counts, so that a message comes before a code that means
 * several things. Source: "Error responses" of the Amazon S3 API reference.
 */
const ROWS: readonly AnswerRow[] = [
  [ANY, /not valid yet|not yet valid/i, "CLOCK", "The URL is dated in the future by the server's clock.", NTP],
  [
    /^RequestTimeTooSkewed$/,
    ANY,
    "CLOCK",
    (_, fields) => {
      const [sent, server] = ["RequestTime", "ServerTime"].map((name) => fields.get(name));
      const times = sent === undefined || server === undefined ? "" : ` (${sent} and ${server})`;
      return `The signer's clock and the server's are too far apart${times}.`;
    },
    NTP,
  ],
  [
    ANY,
    /headers present in the request which were not signed/i,
    "UNSIGNED_HEADER",
    (_, fields) => {
      const names = fields.get("HeadersNotSigned");
      const what =
        names === undefined
          ? "x-amz-* headers that were not signed"
          : `headers that must be signed and were not: ${names}`;
      return `The request carries ${what}.`;
    },
    "Leave them out, or sign them with the URL.",
  ],
  [
    /^InvalidAccessKeyId$/,
    ANY,
    "UNKNOWN_KEY",
    "The server does not know the access key that signed.",
    "Sign with a key of this server; a temporary key also needs its session token.",
  ],
  [
    /^(?:Permanent|Temporary)Redirect$/,
    ANY,
    "ENDPOINT",
    (_, fields) => {
      const endpoint = fields.get("Endpoint");
      return `The bucket lives at another endpoint${endpoint === undefined ? "" : ` (${endpoint})`}, and a redirect breaks the signature of the host.`;
    },
    "Sign with the bucket's regional endpoint.",
  ],
  [
    /^IllegalLocationConstraintException$/,
    /^(?:The (?!unspecified )(\S+) location constraint)?/,
    "ENDPOINT",
    ([, here]) =>
      `The bucket lives in another region${here === undefined ? "" : ` (${here})`} than the endpoint of the URL.`,
    "Sign for the bucket's region, with its regional endpoint.",
  ],
  [/^AccessForbidden$/, /^CORSResponse/i, "CORS", CORS_SENTENCE, CORS_FIX],
  [/^CORSResponse|CorsPreflightFailure/i, ANY, "CORS", CORS_SENTENCE, CORS_FIX],
  [
    ANY,
    /^(?=.*KMS).*require AWS Signature Version 4/is,
    "LEGACY_SIGNATURE",
    "An object encrypted with a KMS key cannot be read with Signature Version 2.",
    "Sign with Signature Version 4.",
  ],
  [
    ANY,
    /Please use AWS4-HMAC-SHA256|require AWS Signature Version 4/i,
    "LEGACY_SIGNATURE",
    "The server does not accept Signature Version 2.",
    "Sign with Signature Version 4.",
  ],
  [
    ANY,
    /only one auth mechanism/i,
    "AMBIGUOUS_AUTHENTICATION",
    "The request carries an Authorization header beside the signed URL.",
    "Send the URL without any Authorization header (check the HTTP client's defaults).",
  ],
  [
    ANY,
    /unsupported header '?([\w-]{1,100})|^Header '([\w-]{1,100})' with value .* not implemented/i,
    "HEADER",
    ([, name, other]) =>
      `The server takes no header ${name ?? other}${name === undefined ? ", or not with this value" : ", whatever its value"}: the signature is not the problem.`,
    ([, name, other]) =>
      `Sign without it${/checksum/i.test(name ?? other ?? "") ? ` (requestChecksumCalculation: "WHEN_REQUIRED" in an AWS SDK)` : ""}.`,
  ],
  [
    /^(?:BadDigest|InvalidDigest|XAmzContentChecksumMismatch|XAmzContentSHA256Mismatch)$/,
    ANY,
    "CHECKSUM",
    "The signature is right; the body does not match the given digest.",
    BODY_FIX,
  ],
  [
    /^InvalidRequest$/,
    /checksum/i,
    "CHECKSUM",
    "The signature is right; the body does not match the given digest.",
    BODY_FIX,
  ],
  [
    ANY,
    /This date is not the same as X-Amz-Date/i,
    "DATE",
    "The date in the URL's credential scope does not match its signing time.",
    "Derive the scope date and X-Amz-Date from the same instant, in UTC.",
  ],
  [
    /^(?:AuthorizationQueryParametersError|AuthorizationHeaderMalformed)$/,
    /^.*/s,
    "MALFORMED",
    ([message]) => `The server cannot read the signature: ${message}`,
    "Pass the URL on as it was made.",
  ],
  [
    /^MethodNotAllowed$/,
    ANY,
    "METHOD",
    "The server does not allow this method on this resource, whatever is signed.",
    "Send the method that the URL was made for; check that the path is that of the object.",
  ],
  [
    /^EntityTooLarge$/,
    ANY,
    "PAYLOAD",
    "The body is larger than the server accepts in one upload.",
    "Upload in parts, or upload a different body.",
  ],
  [
    /^EntityTooSmall$/,
    ANY,
    "PAYLOAD",
    "The body is smaller than the server accepts in one upload.",
    "Upload in parts, or upload a different body.",
  ],
  [
    ANY,
    /Missing required header for this request: ([\w-]{1,100})/i,
    "HEADER",
    ([, name]) => `The request lacks the header ${name}, which the server requires.`,
    ([, name]) => `Send ${name}.`,
  ],
  ...(
    [
      [/^IncompleteBody$/, ANY],
      [/^RequestTimeout$/, /connection to the server was not read/],
    ] as const
  ).map(
    ([code, message]): AnswerRow => [
      ...([code, message, "PAYLOAD"] as const),
      "The signature is right; the body is shorter than its Content-Length.",
      "Send the whole body with its own length; look for a client or proxy that cut the upload short.",
    ],
  ),
  [/^MissingContentLength$/, ANY, ...NO_LENGTH],
  [
    // Also MinIO's for either direction, and Azure's.
    /^(?:SlowDown\w*|ServiceUnavailable|Busy|ServerBusy|ThrottlingException|TooManyRequests(?:Exception)?|RequestLimitExceeded|QpsLimitExceeded|\w*DownloadTrafficRateLimitExceeded|XMinioServerNotInitialized)$/,
    ANY,
    ...BUSY,
  ],
  [
    /^(?:InternalError|InternalServerError|InternalFailure|OperationTimedOut)$/,
    ANY,
    "SERVER",
    "The server failed: this says nothing about the URL.",
    "Retry until the URL expires; then ask whoever runs the server.",
  ],
  [
    // Amazon's, too; Cloud Storage tells more in its own words.
    /^InvalidSecurity$/,
    ANY,
    "UNKNOWN_KEY",
    "The server does not accept the signing credentials: the key is unknown to it, was deleted or is inactive.",
    "Sign with an active key of this server; another provider's key does not work.",
  ],
  [
    /^AccessControlListNotSupported$/,
    ANY,
    "HEADER",
    "The bucket has ACLs disabled (its owner owns every object), and the upload sends one.",
    "Sign without x-amz-acl and x-amz-grant-*; give others access with the bucket policy.",
  ],
  [
    /^InvalidObjectState$/,
    ANY,
    "SERVER",
    (_, fields) => {
      const storage = fields.get("StorageClass");
      return `The signature was accepted; the object is archived${storage === undefined ? "" : ` (${storage})`}, and cannot be read before it is restored.`;
    },
    "Restore it (RestoreObject), and sign again when that is done.",
  ],
  [
    /^(?:PreconditionFailed|ConditionalRequestConflict)$/,
    ANY,
    "SERVER",
    // S3 names the condition: of a POST it is none of the request's headers, and comes before the signature.
    (_, fields) =>
      /enclosure-type/i.test(fields.get("Condition") ?? "")
        ? "The server reads a POST as a form (multipart/form-data), and this is not one: send a URL with the method that it was signed for."
        : "The signature was accepted; a condition of the request is not met: with If-None-Match: * the object must not exist, with If-Match it must have the given ETag.",
    "Send the method that was signed (PUT for most uploads). Otherwise check whether the object exists already, and send another condition, or none if none is signed.",
  ],
  [/^InvalidRange$/, ANY, ...BEHIND_END],
  [
    /^NoSuchUpload$/,
    ANY,
    "NOT_FOUND",
    "The signature was accepted; the multipart upload does not exist: it was completed or aborted, or its uploadId is wrong.",
    "Start a new upload (CreateMultipartUpload), and sign its parts with the new id.",
  ],
  [
    /^NoSuch(?:Key|Bucket|Version)$/,
    ANY,
    "NOT_FOUND",
    "The signature was accepted; the object or bucket does not exist.",
    "Check the spelling of the key (encoding, leading slash), the bucket and the version.",
  ],
  [
    /^AccessDenied$/,
    ANY,
    "PERMISSION",
    "The signature was accepted; the signing key does not have permission for this.",
    "Give the signing identity the permission (if it may not list, a missing object is AccessDenied, too).",
  ],
];

const CHUNKED: AnswerRow = [
  /^NotImplemented$/,
  ANY,
  "HEADER",
  "The upload has no Content-Length: it is sent in chunks.",
  NO_LENGTH[2],
];

/** What the answer means by its code or message. `undefined` for one that is not known. */
export function commonCause(error: ServerError, signed: string): Cause | undefined {
  // Its message is the same for every header that is not known.
  const isChunked = /^transfer-encoding$/i.test(error.fields.get("Header") ?? "");
  // What they have for AccessDenied means more than the code.
  return rowCause(AWS_ROWS, error, signed) ?? rowCause(isChunked ? [CHUNKED, ...ROWS] : ROWS, error, signed);
}
