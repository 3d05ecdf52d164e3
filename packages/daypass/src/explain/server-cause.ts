import type { ServerError } from "./error-body.ts";
import type { Cause, CauseCode } from "./explanation.ts";

/** What the server's code alone says of what was signed. `undefined` for a mismatch, and where the code tells nothing. */
export function serverCause(error: ServerError, now: Date, signed = "URL"): Cause | undefined {
  const { code, message, fields } = error;
  const evidence = [`The server says ${code}${message === "" ? "" : `: ${message}`}`];
  const cause = (name: CauseCode, sentence: string, fix: string): Cause => ({ code: name, sentence, evidence, fix });
  const region = fields.get("Region") ?? /expecting '([a-z0-9-]+)'/.exec(message)?.[1];

  if (/Request has expired|^EXPIRED$/i.test(`${message}\n${code}`) || code === "EXPIRED")
    return expired(fields, { now, evidence, signed });
  if (/not valid yet|not yet valid/i.test(message) || code === "NOT_YET_VALID") {
    return cause(
      "CLOCK",
      `The ${signed} is dated in the future by the server's clock.`,
      "Set the signer's clock (NTP).",
    );
  }
  if (code === "RequestTimeTooSkewed" || code === "CLOCK_SKEW") {
    const sent = fields.get("RequestTime");
    const server = fields.get("ServerTime");
    return cause(
      "CLOCK",
      `The signer's clock and the server's are too far apart${sent === undefined || server === undefined ? "" : ` (${sent} and ${server})`}.`,
      "Set the signer's clock (NTP).",
    );
  }
  if (/headers present in the request which were not signed/i.test(message) || code === "UNSIGNED_HEADER") {
    const names = fields.get("HeadersNotSigned");
    return cause(
      "UNSIGNED_HEADER",
      `The request carries x-amz-* headers that were not signed${names === undefined ? "" : `: ${names}`}.`,
      "Leave them out, or sign them with the URL.",
    );
  }
  if (code === "InvalidAccessKeyId" || code === "UNKNOWN_KEY") {
    return cause(
      "UNKNOWN_KEY",
      "The server does not know the access key that signed.",
      "Sign with a key of this server; a temporary key (ASIA…) also needs its session token.",
    );
  }
  if (code === "ExpiredToken" || code === "EXPIRED_TOKEN" || code === "TokenRefreshRequired") {
    return cause(
      "EXPIRED_TOKEN",
      `The session token has expired, and the ${signed} with it, whatever its own expiry says.`,
      "Sign with fresh credentials; for longer lives use credentials that live longer.",
    );
  }
  if (code === "InvalidToken" || code === "INVALID_TOKEN") {
    return cause(
      "INVALID_TOKEN",
      "The session token does not belong to the key that signed, or was cut.",
      "Use the three parts of one set of credentials.",
    );
  }
  if (region !== undefined && /region/i.test(message)) {
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
  if (/Please use AWS4-HMAC-SHA256/i.test(message)) {
    return cause(
      "LEGACY_SIGNATURE",
      "The server does not accept Signature Version 2.",
      "Sign with Signature Version 4.",
    );
  }
  if (/only one auth mechanism/i.test(message) || code === "AMBIGUOUS_AUTHENTICATION") {
    return cause(
      "AMBIGUOUS_AUTHENTICATION",
      "The request carries an Authorization header beside the signed URL.",
      "Send the URL without any Authorization header (look at the HTTP client's defaults).",
    );
  }
  if (/^(?:BadDigest|InvalidDigest|XAmzContentChecksumMismatch|XAmzContentSHA256Mismatch|BODY_DIGEST)$/.test(code)) {
    return cause(
      "CHECKSUM",
      "The signature is right; the body is not the one whose digest was given.",
      "Send the body that was signed, or sign without a checksum.",
    );
  }
  if (code === "AuthorizationQueryParametersError" || code === "MALFORMED" || code === "AuthorizationHeaderMalformed") {
    return cause(
      "MALFORMED",
      `The server cannot read the signature: ${message}`,
      `Pass the ${signed} on as it was made.`,
    );
  }
  if (code === "NoSuchKey" || code === "NoSuchBucket" || code === "NoSuchVersion") {
    return cause(
      "NOT_FOUND",
      "The signature was accepted; the object or bucket is not there.",
      "Look at the key's spelling (encoding, leading slash), the bucket and the version.",
    );
  }
  if (code === "AccessDenied" || code === "KEY_SCOPE") {
    return cause(
      "PERMISSION",
      "The signature was accepted; the key that signed may not do this.",
      "Give the signing identity the permission (a missing object is also AccessDenied without s3:ListBucket).",
    );
  }
  return undefined;
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
export function isMismatch({ code }: ServerError): boolean {
  return code === "SignatureDoesNotMatch" || code === "SIGNATURE_MISMATCH";
}
