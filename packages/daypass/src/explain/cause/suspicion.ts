import { isSubResource } from "../../schemes/s3/v2/canonical.ts";
import { type SchemeId, secretParameters } from "../../schemes/secret-parameters.ts";
import type { Explained, SplitUrl, Subject } from "../explainer.ts";
import type { Cause, CauseCode, Explanation, Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { isTracking } from "../search/added-parameters.ts";
import { guess } from "./combine-causes.ts";
import { isMismatch, isVague } from "./server-cause.ts";
import { headCause } from "./status-cause.ts";

// What the URL itself shows about a refusal that neither the server's answer nor a key explains.

/** A spelling that servers read in two ways. It is a trap under its name. */
interface Spelling {
  readonly name?: string;
  readonly part: "path" | "query" | "URL";
  readonly pattern: RegExp;
  readonly what: string;
  readonly fix: string;
  /** Whether signers of stores never write it, so that it is suspect before a server refuses it. */
  readonly isDamage?: true;
}

const LOWER_CASE = {
  name: "lower-case-escapes",
  pattern: /%(?:[a-f][0-9a-f]|[0-9a-f][a-f])/,
  what: "escapes in lower case (%2f): signatures use upper case, and some servers do not convert them",
  fix: "Write escapes in upper case.",
};
const TWICE = {
  name: "double-encoding",
  what: "%25 before two digits, a sign of double encoding",
  isDamage: true,
} as const;

/** The likeliest first. */
const SPELLINGS: readonly Spelling[] = [
  {
    name: "plus-in-query",
    part: "query",
    pattern: /\+/,
    what: "a plain +, which some programs read as a space and others as a plus",
    fix: "Write %20 for a space and %2B for a plus.",
    isDamage: true,
  },
  {
    ...TWICE,
    part: "path",
    pattern: /%25[0-9A-Fa-f]{2}/,
    fix: "Encode the key exactly once, and let nothing encode the URL again.",
  },
  {
    ...TWICE,
    part: "query",
    // Double encoding is right in a file name beyond ASCII (filename*=UTF-8''na%C3%AFve.pdf) and in a nested URL.
    pattern: /(?:^|&)(?![^&]*(?:(?:%27|')[\w-]*(?:%27|')|%3A(?:%2F|\/){2}|:\/\/))[^&]*%25[0-9A-Fa-f]{2}/i,
    fix: "Encode names and values exactly once, and let nothing encode the URL again.",
  },
  {
    part: "URL",
    pattern: /[ \u00a0]\S/,
    what: "a space, for which some clients send %20, some + and some only the URL before it",
    fix: "Write %20 for a space.",
    isDamage: true,
  },
  {
    name: "plus-in-path",
    part: "path",
    pattern: /\+/,
    what: "a plain +, which is a plus by the standard and a space to some servers",
    fix: "Write %2B for a plus and %20 for a space.",
    isDamage: true,
  },
  {
    name: "dot-segments",
    part: "path",
    pattern: /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i,
    what: "segments . or .., which clients and proxies remove",
    fix: "Rename the object, or send the path as it is (curl --path-as-is).",
  },
  {
    name: "double-slash",
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

function partOf({ text, wire }: SplitUrl, part: Spelling["part"]): string {
  return part === "URL" ? text : wire[part];
}

/** The spellings of a URL that servers read in two ways, as traps. */
export function spellingTraps(url: SplitUrl): readonly Trap[] {
  const found = SPELLINGS.flatMap(({ name, part, pattern, what, fix }): readonly Trap[] => {
    // The source's URL in an imgproxy path contains another //.
    const own =
      name === "double-slash" && !/(?<!:)\/{2,}/.test(url.wire.path)
        ? "the source's URL in it, whose // must be kept"
        : what;
    return name !== undefined && pattern.test(partOf(url, part))
      ? [{ name, text: `The ${part} has ${own}. ${fix}` }]
      : [];
  });
  return found.filter((trap, i) => found.findIndex(({ name }) => name === trap.name) === i);
}

/** A trap that is the likeliest cause of a refusal, with the statuses for which it is; any status, and none, if absent. */
type TrapRow = readonly [name: string, code: CauseCode, statuses: RegExp | undefined, fix: string];

const TRAP_ROWS: readonly TrapRow[] = [
  ["missing-session-token", "INVALID_TOKEN", undefined, "Give the signer the session token with the key."],
  ["sigv2", "LEGACY_SIGNATURE", /^40[01]$/, "Sign with Signature Version 4."],
  // Stores that compare it answer 400. Amazon's answer names another cause.
  ["empty-body-checksum", "CHECKSUM", /^(?:400|unread)$/, "Sign without a checksum, or with the body's own."],
  ["session-token", "EXPIRED_TOKEN", /^400$/, "Sign with fresh credentials."],
  ["global-endpoint", "ENDPOINT", /^30[127]$/, "Sign with the bucket's regional endpoint."],
  ["upload-needs-type", "HEADER", /^400$/, "Send x-ms-blob-type: BlockBlob."],
  ["bucket-twice", "NOT_FOUND", /^404$/, "Leave the bucket out of the signer's endpoint."],
  ["stored-policy", "POLICY", /^(?:403|unread)$/, "Check that the policy exists and has not expired."],
  ["address-in-azure", "IP", /^(?:403|unread)$/, "Sign for the address that Azure sees, or without sip."],
  [
    "signed-address",
    "IP",
    /^(?:403|unread)$/,
    "Sign for the address that the server sees: the proxy's, if there is one.",
  ],
];

/** The signatures that end their URLs, unless the signer sorts. */
const SIGNATURE = /^(?:X-Amz-Signature|X-Goog-Signature|x-oss-signature)$/;
const TOKEN = "X-Amz-Security-Token";
/** Parameters of stores that signers can write after the signature, because some signers sort. */
const OF_STORES =
  /^(?:x-(?:amz|goog|oss)-.+|x-id|response-.+|generation|userProject|prefix|delimiter|start-after|attributes|retention|legal-hold|select|encoding-type|fetch-owner|.+-type|max-.+|(?:.+-)?marker|.+-token)$/i;

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

/** Parameters that were most likely added after signing. Before a refusal, only trackers behind the signature count. */
function addedCause(
  { explanation, signsQuery, notSigned = [] }: Explained,
  { sentUrl }: Subject,
  isRefused: boolean,
): Cause | undefined {
  if (signsQuery !== true) return undefined;
  const names = readParameters(sentUrl).map(([name]) => name);
  const own = secretParameters[explanation.scheme as SchemeId]?.map((name) => name.split("=", 1)[0]) ?? [];
  const from = isRefused ? 0 : names.findIndex((name) => own.includes(name.toLowerCase()));
  const others = names.filter((name) => SIGNATURE.test(name) || !notSigned.includes(name));
  const tracking = from < 0 ? [] : names.slice(from).filter((name) => isTracking(name) && others.includes(name));
  const added = tracking.length > 0 || !isRefused ? tracking : appended(others);
  if (added.length === 0) return undefined;
  const isToken = added[0] === TOKEN;
  const why = tracking.length > 0 ? ", as mail and ad trackers do" : ": it follows the signature";
  return {
    code: isToken ? "TOKEN_AFTER_SIGNING" : "QUERY",
    sentence: `Most likely ${added.join(", ")} was added after signing${why}.`,
    evidence: ["The signature covers all query parameters."],
    fix: isToken
      ? "Give the signer the session token with the key: it is signed, too."
      : "Let nothing add to signed URLs (such as a newsletter's click tracking): put everything into the request before it is signed. With the key, explain can tell for certain.",
    isGuess: true,
  };
}

/** The trap that explains the status; without a status, the trap that explains any refusal. */
function trapCause(traps: readonly Trap[], status?: number | "unread"): Cause | undefined {
  for (const [name, code, statuses, fix] of TRAP_ROWS) {
    const trap = traps.find((one) => one.name === name);
    if (trap === undefined || statuses?.test(`${status}`) === false) continue;
    return { code, sentence: trap.text, evidence: [], fix, isGuess: true };
  }
  return undefined;
}

/** Signers of these schemes percent-encode all but the unreserved characters. */
const ENCODES = /^(?:s3|gcs|oss)/;

function spellingCause(
  { explanation: { scheme, cause }, keyFits }: Explained,
  { sentUrl, error }: Subject,
  isRefused: boolean,
): Cause | undefined {
  // Every spelling was tried with the key.
  if (keyFits === false || (!isRefused && (keyFits === true || !ENCODES.test(scheme)))) return undefined;
  // The server has shown that it computed the same request, so only a plus and double encoding remain.
  const isSame =
    cause?.code === "WRONG_SECRET" && /StringToSign|CanonicalRequest/.test([...(error?.fields.keys() ?? [])].join());
  const isBlank = !isRefused || (error !== undefined && !isMismatch(error));
  const found = SPELLINGS.slice(0, isSame ? 3 : SPELLINGS.length).find(
    ({ part, pattern, isDamage }) => pattern.test(partOf(sentUrl, part)) && (isDamage === true || !isBlank),
  );
  if (found === undefined) return undefined;
  const { part, pattern, what, fix } = found;
  const likely = isRefused ? "most likely the server read" : "a server can read";
  const { path, query } = sentUrl.wire;
  const shown = { path, query: query.split("&").find((token) => pattern.test(token)) ?? "", URL: path };
  return {
    code: ({ path: "PATH", query: "QUERY", URL: "MALFORMED" } as const)[part],
    sentence: `The ${part} has ${what}: ${likely} it differently than the signer.`,
    evidence: [shown[part]],
    fix: `${fix} Then sign and send exactly the same spelling.`,
    isGuess: true,
  };
}

/** Statuses with which servers refuse a signature. */
const REFUSED = /^40[013]$/;

/**
 * The explanation with the cause that the URL itself suggests: a trap or a tracker outranks every guess; a spelling outranks the
 * guesses that name no part of the request.
 */
export function withSuspicion(explained: Explained, subject: Subject, status: number | undefined): Explanation {
  const { explanation, keyFits } = explained;
  const { cause, traps } = explanation;
  const isRefused = subject.error !== undefined || REFUSED.test(`${status}`);
  // An answer in an unknown format is a refusal, too.
  const seen = status ?? (cause?.code === "SERVER" ? "unread" : undefined);
  const isOpen = isRefused || status === undefined;
  const isAdded = isOpen && keyFits !== true;
  const fact = trapCause(traps) ?? (isAdded ? addedCause(explained, subject, isRefused) : undefined);
  // If the key fits, the sent request is known as little as its spelling.
  const isPart = keyFits !== true && cause !== undefined && /^(?:METHOD|HEADER|PATH|CORS)$/.test(cause.code);
  const spelling = isPart || !isOpen ? undefined : spellingCause(explained, subject, isRefused);
  // An answer that can be read names a wrong checksum itself.
  const open = subject.error === undefined ? traps : traps.filter(({ name }) => name !== "empty-body-checksum");
  const head = subject.error !== undefined && isVague(subject.error) ? headCause(explained, subject) : undefined;
  const suspected = fact ?? spelling ?? (head && guess(head)) ?? trapCause(open, seen);
  // Servers do not know a temporary key without its token.
  const lacksToken = cause?.code === "UNKNOWN_KEY" && suspected?.code === "INVALID_TOKEN";
  const isSettled = cause !== undefined && cause.isGuess !== true && !lacksToken;
  if (suspected === undefined || isSettled) return explanation;
  return { ...explanation, cause: { ...suspected, evidence: [...suspected.evidence, ...(cause?.evidence ?? [])] } };
}
