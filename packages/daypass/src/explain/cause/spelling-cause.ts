import type { Subject } from "../explainer.ts";
import type { Cause, CauseCode } from "../explanation.ts";

type Spelling = readonly [code: CauseCode, where: "path" | "query", pattern: RegExp, what: string, fix: string];

/**
 * A parameter that was encoded twice. In a file name beyond ASCII (filename*=UTF-8''na%C3%AFve.pdf) and in another URL escapes are encoded
 * once more for good.
 */
const TWICE = /(?:^|&)(?![^&]*(?:(?:%27|')[\w-]*(?:%27|')|%3A(?:%2F|\/){2}|:\/\/))[^&]*%25[0-9A-Fa-f]{2}/i;

/** The likeliest first. */
export const SPELLINGS: readonly Spelling[] = [
  [
    "QUERY",
    "query",
    /\+/,
    "a plain +, which some programs read as a space and others as a plus",
    "Write %20 for a space and %2B for a plus.",
  ],
  [
    "PATH",
    "path",
    /%25[0-9A-Fa-f]{2}/,
    "%25 before two digits, a sign of double encoding",
    "Encode the key exactly once, and let nothing encode the URL again.",
  ],
  [
    "QUERY",
    "query",
    TWICE,
    "%25 before two digits, a sign of double encoding",
    "Encode names and values exactly once, and let nothing encode the URL again.",
  ],
  [
    "PATH",
    "path",
    /\+/,
    "a plain +, which is a plus by the standard and a space to some servers",
    "Write %2B for a plus and %20 for a space.",
  ],
  [
    "PATH",
    "path",
    /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i,
    "segments . or .., which clients and proxies remove",
    "Rename the object, or send the path as it is (curl --path-as-is).",
  ],
  [
    "PATH",
    "path",
    /\/{2,}/,
    "// in it, which proxies and servers merge into one slash",
    "Let no proxy merge slashes (nginx: merge_slashes off).",
  ],
  ["PATH", "path", /%2f/i, "%2F in it, which proxies and servers decode to /", "Write / for the slashes of a key."],
  [
    "PATH",
    "path",
    /%(?:[a-f][0-9a-f]|[0-9a-f][a-f])/,
    "escapes in lower case, which some servers do not convert",
    "Write escapes in upper case.",
  ],
  [
    "QUERY",
    "query",
    /%(?:[a-f][0-9a-f]|[0-9a-f][a-f])/,
    "escapes in lower case, which some servers do not convert",
    "Write escapes in upper case.",
  ],
];

/** A URL that a server may read otherwise than it was meant: a likelier cause than two sides with different secrets. */
export function spellingCause(
  { sentUrl: { wire } }: Pick<Subject, "sentUrl">,
  spellings: readonly Spelling[] = SPELLINGS,
): Cause | undefined {
  for (const [code, where, pattern, what, fix] of spellings) {
    if (!pattern.test(wire[where])) continue;
    return {
      code,
      sentence: `The ${where} has ${what}: most likely the server read it differently than the signer. If not, the URL was signed with a different secret.`,
      evidence: [
        wire[where] === wire.path ? wire.path : (wire.query.split("&").find((token) => pattern.test(token)) ?? ""),
      ],
      fix: `${fix} Then sign and send exactly the same spelling.`,
    };
  }
  return undefined;
}
