import { type AnswerRule, ruleCause } from "../cause/answer-rules.ts";
import { serverCause } from "../cause/server-cause.ts";
import type { ServerError } from "../error-body.ts";
import type { Cause } from "../explanation.ts";

const LENGTH = {
  cause: "PAYLOAD",
  sentence: "The signature is right; the length of the body is outside x-goog-content-length-range.",
  fix: "Send a body within the signed range, or sign another range.",
} as const;
const ARGUMENT = /^(?:MalformedSecurityHeader|InvalidArgument)$/;

const RULES: readonly AnswerRule[] = [
  {
    code: /^UserProjectMissing$/,
    cause: "PERMISSION",
    sentence: "The bucket is Requester Pays, and the URL names no project.",
    fix: "Sign with the query parameter userProject.",
  },
  { code: /^EntityToo(?:Large|Small)$/, ...LENGTH },
  {
    code: /^ExcessHeaderValues$/,
    cause: "UNSIGNED_HEADER",
    sentence: "The request mixes x-amz-* and x-goog-* headers, which Cloud Storage refuses.",
    fix: "Send x-goog-* headers only.",
  },
  {
    code: /^UNSIGNED_HEADER$/,
    cause: "UNSIGNED_HEADER",
    sentence: "The request carries x-goog-* or x-amz-* headers that were not signed.",
    fix: "Leave them out, or sign them with the URL.",
  },
  {
    code: /^InvalidSecurity$/,
    cause: "UNKNOWN_KEY",
    sentence:
      "The server does not accept the signing credentials: the key is unknown to it, was deleted or is inactive.",
    fix: "Check that the key and its account are still active, or sign with a key that is.",
  },
  {
    code: /^ExpiredToken$/,
    cause: "EXPIRED",
    sentence: "The URL has expired{: it was valid until $End|}.",
    fix: "Ask for a new URL.",
  },
  {
    code: /^AccessDenied$/,
    says: /anonymous caller/i,
    cause: "MALFORMED",
    sentence: "Google treated the request as unsigned: the query was cut off or renamed in transit.",
    fix: "Pass the URL on byte for byte as it was made; quote it in a shell.",
  },
  {
    code: /^AccessDenied$/,
    cause: "PERMISSION",
    isGuess: true,
    sentence: "The signature was accepted; the signing account does not have permission for this{ ($Details)|}.",
    fix: "Give the account the permission (a missing object is also AccessDenied without storage.objects.list).",
  },
  {
    code: ARGUMENT,
    says: /included in signedheaders, but not in the request/i,
    cause: "HEADER",
    sentence: "The URL was signed with {the header $ParameterName|a header}, which was not sent.",
    fix: "Send {$ParameterName|the signed headers} with exactly the value that was signed.",
  },
  {
    code: ARGUMENT,
    says: /Signature was not base64 encoded/i,
    cause: "SIGNATURE",
    sentence: "The signature was damaged in transit: it is no longer valid base64.",
    fix: "Pass the URL on byte for byte as it was made: a + in the signature travels as %2B.",
  },
  {
    code: /^(?:MalformedSecurityHeader|InvalidArgument|MissingSecurityHeader|InvalidQueryParameterValue)$/,
    says: /(.*)/s,
    cause: "MALFORMED",
    sentence: "The server cannot read the request: $1",
    fix: "Pass the URL on as it was made.",
  },
];

/**
 * The meaning of a Cloud Storage answer. Google uses S3's codes with other meanings: `ExpiredToken` is an expired URL. The reason is
 * in `Details`.
 *
 * Source: https://cloud.google.com/storage/docs/xml-api/reference-status
 */
export function gcsCause(error: ServerError, now: Date): Cause | undefined {
  const { code, fields } = error;
  const message = fields.get("Details") ?? error.message;
  const end = new Date(/expired at: ?(\S+)/.exec(message)?.[1] ?? Number.NaN);
  const more = [
    ...(message === "" ? [] : [["Details", message] as const]),
    ...(Number.isNaN(end.getTime()) ? [] : [["End", end.toISOString()] as const]),
  ];
  return ruleCause(RULES, { code, message, fields: new Map([...fields, ...more]) }, "URL") ?? serverCause(error, now);
}
