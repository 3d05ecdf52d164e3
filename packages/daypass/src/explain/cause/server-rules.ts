import type { AnswerRule } from "./answer-rules.ts";

const NTP = "Set the signer's clock (NTP).";
const LATE = { sentence: "The URL has expired by the server's clock.", fix: "Ask for a new URL." };
const SIGN_V4 = { sentence: "The server does not accept Signature Version 2.", fix: "Sign with Signature Version 4." };
export const CORS_SENTENCE =
  "The bucket's CORS rules do not allow this request from this page: a preflight is answered from them alone, and no signature helps.";
export const CORS_FIX = "Add a CORS rule with the page's origin, the method and the headers that it sends.";
const CORS = { cause: "CORS", sentence: CORS_SENTENCE, fix: CORS_FIX } as const;

/** Meanings that a code and a bare status share. */
export const BUSY = {
  cause: "SERVER",
  sentence: "The server is limiting requests for now: this says nothing about the URL.",
  fix: "Retry with increasing delays until the URL expires; send fewer requests at once.",
} as const;
export const NO_LENGTH = {
  cause: "HEADER",
  sentence: "The upload has no Content-Length.",
  fix: "Send a body of known length, not a stream.",
} as const;
export const BEHIND_END = {
  cause: "HEADER",
  sentence: "The signature was accepted; the requested Range starts beyond the end of the object.",
  fix: "Request a range within the object, or the whole object.",
} as const;

const CHECKSUM = {
  cause: "CHECKSUM",
  sentence: "The signature is right; the body does not match the given digest.",
  fix: "Send the body that was signed, or sign without a checksum.",
} as const;
const SHORT_BODY = {
  cause: "PAYLOAD",
  sentence: "The signature is right; the body is shorter than its Content-Length.",
  fix: "Send the whole body with its own length; look for a client or proxy that cut the upload short.",
} as const;

function otherSize(how: string): Omit<AnswerRule, "code"> {
  const sentence = `The body is ${how} than the server accepts in one upload.`;
  return { cause: "PAYLOAD", sentence, fix: "Upload in parts, or upload a different body." };
}

/**
 * Answers of stores other than Amazon, and messages of S3 under a code that has other meanings. The first match counts.
 * Seen at R2, Ceph and Garage; the last three are the gateway's own.
 */
export const STORE_RULES: readonly AnswerRule[] = [
  { code: /^Unauthorized$/, says: /SigV2 authorization is not supported/i, cause: "LEGACY_SIGNATURE", ...SIGN_V4 },
  {
    // R2 gives this answer for a key that the account in the host does not have.
    code: /^Unauthorized$/,
    cause: "UNKNOWN_KEY",
    sentence:
      "The server does not accept the key that signed: it does not know the key, or the key belongs to another account than the one in the host.",
    fix: "Check that the key is still active and was made for this account: R2 has the account's id in its host.",
  },
  { code: /^ExpiredRequest$/, cause: "EXPIRED", ...LATE },
  { code: /^InvalidRequest$/, says: /Date is too old/i, cause: "EXPIRED", ...LATE },
  {
    code: /^InvalidRegionName$/,
    says: /Must be one of:? *((?=.*?\b(auto)\b|)[a-z0-9-]+(?:, *[a-z0-9-]+)*)/i,
    cause: "REGION",
    sentence: "The URL was signed for a region that the server does not have; it has $1.",
    fix: "Sign for {$2|one of them}.",
  },
  {
    code: /^InvalidArgument$/,
    says: /Credential access key has length (\d+), should be (\d+)/i,
    cause: "UNKNOWN_KEY",
    sentence:
      "The access key that signed does not belong to this server: its id has $1 characters, and the server's have $2.",
    fix: "Sign with a key of this server; an AWS key does not work at another store.",
  },
  {
    code: /^AccessDenied$/,
    says: /No such key: \S/i,
    cause: "UNKNOWN_KEY",
    sentence: "The server does not know the access key that signed.",
    fix: "Sign with a key of this server.",
  },
  {
    code: /^AccessDenied$/,
    says: /must be addressed using the specified endpoint/i,
    cause: "ENDPOINT",
    sentence: "The bucket lives at another endpoint{ ($Endpoint)} than the one in the URL.",
    fix: "Sign with the bucket's own endpoint, for its region.",
  },
  {
    code: /^InvalidRequest$/,
    says: /^This host is not served here/i,
    cause: "HOST",
    sentence: "The gateway was reached under a name that is not among its origins.",
    fix: "Add the origin that clients use (publicUrl or origins of daypass serve), or let proxies pass Host on unchanged.",
  },
  {
    code: /^AccessDenied$/,
    says: /^The storage can be read and not written/i,
    cause: "SERVER",
    sentence: "The signature was accepted; the gateway can read its storage but not write to it.",
    fix: "Give the gateway's user write permission for the folder that is served, or serve another one.",
  },
  {
    code: /^AccessDenied$/,
    says: /^The success_action_redirect of this form leads/i,
    cause: "FIELD",
    sentence:
      "The signature was accepted; the gateway redirects browsers only to the origins it was given, and the one in success_action_redirect is not among them.",
    fix: "Add its origin to redirectOrigins of daypass serve, or sign the form without the field.",
  },
];

