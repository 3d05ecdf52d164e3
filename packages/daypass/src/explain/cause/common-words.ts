import type { ServerError } from "../error-body.ts";
import type { Cause } from "../explanation.ts";
import { type AnswerRow, rowCause } from "./answer-rows.ts";
import { AWS_ROWS } from "./aws-words.ts";

const ANY = /^/;
const NTP = "Set the signer's clock (NTP).";
export const CORS_SENTENCE =
  "The bucket's CORS rules do not let this page do this: a preflight is answered from them alone, and no signature helps.";
export const CORS_FIX = "Set a CORS rule with the page's origin, the method and the headers that it sends.";
const BODY_FIX = "Send the body that was signed, or sign without a checksum.";
/** What servers say by a code and by their status alone. */
export const BUSY = [
  "SERVER",
  "The server takes no more requests for now: it says nothing of the URL.",
  "Send it again after a while, each time after a longer one, as long as the URL lives; send fewer at once.",
] as const;
export const NO_LENGTH = [
  "HEADER",
  "The upload does not tell its length (Content-Length).",
  "Send a body of known length, not a stream.",
] as const;
export const BEHIND_END = [
  "HEADER",
  "The signature was accepted; the range that was asked for (Range) lies behind the end of the object.",
  "Ask for a range within it, or for the whole.",
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
          : `headers that have to be signed and were not: ${names}`;
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
      `The bucket lives in another region${here === undefined ? "" : ` (${here})`} than the endpoint to which the URL goes.`,
    "Sign for the bucket's region, with its regional endpoint.",
  ],
  [/^AccessForbidden$/, /^CORSResponse/i, "CORS", CORS_SENTENCE, CORS_FIX],
  [/^CORSResponse|CorsPreflightFailure/i, ANY, "CORS", CORS_SENTENCE, CORS_FIX],
  [
    ANY,
    /^(?=.*KMS).*require AWS Signature Version 4/is,
    "LEGACY_SIGNATURE",
    "An object under a KMS key cannot be had with Signature Version 2.",
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
    "Send the URL without any Authorization header (look at the HTTP client's defaults).",
  ],
  [
    ANY,
    /unsupported header '?([\w-]{1,100})|^Header '([\w-]{1,100})' with value .* not implemented/i,
    "HEADER",
    ([, name, other]) =>
      `The server takes no header ${name ?? other}${name === undefined ? ", or not with the value that it has" : ", whatever its value"}: it is no matter of the signature.`,
    ([, name, other]) =>
      `Sign without it${/checksum/i.test(name ?? other ?? "") ? ` (requestChecksumCalculation: "WHEN_REQUIRED" in an AWS SDK)` : ""}.`,
  ],
  [
    /^(?:BadDigest|InvalidDigest|XAmzContentChecksumMismatch|XAmzContentSHA256Mismatch)$/,
    ANY,
    "CHECKSUM",
    "The signature is right; the body is not the one whose digest was given.",
    BODY_FIX,
  ],
  [
    /^InvalidRequest$/,
    /checksum/i,
    "CHECKSUM",
    "The signature is right; the body is not the one whose digest was given.",
    BODY_FIX,
  ],
  [
    ANY,
    /This date is not the same as X-Amz-Date/i,
    "DATE",
    "The date in the scope of the URL is not that of its signing time.",
    "Take scope date and X-Amz-Date from one instant, in UTC.",
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
    "The server takes no such method on this resource, whatever is signed.",
    "Send the method that the URL was made for; look whether the path is that of the object.",
  ],
  [
    /^EntityTooLarge$/,
    ANY,
    "PAYLOAD",
    "The body is longer than the server takes in one upload.",
    "Upload in parts, or another body.",
  ],
  [
    /^EntityTooSmall$/,
    ANY,
    "PAYLOAD",
    "The body is shorter than the server takes in one upload.",
    "Upload in parts, or another body.",
  ],
  [
    ANY,
    /Missing required header for this request: ([\w-]{1,100})/i,
    "HEADER",
    ([, name]) => `The request lacks the header ${name}, which the server asks for.`,
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
      "The signature is right; the body ended before it had the length that was announced (Content-Length).",
      "Send the whole body, with its own length; look for a client or proxy that broke the upload off.",
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
    "The server failed, and says nothing of the URL.",
    "Send it again, as long as the URL lives; then ask whoever runs the server.",
  ],
  [
    // Amazon's, too; Cloud Storage tells more in its own words.
    /^InvalidSecurity$/,
    ANY,
    "UNKNOWN_KEY",
    "The server does not take the credentials that signed: the key is unknown to it, was deleted or is inactive.",
    "Sign with an active key of this server; a key of another provider's is none.",
  ],
  [
    /^AccessControlListNotSupported$/,
    ANY,
    "HEADER",
    "The bucket takes no ACLs (its objects belong to its owner), and the upload has one.",
    "Sign without x-amz-acl and x-amz-grant-*; let others read by the bucket's policy.",
  ],
  [
    /^InvalidObjectState$/,
    ANY,
    "SERVER",
    (_, fields) => {
      const storage = fields.get("StorageClass");
      return `The signature was accepted; the object is archived${storage === undefined ? "" : ` (${storage})`}, and cannot be read before it is restored.`;
    },
    "Restore it (RestoreObject), and sign anew when that is done.",
  ],
  [
    /^(?:PreconditionFailed|ConditionalRequestConflict)$/,
    ANY,
    "SERVER",
    // S3 names the condition: of a POST it is none of the request's headers, and comes before the signature.
    (_, fields) =>
      /enclosure-type/i.test(fields.get("Condition") ?? "")
        ? "The server reads a POST as a form (multipart/form-data), and this one is none: a URL is for the method that it was signed for."
        : "The signature was accepted; a condition of the request is not met: with If-None-Match: * the object must not be there, with If-Match it must be the one that was named.",
    "Send the method that was signed (PUT for most uploads). Else look whether the object is there already, and send another condition, or none where none is signed.",
  ],
  [/^InvalidRange$/, ANY, ...BEHIND_END],
  [
    /^NoSuchUpload$/,
    ANY,
    "NOT_FOUND",
    "The signature was accepted; the upload in parts is not there: it was completed or aborted, or its id (uploadId) is another one.",
    "Begin a new upload (CreateMultipartUpload), and sign its parts with that id.",
  ],
  [
    /^NoSuch(?:Key|Bucket|Version)$/,
    ANY,
    "NOT_FOUND",
    "The signature was accepted; the object or bucket is not there.",
    "Look at the key's spelling (encoding, leading slash), the bucket and the version.",
  ],
  [
    /^AccessDenied$/,
    ANY,
    "PERMISSION",
    "The signature was accepted; the key that signed may not do this.",
    "Give the signing identity the permission (where it may not list, a missing object is AccessDenied, too).",
  ],
];

const CHUNKED: AnswerRow = [
  /^NotImplemented$/,
  ANY,
  "HEADER",
  "The upload does not tell its length (Content-Length): it is sent in chunks.",
  NO_LENGTH[2],
];

/** What the answer means by its code or message. `undefined` for one that is not known. */
export function commonCause(error: ServerError, signed: string): Cause | undefined {
  // Its message is the same for every header that is not known.
  const isChunked = /^transfer-encoding$/i.test(error.fields.get("Header") ?? "");
  // What they have for AccessDenied means more than the code.
  return rowCause(AWS_ROWS, error, signed) ?? rowCause(isChunked ? [CHUNKED, ...ROWS] : ROWS, error, signed);
}
