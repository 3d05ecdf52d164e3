import type { ServerError } from "../error-body.ts";
import type { Cause, CauseCode } from "../explanation.ts";
import { daypassRow, isOwnText } from "./daypass-cause.ts";
import { storeCause } from "./store-words.ts";

/** What the server's code alone says of what was signed. `undefined` for a mismatch, and where the code tells nothing. */
export function serverCause(error: ServerError, now: Date, signed = "URL"): Cause | undefined {
  const { code, message, fields } = error;
  const evidence = [`The server says ${code}${message === "" ? "" : `: ${message}`}`];
  const cause = (name: CauseCode, sentence: string, fix: string): Cause => ({ code: name, sentence, evidence, fix });
  const own = daypassRow(code);
  // Its end and its clock are told below.
  if (own !== undefined && code !== "EXPIRED" && !isMismatch(error)) {
    const [name, sentence, fix] = own;
    const text = isOwnText(code, message) ? `${sentence.replace(/\.$/, "")}: ${message.replace(/\.$/, "")}.` : sentence;
    return cause(name, text.replace(/\bURL\b/g, signed), fix);
  }
  const inItsWords = storeCause(error, signed);
  if (inItsWords !== undefined) return inItsWords;
  const region = expectedRegion(error);
  if (/Request has expired/i.test(message) || code === "EXPIRED") return expired(fields, { now, evidence, signed });
  if (/not valid yet|not yet valid/i.test(message)) {
    return cause(
      "CLOCK",
      `The ${signed} is dated in the future by the server's clock.`,
      "Set the signer's clock (NTP).",
    );
  }
  if (code === "RequestTimeTooSkewed") {
    const sent = fields.get("RequestTime");
    const server = fields.get("ServerTime");
    return cause(
      "CLOCK",
      `The signer's clock and the server's are too far apart${sent === undefined || server === undefined ? "" : ` (${sent} and ${server})`}.`,
      "Set the signer's clock (NTP).",
    );
  }
  if (/headers present in the request which were not signed/i.test(message)) {
    const names = fields.get("HeadersNotSigned");
    return cause(
      "UNSIGNED_HEADER",
      `The request carries x-amz-* headers that were not signed${names === undefined ? "" : `: ${names}`}.`,
      "Leave them out, or sign them with the URL.",
    );
  }
  if (code === "InvalidAccessKeyId") {
    return cause(
      "UNKNOWN_KEY",
      "The server does not know the access key that signed.",
      "Sign with a key of this server; a temporary key also needs its session token.",
    );
  }
  const same = daypassRow(SAME_AS[code] ?? "");
  if (same !== undefined) return cause(same[0], same[1].replace(/\bURL\b/g, signed), same[2]);
  if (region !== undefined) {
    return cause(
      "REGION",
      `The ${signed} was signed for another region; the server expects ${region}.`,
      `Sign for ${region}.`,
    );
  }
  if (code === "PermanentRedirect" || code === "TemporaryRedirect") {
    const endpoint = fields.get("Endpoint");
    return cause(
      "ENDPOINT",
      `The bucket lives at another endpoint${endpoint === undefined ? "" : ` (${endpoint})`}, and a redirect breaks the signature of the host.`,
      "Sign with the bucket's regional endpoint.",
    );
  }
  if (code === "IllegalLocationConstraintException") {
    const [, here] = /^The (\S+) location constraint/.exec(message) ?? [];
    return cause(
      "ENDPOINT",
      `The bucket lives in another region${here === undefined || here === "unspecified" ? "" : ` (${here})`} than the endpoint to which the ${signed} goes.`,
      "Sign for the bucket's region, with its regional endpoint.",
    );
  }
  if (/^CORSResponse|CorsPreflightFailure/i.test(`${code === "AccessForbidden" ? "" : code}${message}`)) {
    return cause(
      "CORS",
      "The bucket's CORS rules do not let this page do this: a preflight is answered from them alone, and no signature helps.",
      "Set a CORS rule with the page's origin, the method and the headers that it sends.",
    );
  }
  if (/Please use AWS4-HMAC-SHA256|require AWS Signature Version 4/i.test(message)) {
    return cause(
      "LEGACY_SIGNATURE",
      /KMS/.test(message)
        ? "An object under a KMS key cannot be had with Signature Version 2."
        : "The server does not accept Signature Version 2.",
      "Sign with Signature Version 4.",
    );
  }
  if (/only one auth mechanism/i.test(message)) {
    return cause(
      "AMBIGUOUS_AUTHENTICATION",
      "The request carries an Authorization header beside the signed URL.",
      "Send the URL without any Authorization header (look at the HTTP client's defaults).",
    );
  }
  const refused = /unsupported header '?([\w-]{1,100})/i.exec(message)?.[1];
  if (refused !== undefined) {
    return cause(
      "HEADER",
      `The server takes no header ${refused}, whatever its value and the signature.`,
      `Sign without it${/checksum/i.test(refused) ? ` (requestChecksumCalculation: "WHEN_REQUIRED" in an AWS SDK)` : ""}.`,
    );
  }
  if (
    /^(?:BadDigest|InvalidDigest|XAmzContentChecksumMismatch|XAmzContentSHA256Mismatch)$/.test(code) ||
    (code === "InvalidRequest" && /checksum/i.test(message))
  ) {
    return cause(
      "CHECKSUM",
      "The signature is right; the body is not the one whose digest was given.",
      "Send the body that was signed, or sign without a checksum.",
    );
  }
  if (/This date is not the same as X-Amz-Date/i.test(message)) {
    return cause(
      "DATE",
      `The date in the scope of the ${signed} is not that of its signing time.`,
      "Take scope date and X-Amz-Date from one instant, in UTC.",
    );
  }
  if (code === "AuthorizationQueryParametersError" || code === "AuthorizationHeaderMalformed") {
    return cause(
      "MALFORMED",
      `The server cannot read the signature: ${message}`,
      `Pass the ${signed} on as it was made.`,
    );
  }
  if (code === "MethodNotAllowed") {
    return cause(
      "METHOD",
      "The server takes no such method on this resource, whatever is signed.",
      `Send the method that the ${signed} was made for; look whether the path is that of the object.`,
    );
  }
  if (code === "EntityTooLarge" || code === "EntityTooSmall") {
    const side = code === "EntityTooLarge" ? "longer" : "shorter";
    return cause(
      "PAYLOAD",
      `The body is ${side} than the server takes in one upload.`,
      "Upload in parts, or another body.",
    );
  }
  const needed = /Missing required header for this request: ([\w-]{1,100})/i.exec(message)?.[1];
  if (needed !== undefined) {
    return cause("HEADER", `The request lacks the header ${needed}, which the server asks for.`, `Send ${needed}.`);
  }
  if (
    code === "IncompleteBody" ||
    (code === "RequestTimeout" && /connection to the server was not read/.test(message))
  ) {
    return cause(
      "PAYLOAD",
      "The signature is right; the body ended before it had the length that was announced (Content-Length).",
      "Send the whole body, with its own length; look for a client or proxy that broke the upload off.",
    );
  }
  const isChunked = code === "NotImplemented" && /^transfer-encoding$/i.test(fields.get("Header") ?? "");
  if (code === "MissingContentLength" || isChunked) {
    return cause(
      "HEADER",
      `The upload does not tell its length (Content-Length)${isChunked ? ": it is sent in chunks" : ""}.`,
      "Send a body of known length, not a stream.",
    );
  }
  if (code === "NoSuchKey" || code === "NoSuchBucket" || code === "NoSuchVersion") {
    return cause(
      "NOT_FOUND",
      "The signature was accepted; the object or bucket is not there.",
      "Look at the key's spelling (encoding, leading slash), the bucket and the version.",
    );
  }
  if (code === "AccessDenied") {
    return cause(
      "PERMISSION",
      "The signature was accepted; the key that signed may not do this.",
      "Give the signing identity the permission (where it may not list, a missing object is AccessDenied, too).",
    );
  }
  return undefined;
}