const MAY_NOT = "The signature was accepted; the key that signed may not {$1|do this}";

/**
 * Amazon's answers, as most stores give them. The first match counts, so messages come before codes with several meanings.
 * Source: "Error responses" of the Amazon S3 API reference.
 */
export const S3_RULES: readonly AnswerRule[] = [
  {
    code: /^AccessDenied/,
    says: /User: anonymous is not authorized/i,
    cause: "PERMISSION",
    sentence: "The server treated the request as unsigned, and its policy does not allow anonymous access.",
    fix: "Make sure that the query arrives as it was signed.",
  },
  {
    code: /^AccessDenied/,
    says: /not authorized to perform: ([a-z0-9-]{1,64}:\w{1,64})?.{0,2000}?explicit deny(?: in an? ([a-z -]{1,60}(?:policy|boundary)))?/is,
    cause: "PERMISSION",
    sentence: `${MAY_NOT}, as a {$2|policy} denies it in so many words.`,
    fix: "Find the statement in the {$2|policy} that denies it: an explicit deny outweighs every permission of the signing identity.",
  },
  {
    code: /^AccessDenied/,
    says: /not authorized to perform: ([a-z0-9-]{1,64}:\w{1,64})?(?:.{0,2000}?because no ([a-z -]{1,60}(?:policy|boundary)) allows)?/is,
    cause: "PERMISSION",
    sentence: `${MAY_NOT}{, as no $2 allows it}.`,
    fix: "Allow it in the {$2|policy of the signing identity}, and check whether another policy (of the bucket, of the encryption key, of the called resource) denies it.",
  },
  {
    says: /not valid yet|not yet valid/i,
    cause: "CLOCK",
    sentence: "The URL is dated in the future by the server's clock.",
    fix: NTP,
  },
  {
    code: /^RequestTimeTooSkewed$/,
    cause: "CLOCK",
    sentence: "The signer's clock and the server's are too far apart{ ($RequestTime and $ServerTime)}.",
    fix: NTP,
  },
  {
    says: /headers present in the request which were not signed/i,
    cause: "UNSIGNED_HEADER",
    sentence:
      "The request carries {headers that must be signed and were not: $HeadersNotSigned|x-amz-* headers that were not signed}.",
    fix: "Leave them out, or sign them with the URL.",
  },
  {
    code: /^InvalidAccessKeyId$/,
    cause: "UNKNOWN_KEY",
    sentence: "The server does not know the access key that signed.",
    fix: "Sign with a key of this server; a temporary key also needs its session token.",
  },
  {
    code: /^(?:Permanent|Temporary)Redirect$/,
    cause: "ENDPOINT",
    sentence: "The bucket lives at another endpoint{ ($Endpoint)}, and a redirect breaks the signature of the host.",
    fix: "Sign with the bucket's regional endpoint.",
  },
  {
    code: /^IllegalLocationConstraintException$/,
    says: /^(?:The (?!unspecified )(\S+) location constraint)?/,
    cause: "ENDPOINT",
    sentence: "The bucket lives in another region{ ($1)} than the endpoint of the URL.",
    fix: "Sign for the bucket's region, with its regional endpoint.",
  },
  { code: /^AccessForbidden$/, says: /^CORSResponse/i, ...CORS },
  { code: /^CORSResponse|CorsPreflightFailure/i, ...CORS },
  {
    says: /^(?=.*KMS).*require AWS Signature Version 4/is,
    cause: "LEGACY_SIGNATURE",
    sentence: "An object encrypted with a KMS key cannot be read with Signature Version 2.",
    fix: SIGN_V4.fix,
  },
  { says: /Please use AWS4-HMAC-SHA256|require AWS Signature Version 4/i, cause: "LEGACY_SIGNATURE", ...SIGN_V4 },
  {
    says: /only one auth mechanism/i,
    cause: "AMBIGUOUS_AUTHENTICATION",
    sentence: "The request carries an Authorization header beside the signed URL.",
    fix: "Send the URL without any Authorization header (check the HTTP client's defaults).",
  },
  {
    says: /unsupported header '?([\w-]{1,100})|^Header '([\w-]{1,100})' with value .* not implemented/i,
    cause: "HEADER",
    sentence: "The server takes no header {$1|$2}, or not with this value: the signature is not the problem.",
    fix: 'Sign without it; a checksum header comes from an AWS SDK (set requestChecksumCalculation: "WHEN_REQUIRED").',
  },
  { code: /^(?:BadDigest|InvalidDigest|XAmzContentChecksumMismatch|XAmzContentSHA256Mismatch)$/, ...CHECKSUM },
  { code: /^InvalidRequest$/, says: /checksum/i, ...CHECKSUM },
  {
    says: /This date is not the same as X-Amz-Date/i,
    cause: "DATE",
    sentence: "The date in the URL's credential scope does not match its signing time.",
    fix: "Derive the scope date and X-Amz-Date from the same instant, in UTC.",
  },
  {
    code: /^(?:AuthorizationQueryParametersError|AuthorizationHeaderMalformed)$/,
    cause: "MALFORMED",
    sentence: "The server cannot read the signature{: $Message}",
    fix: "Pass the URL on as it was made.",
  },
  {
    code: /^MethodNotAllowed$/,
    cause: "METHOD",
    sentence: "The server does not allow this method on this resource, whatever is signed.",
    fix: "Send the method that the URL was made for; check that the path is the object's.",
  },
  { code: /^EntityTooLarge$/, ...otherSize("larger") },
  { code: /^EntityTooSmall$/, ...otherSize("smaller") },
  {
    says: /Missing required header for this request: ([\w-]{1,100})/i,
    cause: "HEADER",
    sentence: "The request lacks the header $1, which the server requires.",
    fix: "Send $1.",
  },
  { code: /^IncompleteBody$/, ...SHORT_BODY },
  { code: /^RequestTimeout$/, says: /connection to the server was not read/, ...SHORT_BODY },
  { code: /^MissingContentLength$/, ...NO_LENGTH },
  {
    ...NO_LENGTH,
    code: /^NotImplemented$/,
    says: /^transfer-encoding$/im,
    sentence: "The upload has no Content-Length: it is sent in chunks.",
  },
  {
    // Some of these codes are MinIO's and Azure's.
    code: /^(?:SlowDown\w*|ServiceUnavailable|Busy|ServerBusy|ThrottlingException|TooManyRequests(?:Exception)?|RequestLimitExceeded|QpsLimitExceeded|\w*DownloadTrafficRateLimitExceeded|XMinioServerNotInitialized)$/,
    ...BUSY,
  },
  {
    code: /^(?:InternalError|InternalServerError|InternalFailure|OperationTimedOut)$/,
    cause: "SERVER",
    sentence: "The server failed: this says nothing about the URL.",
    fix: "Retry until the URL expires; then ask the operator of the server.",
  },
  {
    code: /^InvalidSecurity$/,
    cause: "UNKNOWN_KEY",
    sentence:
      "The server does not accept the signing credentials: the key is unknown to it, was deleted or is inactive.",
    fix: "Sign with an active key of this server; another provider's key does not work.",
  },
  {
    code: /^AccessControlListNotSupported$/,
    cause: "HEADER",
    sentence: "The bucket has ACLs disabled (its owner owns every object), and the upload sends one.",
    fix: "Sign without x-amz-acl and x-amz-grant-*; give others access with the bucket policy.",
  },
  {
    code: /^InvalidObjectState$/,
    cause: "SERVER",
    sentence:
      "The signature was accepted; the object is archived{ ($StorageClass)}, and cannot be read before it is restored.",
    fix: "Restore it (RestoreObject), and sign again when that is done.",
  },
  {
    code: /^PreconditionFailed$/,
    says: /enclosure-type/i,
    cause: "SERVER",
    sentence:
      "The server reads a POST as a form (multipart/form-data), and this is not one: send a URL with the method that it was signed for.",
    fix: "Send the method that was signed (PUT for most uploads).",
  },
  {
    code: /^(?:PreconditionFailed|ConditionalRequestConflict)$/,
    cause: "SERVER",
    sentence:
      "The signature was accepted; a condition of the request is not met: with If-None-Match: * the object must not exist, with If-Match it must have the given ETag.",
    fix: "Check whether the object exists already, and send another condition, or none if none is signed.",
  },
  { code: /^InvalidRange$/, ...BEHIND_END },
  {
    code: /^NoSuchUpload$/,
    cause: "NOT_FOUND",
    sentence:
      "The signature was accepted; the multipart upload does not exist: it was completed or aborted, or its uploadId is wrong.",
    fix: "Start a new upload (CreateMultipartUpload), and sign its parts with the new id.",
  },
  {
    code: /^NoSuch(?:Key|Bucket|Version)$/,
    cause: "NOT_FOUND",
    sentence: "The signature was accepted; the object or bucket does not exist.",
    fix: "Check the spelling of the key (encoding, leading slash), the bucket and the version.",
  },
  {
    code: /^AccessDenied$/,
    cause: "PERMISSION",
    isGuess: true,
    sentence: "The signature was accepted; the signing key does not have permission for this.",
    fix: "Give the signing identity the permission (if it may not list, a missing object is AccessDenied, too).",
  },
];
