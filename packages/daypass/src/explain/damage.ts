import { isDaypassError } from "../core/errors.ts";
import type { Cause, CauseCode, Explanation } from "./explanation.ts";

/** A URL as it was before mail or chat damaged it. */
interface Repaired {
  readonly text: string;
  readonly cause: Cause;
}

/** One kind of damage, and how it is undone. */
interface Damage {
  readonly undo: (text: string) => string;
  readonly sentence: (text: string) => string;
  /** Whether no URL has it, so that nothing more has to show it. */
  readonly isCertain?: true;
}

// None of these ends a signature in any encoding.
const TRAILING = /(?:[.,;:!?)\]}>"'`*]|%20|%22|%3E|%C2%A0){1,8}$/i;
const BROKEN = "The URL was broken into lines: it contains a line break.";
// Azure's portal hands out tokens that begin with ?, and a base may have a query already.
const SECOND_MARK =
  /(?:&|(?<!\?))\?+(?=(?:s[a-z]{1,6}|X-Amz-\w+|X-Goog-\w+|AWSAccessKeyId|GoogleAccessId|OSSAccessKeyId|Expires|Policy|q-sign-algorithm|x-oss-[a-z-]+|temp_url_sig|dp-\w+)=)/g;
const INVISIBLE = /[\u200b\u2060\ufeff\u00ad]|%E2%80%8B|%E2%81%A0|%EF%BB%BF|%C2%AD/gi;

const DAMAGES: readonly Damage[] = [
  {
    undo: (text) => (/=3D/i.test(text) ? text.replace(/=\r?\n/g, "").replace(/=3D/gi, "=") : text),
    sentence: () => "The URL was copied from an e-mail's source (quoted-printable): it has =3D instead of =.",
  },
  {
    undo: (text) => text.replace(/=\r?\n/g, ""),
    sentence: () => "The URL was copied from an e-mail's source (quoted-printable): it has = at the ends of lines.",
  },
  // In an answer each line begins with >.
  { undo: (text) => text.replace(/[\r\n][ \t>]*/g, ""), sentence: () => BROKEN, isCertain: true },
  // The name of an object may hold one.
  { undo: (text) => text.replace(/(?:%0[AD])+/gi, ""), sentence: () => BROKEN },
  {
    undo: (text) => text.replace(INVISIBLE, ""),
    sentence: () => "The URL contains an invisible character: a zero-width space or the like.",
  },
  {
    // Where all escapes are, the whole URL was.
    undo: (text) => (/%(?!25)/.test(text) ? text : text.replaceAll("%25", "%")),
    sentence: () => "The URL was percent-encoded again after it was signed: it has %25 instead of %.",
  },
  {
    // In a path a space may be a name's own.
    undo: (text) => text.replace(/\?.*$/s, (query) => query.replace(/[ \t\u00a0]+/g, "")),
    sentence: () => "The URL contains spaces.",
  },
  {
    undo: withOneMark,
    sentence: () => "The URL contains a second ?: something was appended with a ? instead of &.",
  },
  {
    undo: (text) => text.replace(TRAILING, ""),
    sentence: (text) =>
      `The URL ends with ${JSON.stringify(TRAILING.exec(text)?.[0])}, which is not part of it: it was copied with the text around it.`,
  },
];

function withOneMark(text: string): string {
  // To look back from each place would cost the square of the length.
  const [base, query] = /^([^?]*)\?+(.*)$/s.exec(text)?.slice(1) ?? [];
  return base === undefined || query === undefined ? text : `${base}?${query.replace(SECOND_MARK, "&")}`;
}

/** What a signature that is not there, or was damaged, or does not fit is told as. */
const UNSOUND: readonly CauseCode[] = [
  ...(["MALFORMED", "SIGNATURE", "WRONG_SECRET", "UNSIGNED_PARAMETER"] as const),
  ...(["PATH", "QUERY", "DATE", "REGION", "VERSION"] as const),
];

