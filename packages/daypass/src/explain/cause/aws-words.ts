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
      `The URL has ended by the server's clock: it was signed at ${signed}, before ${earliest}.`,
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
        ? "The URL was signed for another region than the server's."
        : `The URL was signed for the region ${region}, and the server is in another.`,
    "Sign for the region that stands in the server's name.",
  ],
  [
    SIGNATURE,
    /scoped to correct service: '([\w-]{0,64})'/i,
    "SERVICE",
    ([, service]) => `The URL was signed for another service; the server expects ${service}.`,
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
    "The server took the request for one that nobody signed, and its policy lets no stranger in.",
    "See to it that what is called asks for a signature (API Gateway: the authorization AWS_IAM), and that the query arrives as it was signed.",
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
        ? `Allow it in the ${missing}, and look whether another policy (of the bucket, of the key of encryption, of what is called) denies it.`
        : `Look for the statement in the ${denying} that denies it: no permission of the signing identity outweighs one.`,
  ],
  [
    DENIED,
    /not authorized to access this resource/i,
    "PERMISSION",
    "An authorizer of the API's own refuses the request: where there is one, AWS looks at no signature.",
    "See what that authorizer asks for: the signature counts for routes whose authorization is AWS_IAM alone.",
  ],
];