/** The region that the server names as its own, where it complains of the one that was signed. */
function expectedRegion({ message, fields }: ServerError): string | undefined {
  const [, signed, expected] = SCOPES.exec(message) ?? [];
  const region = expected ?? fields.get("Region") ?? /expecting ['"]([a-z0-9-]+)['"]/.exec(message)?.[1];
  // Where both scopes have one region, date or service differ.
  const isSaid = signed === undefined ? /region/i.test(message) : signed !== region;
  return isSaid ? region : undefined;
}

/** Garage's words, with the region of each scope. */
const SCOPES = /unexpected scope:? *['"]?\d+\/([^/]+)\/(?:.*expected:? *['"]?\d+\/([^/]+)\/)?/i;

/** Codes of stores that say just what one of ours does. */
const SAME_AS: Readonly<Record<string, string>> = {
  ExpiredToken: "EXPIRED_TOKEN",
  InvalidToken: "INVALID_TOKEN",
  TokenRefreshRequired: "EXPIRED_TOKEN",
  // Alibaba's.
  SecurityTokenExpired: "EXPIRED_TOKEN",
  InvalidSecurityToken: "INVALID_TOKEN",
};

/**
 * Whether servers give this answer for everything that they refuse: an end that has passed, another address and a missing
 * permission alike. What the URL itself shows is then the better answer.
 */
export function isVague(error: ServerError): boolean {
  const { code, message, fields } = error;
  if (
    storeCause(error, "URL") !== undefined ||
    !/^(?:AccessDenied|Forbidden|AuthenticationFailed|AuthorizationFailure)$/.test(code)
  )
    return false;
  const said = [message, fields.get("Details") ?? "", fields.get("AuthenticationErrorDetail") ?? ""].join("\n").trim();
  return !/expired|not valid yet|not yet valid|not signed|does not have|anonymous|not authorized to|policy|Start \[/i.test(
    said,
  );
}

/** What a mismatch of a Daypass server says, where nothing shows more. */
export function mismatchCause(): Cause {
  const [code, sentence, fix] = daypassRow("SIGNATURE_MISMATCH") as NonNullable<ReturnType<typeof daypassRow>>;
  return { code, sentence, evidence: [], fix };
}

/** What is left to say where neither what was signed nor the table explains the answer: what the server says. */
export function otherCause({ code, message }: ServerError, signed = "URL"): Cause {
  const text = message === "" ? code : `${code}: ${message}`;
  return {
    code: "SERVER",
    sentence: `The server says ${text.replace(/\.$/, "")}; nothing that is wrong with the ${signed} explains it.`,
    evidence: [],
    fix: "Look the code up in the server's documentation: it does not complain of the signature.",
  };
}

const FIVE_MINUTES = 300_000;

interface Ended {
  readonly now: Date;
  readonly evidence: readonly string[];
  readonly signed: string;
}

function expired(fields: ReadonlyMap<string, string>, { now, evidence, signed }: Ended): Cause {
  const server = new Date(fields.get("ServerTime") ?? Number.NaN);
  const end = fields.get("Expires");
  const skew = server.getTime() - now.getTime();
  if (Math.abs(skew) > FIVE_MINUTES && end !== undefined && new Date(end).getTime() > now.getTime()) {
    return {
      code: "CLOCK",
      sentence: `The ${signed} has ended by the server's clock (${server.toISOString()}) and not by this one (${now.toISOString()}).`,
      evidence,
      fix: "Set the clocks (NTP).",
    };
  }
  return {
    code: "EXPIRED",
    sentence: `The ${signed} has expired${end === undefined ? "" : `: it ended at ${end}`}.`,
    evidence,
    fix: `Ask for a new ${signed}.`,
  };
}

/** Whether the server says that the signature does not fit the request. */
export function isMismatch({ code, message }: ServerError): boolean {
  // Garage's words: "Forbidden: Invalid signature".
  const isDenied = code === "AccessDenied" && /invalid signature/i.test(message);
  return isDenied || code === "SignatureDoesNotMatch" || code === "SIGNATURE_MISMATCH";
}
