import { describeErrorCode, type ErrorCode, errorCodes } from "../../core/errors.ts";
import type { CauseCode } from "../explanation.ts";

type Row = readonly [code: CauseCode, sentence: string, fix: string];

const NEW_BODY = "Send the body that the URL was made for, or ask for a URL for this one.";

/**
 * The meaning of each code of a Daypass server. A new code does not compile until it has a row; `undefined` marks the codes
 * that no request can cause. For a mismatch, key and request decide.
 */
const ROWS: Readonly<Record<ErrorCode, Row | undefined>> = {
  INVALID_INPUT: undefined,
  INVALID_KEY: undefined,
  INVALID_EXPIRY: undefined,
  DOT_SEGMENTS: undefined,
  UNSUPPORTED_CONSTRAINT: undefined,
  CREDENTIALS_EXPIRE_FIRST: undefined,
  CREDENTIALS_NOT_READY: undefined,
  MALFORMED: [
    "MALFORMED",
    "The server cannot read the request: a parameter is missing, repeated or malformed.",
    "Pass the URL on byte for byte as it was made; quote it in a shell.",
  ],
  NO_SIGNATURE: [
    "MALFORMED",
    "The server found no signature in the request: the query was cut off or renamed in transit, or the server does not read this scheme.",
    "Send the whole URL, quoted in a shell; look for a proxy that drops the query; add the scheme's verifier to the server.",
  ],
  AMBIGUOUS_AUTHENTICATION: [
    "AMBIGUOUS_AUTHENTICATION",
    "The request is signed in two ways: it carries an Authorization header, or another scheme's parameters, beside the signed URL.",
    "Send the URL without any Authorization header (check the HTTP client's defaults).",
  ],
  WRONG_ORIGIN: [
    "HOST",
    "The server was reached under a name that is not among its verifier's origins.",
    "Add the origin that clients use to origins, or let proxies pass Host on unchanged.",
  ],
  UNKNOWN_KEY: [
    "UNKNOWN_KEY",
    "The server does not know the key that signed.",
    "Sign with a key of this server, or give the server the key; after a rotation keep the old key until its last URL has expired.",
  ],
  WRONG_SCOPE: [
    "REGION",
    "The signature was made for another region, service or kind of resource than the server's.",
    "Sign for the server's region and service.",
  ],
  SIGNATURE_MISMATCH: [
    "WRONG_SECRET",
    "The server says that the signature does not match, or that it does not know the key: the URL was changed, was sent to the server under another name, or was signed with a different secret.",
    "Run explain again with the key, and with what was sent (method, headers, URL).",
  ],
  INVALID_TOKEN: [
    "INVALID_TOKEN",
    "The session token does not belong to the key that signed, or was cut off.",
    "Use access key, secret and session token from one set of credentials.",
  ],
  EXPIRED_TOKEN: [
    "EXPIRED_TOKEN",
    "The session token has expired, and the URL with it, whatever the URL's own expiry says.",
    "Sign with fresh credentials; for a longer lifetime use credentials that last longer.",
  ],
  UNSIGNED_HEADER: [
    "UNSIGNED_HEADER",
    "The request carries a header that must be signed and was not.",
    "Leave it out, or sign it with the URL.",
  ],
  UNSIGNED_PARAMETER: [
    "UNSIGNED_PARAMETER",
    "The request has a query parameter that the signature does not cover.",
    "Leave it out, sign it with the URL, or name it in the verifier's allowUnsigned if it is harmless.",
  ],
  KEY_SCOPE: [
    "PERMISSION",
    "The signature was accepted; the key that signed may not grant this.",
    "Sign with a key whose scope covers the origin, path, method and lifetime, or ask for less.",
  ],
  EXPIRED: ["EXPIRED", "The URL has expired.", "Ask for a new URL."],
  NOT_YET_VALID: [
    "CLOCK",
    "The URL is dated in the future by the server's clock.",
    "Wait until it starts, or set the signer's clock (NTP).",
  ],
  CLOCK_SKEW: ["CLOCK", "The signer's clock and the server's are too far apart.", "Set the signer's clock (NTP)."],
  METHOD_NOT_GRANTED: [
    "METHOD",
    "The signature was accepted; the URL is not for the method that was sent.",
    "Send a method that the URL grants, or sign for this one.",
  ],
  WRONG_AUDIENCE: [
    "AUDIENCE",
    "The signature was accepted; the URL was signed for a different audience than the server's, or for none.",
    "Sign with the audience of the server that the URL is used at.",
  ],
  WRONG_SUBJECT: [
    "SUBJECT",
    "The signature was accepted; the URL is for one subject, and the sender is a different one or has not proved who it is.",
    "Sign in as the subject; the server hands proof.subject to verify.",
  ],
  IP_NOT_GRANTED: [
    "IP",
    "The signature was accepted; the request came from an address that the URL is not for.",
    "Use it from an allowed network; behind a proxy, configure the trusted hop so that the server sees the client's address.",
  ],
  USES_SPENT: [
    "CONSTRAINT",
    "The signature was accepted; the URL was used as often as it allows.",
    "Sign a new URL, or one with more uses.",
  ],
  UNENFORCED_CONSTRAINT: [
    "CONSTRAINT",
    "The signature was accepted; the URL has a constraint that the server does not declare to enforce, so the server refuses it.",
    "Enforce it in the server and list it in enforces, or sign without it.",
  ],
  UNSUPPORTED_PAYLOAD: [
    "PAYLOAD",
    "The signature was accepted; the body is sent in an encoding that the server does not read.",
    "Send it in one piece, with its SHA-256 or UNSIGNED-PAYLOAD.",
  ],
  POLICY_NOT_MET: [
    "POLICY",
    "The signature was accepted; what was sent does not meet the policy that was signed.",
    "Send the fields of the signed form as they are, before the file.",
  ],
  BODY_LENGTH: ["PAYLOAD", "The signature was accepted; the body is shorter or longer than the URL allows.", NEW_BODY],
  BODY_TYPE: [
    "HEADER",
    "The signature was accepted; the Content-Type is missing or differs from the granted one.",
    "Send the Content-Type that the URL was made for, character for character.",
  ],
  BODY_DIGEST: ["CHECKSUM", "The signature is right; the body does not match the given digest.", NEW_BODY],
};

const known: ReadonlySet<string> = new Set(errorCodes);

/** The row of a code. `undefined` for a foreign code, and if no request can cause it. */
export function daypassRow(code: string): Row | undefined {
  return known.has(code) ? ROWS[code as ErrorCode] : undefined;
}

/** Whether the text of an answer differs from the code's description. */
export function isOwnText(code: string, text: string): boolean {
  return text !== "" && !(known.has(code) && describeErrorCode(code as ErrorCode) === text);
}
