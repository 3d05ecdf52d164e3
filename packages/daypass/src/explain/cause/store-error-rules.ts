import type { ServerError } from "../error-body.ts";
import type { Cause } from "../explanation.ts";
import { type AnswerRow, rowCause } from "./answer-rows.ts";

const ANY_BUT_LEGACY = /^(?!.*SigV2)/is;

/**
 * Answers in words that are not Amazon's, or under codes with which Amazon says something else. Seen at R2, Garage (1.x),
 * Alibaba OSS and Backblaze B2, and the gateway's own where S3 has none.
 */
const ROWS: readonly AnswerRow[] = [
  [
    /^Unauthorized$/,
    /SigV2 authorization is not supported/i,
    "LEGACY_SIGNATURE",
    "The server does not accept Signature Version 2.",
    "Sign with Signature Version 4.",
  ],
  [
    // R2's, for a key that it does not know in the account that the host names, or not any more.
    /^Unauthorized$/,
    ANY_BUT_LEGACY,
    "UNKNOWN_KEY",
    "The server does not accept the key that signed: it does not know the key, or the key belongs to another account than the one in the host.",
    "Check that the key is still active and was made for this account: R2 has the account's id in its host.",
  ],
  [/^ExpiredRequest$/, /^/, "EXPIRED", "The URL has expired by the server's clock.", "Ask for a new URL."],
  [
    /^InvalidRegionName$/,
    /Must be one of:? *([a-z0-9-]+(?:, *[a-z0-9-]+)*)/i,
    "REGION",
    ([, regions]) => `The URL was signed for a region that the server does not have; it has ${regions}.`,
    ([, regions = ""]) => `Sign for ${/\bauto\b/.test(regions) ? "auto" : "one of them"}.`,
  ],
  [
    /^InvalidArgument$/,
    /Credential access key has length (\d+), should be (\d+)/i,
    "UNKNOWN_KEY",
    ([, found, wanted]) =>
      `The access key that signed does not belong to this server: its id has ${found} characters, and the server's have ${wanted}.`,
    "Sign with a key of this server; an AWS key does not work at another store.",
  ],
  [
    /^AccessDenied$/,
    /No such key: (\S{1,128})/i,
    "UNKNOWN_KEY",
    "The server does not know the access key that signed.",
    "Sign with a key of this server.",
  ],
  [
    /^InvalidArgument$/,
    /Invalid signing region/i,
    "REGION",
    "The URL was signed for a different region than the bucket's.",
    "Sign for the bucket's own region, without oss- in front.",
  ],
  [
    /^SecondLevelDomainForbidden$/,
    /./,
    "ENDPOINT",
    "The server accepts the bucket in the host only, not as the first segment of the path.",
    "Sign with the bucket in the host (addressing: virtual).",
  ],
  [
    /^UserDisable$/,
    /./,
    "PERMISSION",
    "The bucket's account is suspended: most often a bill is overdue.",
    "Check the account in the provider's console.",
  ],
  [
    /^UnauthorizedAccess$/,
    /not authorized/i,
    "PERMISSION",
    "The key that signed may not use this bucket; or the server saw no signature, as it does not support Signature Version 2.",
    "Sign with Signature Version 4, and with a key that is for this bucket.",
  ],
  [
    /^InvalidArgument$/,
    /Unsupported value for canned acl '?([\w-]{1,40})/i,
    "HEADER",
    ([, acl]) =>
      `The server has no such ACL for an object (x-amz-acl: ${acl}): here a whole bucket is public or private.`,
    "Sign without x-amz-acl.",
  ],
  [
    /^InvalidRequest$/,
    /Date is too old/i,
    "EXPIRED",
    "The URL has expired by the server's clock.",
    "Ask for a new URL.",
  ],
  [
    /^AccessDenied$/,
    /must be addressed using the specified endpoint/i,
    "ENDPOINT",
    (_, fields) =>
      `The bucket lives at another endpoint${fields.has("Endpoint") ? ` (${fields.get("Endpoint")})` : ""} than the one in the URL.`,
    "Sign with the bucket's own endpoint, for its region.",
  ],
  [
    /^InvalidRequest$/,
    /^This host is not served here/i,
    "HOST",
    "The gateway was reached under a name that is not among its origins.",
    "Add the origin that clients use (publicUrl or origins of daypass serve), or let proxies pass Host on unchanged.",
  ],
  [
    /^AccessDenied$/,
    /^The storage can be read and not written/i,
    "SERVER",
    "The signature was accepted; the gateway can read its storage but not write to it.",
    "Give the gateway's user write permission for the folder that is served, or serve another one.",
  ],
  [
    /^AccessDenied$/,
    /^The success_action_redirect of this form leads/i,
    "FIELD",
    "The signature was accepted; the gateway redirects browsers only to the origins it was given, and the one in success_action_redirect is not among them.",
    "Add its origin to redirectOrigins of daypass serve, or sign the form without the field.",
  ],
];

/** What the answer means. `undefined` for one that says nothing in words of its own. */
export function storeCause(error: ServerError, signed: string): Cause | undefined {
  return rowCause(ROWS, error, signed);
}
