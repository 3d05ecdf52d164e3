import { serverCause } from "../cause/server-cause.ts";
import type { ServerError } from "../error-body.ts";
import type { Cause, CauseCode } from "../explanation.ts";

/**
 * What the code of a Cloud Storage answer says. Google has S3's codes with other meanings: `ExpiredToken` is an expired URL,
 * and the reason stands in `Details`.
 *
 * Source: https://cloud.google.com/storage/docs/xml-api/reference-status
 */
export function gcsCause(error: ServerError, now: Date): Cause | undefined {
  const { code, message, fields } = error;
  const details = fields.get("Details") ?? message;
  const said = saidCause(code, details, fields.get("ParameterName"));
  if (said === undefined) return serverCause(error, now);
  const [name, sentence, fix] = said;
  const evidence = [`The server says ${code}${details === "" ? "" : `: ${details}`}`];
  return { code: name, sentence, evidence, fix };
}

type Said = readonly [code: CauseCode, sentence: string, fix: string];

const LENGTH: Said = [
  "PAYLOAD",
  "The signature is right; the length of the body is outside x-goog-content-length-range.",
  "Send a body within the signed range, or sign another range.",
];

/** Codes that say all by themselves. */
const BY_CODE: Readonly<Partial<Record<string, Said>>> = {
  UserProjectMissing: [
    "PERMISSION",
    "The bucket is Requester Pays, and the URL names no project.",
    "Sign with the query parameter userProject.",
  ],
  EntityTooLarge: LENGTH,
  EntityTooSmall: LENGTH,
  ExcessHeaderValues: [
    "UNSIGNED_HEADER",
    "The request mixes x-amz-* and x-goog-* headers, which Cloud Storage refuses.",
    "Send x-goog-* headers only.",
  ],
  UNSIGNED_HEADER: [
    "UNSIGNED_HEADER",
    "The request carries x-goog-* or x-amz-* headers that were not signed.",
    "Leave them out, or sign them with the URL.",
  ],
  InvalidSecurity: [
    "UNKNOWN_KEY",
    "The server does not accept the signing credentials: the key is unknown to it, was deleted or is inactive.",
    "Check that the key and its account are still active, or sign with a key that is.",
  ],
};

function saidCause(code: string, details: string, parameter: string | undefined): Said | undefined {
  switch (code) {
    case "ExpiredToken":
      return expired(details);
    case "AccessDenied":
      return denied(details);
    case "MalformedSecurityHeader":
    case "InvalidArgument":
      return unreadArgument(details, parameter);
    case "MissingSecurityHeader":
    case "InvalidQueryParameterValue":
      return unread(details);
    default:
      return Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
  }
}

function expired(details: string): Said {
  const end = new Date(/expired at: ?(\S+)/.exec(details)?.[1] ?? Number.NaN);
  const at = Number.isNaN(end.getTime()) ? "" : `: it was valid until ${end.toISOString()}`;
  return ["EXPIRED", `The URL has expired${at}.`, "Ask for a new URL."];
}

function denied(details: string): Said {
  if (/anonymous caller/i.test(details)) {
    return [
      "MALFORMED",
      "Google treated the request as unsigned: the query was cut off or renamed in transit.",
      "Pass the URL on byte for byte as it was made; quote it in a shell.",
    ];
  }
  return [
    "PERMISSION",
    `The signature was accepted; the signing account does not have permission for this (${details}).`,
    "Give the account the permission (a missing object is also AccessDenied without storage.objects.list).",
  ];
}

function unreadArgument(details: string, name: string | undefined): Said {
  if (/included in signedheaders, but not in the request/i.test(details)) {
    return [
      "HEADER",
      `The URL was signed with ${name === undefined ? "a header" : `the header ${name}`}, which was not sent.`,
      `Send ${name ?? "the signed headers"} with exactly the value that was signed.`,
    ];
  }
  if (/Signature was not base64 encoded/i.test(details)) {
    return [
      "SIGNATURE",
      "The signature was damaged in transit: it is no longer valid base64.",
      "Pass the URL on byte for byte as it was made: a + in the signature travels as %2B.",
    ];
  }
  return unread(details);
}

function unread(details: string): Said {
  return ["MALFORMED", `The server cannot read the request: ${details}`, "Pass the URL on as it was made."];
}