// Far more than any client or server takes. Each repair is read anew, and a search with keys costs the more the longer it is.
const LONGEST = 16_384;

/** How a URL is read: by its grammar alone; with the keys, as it stands; or with their whole search. */
export type Reading = "grammar" | "exact" | "search";

/** Explains a URL without the server's answer. Throws for one that is unknown. */
type Read = (text: string, reading: Reading) => Promise<Explanation>;

/** What may have been the URL, and the damages that are undone in it. */
interface Candidate {
  readonly text: string;
  readonly damages: readonly Damage[];
  readonly isCertain: boolean;
}

/**
 * Finds what mail or chat has done to a URL: the first repair after which it is one that is known here, and, where a key is
 * given, one that fits. `undefined` where nothing shows that the URL was another one.
 */
export async function repair(
  text: string,
  { hasKeys, read }: { readonly hasKeys: boolean; readonly read: Read },
): Promise<Repaired | undefined> {
  const found = text.length > LONGEST ? [] : DAMAGES.filter(({ undo }) => undo(text) !== text);
  if (found.length === 0) return undefined;
  const all = found.length === 1 ? [] : [found];
  const candidates = [...found.map((damage) => [damage]), ...all].map((damages) => candidate(text, damages));
  if (hasKeys) {
    const before = await attempt(text, "exact", read);
    // What fits as it is was damaged by nobody.
    if (before !== undefined && before.cause === undefined) return undefined;
    const fitting = await firstSound(candidates, { before, reading: "exact", read });
    if (fitting !== undefined) return told(text, fitting);
  }
  const before = await attempt(text, "grammar", read);
  const readable = await firstSound(candidates, { before, reading: "grammar", read });
  if (readable === undefined) return undefined;
  if (!hasKeys || readable.isCertain) return told(text, readable);
  // Something else may be wrong as well. A search takes longer than all else together: this one only.
  return isSound(await attempt(readable.text, "search", read), { byKey: true }) ? told(text, readable) : undefined;
}

function candidate(text: string, damages: readonly Damage[]): Candidate {
  return {
    text: damages.reduce((whole, { undo }) => undo(whole), text),
    damages,
    isCertain: damages.some(({ isCertain }) => isCertain),
  };
}

interface Readings {
  /** The URL as it is. */
  readonly before: Explanation | undefined;
  readonly reading: Reading;
  readonly read: Read;
}

/** The first candidate that is sound, where the URL as it is is not. */
async function firstSound(
  candidates: readonly Candidate[],
  { before, reading, read }: Readings,
): Promise<Candidate | undefined> {
  const isOne = isSound(before);
  for (const one of candidates) {
    if (isOne && !one.isCertain) continue;
    if (isSound(await attempt(one.text, reading, read), { byKey: reading === "exact" })) return one;
  }
  return undefined;
}

function told(text: string, { text: repaired, damages }: Candidate): Repaired {
  return {
    text: repaired,
    cause: {
      code: "MALFORMED",
      sentence: damages.map(({ sentence }) => sentence(text)).join(" "),
      evidence: ["The rest of this explanation is about the URL without that."],
      fix: "Copy the URL alone, in one line, and byte for byte.",
    },
  };
}

/** Whether a URL can be read, and nothing speaks against its signature. With a key, the key has to show it. */
function isSound(explanation: Explanation | undefined, { byKey } = { byKey: false }): boolean {
  const { cause, hypotheses } = explanation ?? {};
  if (explanation === undefined || cause === undefined) return explanation !== undefined;
  if (hypotheses?.some(({ fits }) => fits)) return true;
  if (byKey && cause.code === "HEADER") return false;
  return !UNSOUND.includes(cause.code);
}

async function attempt(text: string, reading: Reading, read: Read): Promise<Explanation | undefined> {
  try {
    return await read(text, reading);
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    return undefined;
  }
}
