import { isSubResource } from "../../schemes/s3/v2/canonical.ts";
import type { Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { isTracking } from "../search/added-parameters.ts";

// What most likely changed a URL whose signature is refused, without a key that proves it.

interface Spelling {
  readonly part: "path" | "query";
  readonly pattern: RegExp;
  readonly what: string;
  readonly fix: string;
}

const LOWER_CASE = {
  pattern: /%(?:[a-f][0-9a-f]|[0-9a-f][a-f])/,
  what: "escapes in lower case, which some servers do not convert",
  fix: "Write escapes in upper case.",
};
const TWICE = "%25 before two digits, a sign of double encoding";

/** Spellings that servers read in two ways, the likeliest first. */
const SPELLINGS: readonly Spelling[] = [
  {
    part: "query",
    pattern: /\+/,
    what: "a plain +, which some programs read as a space and others as a plus",
    fix: "Write %20 for a space and %2B for a plus.",
  },
  {
    part: "path",
    pattern: /%25[0-9A-Fa-f]{2}/,
    what: TWICE,
    fix: "Encode the key exactly once, and let nothing encode the URL again.",
  },
  {
    part: "query",
    // Double encoding is right in a file name beyond ASCII (filename*=UTF-8''na%C3%AFve.pdf) and in a nested URL.
    pattern: /(?:^|&)(?![^&]*(?:(?:%27|')[\w-]*(?:%27|')|%3A(?:%2F|\/){2}|:\/\/))[^&]*%25[0-9A-Fa-f]{2}/i,
    what: TWICE,
    fix: "Encode names and values exactly once, and let nothing encode the URL again.",
  },
  {
    part: "path",
    pattern: /\+/,
    what: "a plain +, which is a plus by the standard and a space to some servers",
    fix: "Write %2B for a plus and %20 for a space.",
  },
  {
    part: "path",
    pattern: /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i,
    what: "segments . or .., which clients and proxies remove",
    fix: "Rename the object, or send the path as it is (curl --path-as-is).",
  },
  {
    part: "path",
    pattern: /\/{2,}/,
    what: "// in it, which proxies and servers merge into one slash",
    fix: "Let no proxy merge slashes (nginx: merge_slashes off).",
  },
  {
    part: "path",
    pattern: /%2f/i,
    what: "%2F in it, which proxies and servers decode to /",
    fix: "Write / for the slashes of a key.",
  },
  { part: "path", ...LOWER_CASE },
  { part: "query", ...LOWER_CASE },
];

/**
 * A spelling that a server can read differently: a likelier cause than two sides with different secrets. With `isSame`, the
 * server has shown that it computed the same request, so only a plus and double encoding remain.
 */
export function spellingCause(
  { sentUrl: { wire } }: Pick<Subject, "sentUrl">,
  { isSame = false }: { readonly isSame?: boolean } = {},
): Cause | undefined {
  const found = SPELLINGS.slice(0, isSame ? 3 : SPELLINGS.length).find(({ part, pattern }) => pattern.test(wire[part]));
  if (found === undefined) return undefined;
  const { part, pattern, what, fix } = found;
  return {
    code: part === "path" ? "PATH" : "QUERY",
    sentence: `The ${part} has ${what}: most likely the server read it differently than the signer. If not, the URL was signed with a different secret.`,
    evidence: [part === "path" ? wire.path : (wire.query.split("&").find((token) => pattern.test(token)) ?? "")],
    fix: `${fix} Then sign and send exactly the same spelling.`,
  };
}

const SIGNS_ALL = ["The signature covers all query parameters."];
/** The last parameters that AWS's SDK for JavaScript writes. */
const LAST = ["x-amz-checksum-mode=ENABLED", ...["Get", "Put", "Head", "Delete"].map((verb) => `x-id=${verb}Object`)];

/** The URL ends within a parameter that follows a whole signature, so no other rule shows that the end was cut off. */
function cutEndCause(query: string): Cause | undefined {
  const end = query.slice(query.lastIndexOf("&") + 1);
  const whole = LAST.find((word) => word !== end && word.startsWith(end) && end !== "");
  if (whole === undefined) return undefined;
  return {
    code: "QUERY",
    sentence: `The end of the URL was most likely cut off: it ends with ${end}, which is part of ${whole}.`,
    evidence: SIGNS_ALL,
    fix: "Use the whole URL: look for a column, a field or a terminal that is too short for it.",
  };
}

const SIGNATURE = /^(?:X-Amz-Signature|X-Goog-Signature|x-oss-signature)$/;
const TOKEN = "X-Amz-Security-Token";
/** Parameters of stores that signers can write after the signature, because some signers sort. */
const OF_STORES =
  /^(?:x-(?:amz|goog|oss)-.+|x-id|response-.+|generation|userProject|prefix|delimiter|start-after|attributes|retention|legal-hold|select|encoding-type|fetch-owner|.+-type|max-.+|(?:.+-)?marker|.+-token)$/i;

/**
 * The end was cut off, or parameters were most likely added after signing: trackers' own, or any that follow the signature.
 *
 * @param others other possible causes, which complete "was signed …"
 * @param notSigned parameters that the scheme does not sign
 */
export function changedQueryCause(
  { sentUrl }: Subject,
  others: readonly string[],
  notSigned: readonly string[] = [],
): Cause | undefined {
  const names = readParameters(sentUrl)
    .map(([name]) => name)
    .filter((name) => SIGNATURE.test(name) || !notSigned.includes(name));
  const tracking = names.filter(isTracking);
  const added = tracking.length > 0 ? tracking : appended(names);
  if (added.length === 0) return cutEndCause(sentUrl.wire.query);
  const isToken = added[0] === TOKEN;
  const why = tracking.length > 0 ? ", as mail and ad trackers do" : ": it follows the signature";
  return {
    code: isToken ? "TOKEN_AFTER_SIGNING" : "QUERY",
    sentence: `Most likely ${added.join(", ")} was added after signing${why}. Or the URL was signed ${others.join(", or ")}: without the key, explain cannot tell which.`,
    evidence: SIGNS_ALL,
    fix: isToken
      ? "Give the signer the session token with the key: it is signed, too."
      : "Let nothing add to signed URLs (such as a newsletter's click tracking): put everything into the request before it is signed. With the key, explain can tell for certain.",
  };
}

/** Parameters at the end that no signer writes after its signature. */
function appended(names: readonly string[]): readonly string[] {
  const signature = names.findIndex((name) => SIGNATURE.test(name));
  // AWS's SDK for JavaScript sorts all parameters.
  const isSorted = names.every((name, at) => at === 0 || (names[at - 1] ?? "") <= name);
  if (signature < 0 || isSorted) return [];
  const rest = names.slice(signature + 1);
  if (rest.at(-1) === TOKEN) return [TOKEN];
  return rest.slice(rest.findLastIndex((name) => OF_STORES.test(name) || isSubResource(name)) + 1);
}
