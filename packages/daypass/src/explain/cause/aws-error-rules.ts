import type { AnswerRow } from "./answer-rows.ts";

// The latter of those that answer in XML.
const SIGNATURE = /^(?:InvalidSignatureException|SignatureDoesNotMatch)$/;
// The code of an exception is read as that of S3.
const DENIED = /^AccessDenied(?:Exception)?$/;

/**
 * The answers that AWS's services other than S3 give in JSON or XML, S3 where it names the policy, and API Gateway for each API whose routes ask for a signature. Known by use: no
 * page of Amazon's lists them.
 */
export const AWS_ROWS: readonly AnswerRow[] = [
  [
    SIGNATURE,
    /Signature expired: (\d{8}T\d{6}Z) is now earlier than (\d{8}T\d{6}Z)/i,
    "EXPIRED",
    ([, signed, earliest]) =>
      `The URL has expired by the server's clock: it was signed at ${signed}, before ${earliest}.`,
    "Ask for a new URL; if this one is new, set the signer's clock (NTP).",
  ],
  [
    SIGNATURE,
    /Signature not yet current: /i,
    "CLOCK",
    "The URL is dated in the future by the server's clock.",
    "Set the signer's clock (NTP).",
  ],
  [
    SIGNATURE,
    /scoped to a valid region(?:, not '([\w-]{0,64})')?/i,
    "REGION",
    ([, region]) =>
      region === undefined
        ? "The URL was signed for a different region than the server's."
        : `The URL was signed for the region ${region}, and the server is in another.`,
    "Sign for the region in the server's host name.",
  ],
  [
    SIGNATURE,
    /scoped to correct service: '([\w-]{0,64})'/i,
    "SERVICE",
    ([, service]) => `The URL was signed for the wrong service; the server expects ${service}.`,
    ([, service]) => `Sign for the service ${service}.`,
  ],
  [
    /^(?:UnrecognizedClientException|InvalidClientTokenId)$/,
    /^/,
    "UNKNOWN_KEY",
    "The server does not know the access key that signed, or not with this session token.",
    "Sign with an active key; a temporary key also needs its own session token.",
  ],
  [
    DENIED,
    /User: anonymous is not authorized/i,
    "PERMISSION",
    "The server treated the request as unsigned, and its policy does not allow anonymous access.",
    "Make sure that the service asks for a signature (API Gateway: the authorization AWS_IAM), and that the query arrives as it was signed.",
  ],
  [
    DENIED,
    // S3 says which policy it is, too.
    /not authorized to perform: ([a-z0-9-]{1,64}:\w{1,64})?(?:.{0,2000}?(?:(explicit deny)(?: in an? ([a-z -]{1,60}(?:policy|boundary)))?|because no ([a-z -]{1,60}(?:policy|boundary)) allows))?/is,
    "PERMISSION",
    ([, action = "do this", denied, denying = "policy", missing]) =>
      `The signature was accepted; the key that signed may not ${action}${denied !== undefined ? `, as a ${denying} denies it in so many words` : missing !== undefined ? `, as no ${missing} allows it` : ""}.`,
    ([, , denied, denying = "policy", missing = "policy of the signing identity"]) =>
      denied === undefined
        ? `Allow it in the ${missing}, and check whether another policy (of the bucket, of the encryption key, of the called resource) denies it.`
        : `Find the statement in the ${denying} that denies it: an explicit deny outweighs every permission of the signing identity.`,
  ],
  [
    DENIED,
    /not authorized to access this resource/i,
    "PERMISSION",
    "The API's own authorizer refuses the request: where there is one, AWS does not check the signature.",
    "Check what that authorizer asks for: the signature counts only for routes whose authorization is AWS_IAM.",
  ],
];
