import { isDaypassError } from "../errors.ts";
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
const BROKEN = "The URL was broken into lines: a line break stands inside it.";
const INVISIBLE = /[\u200b\u2060\ufeff\u00ad]|%E2%80%8B|%E2%81%A0|%EF%BB%BF|%C2%AD/gi;

const DAMAGES: readonly Damage[] = [
  {
    undo: (text) => (/=3D/i.test(text) ? text.replace(/=\r?\n/g, "").replace(/=3D/gi, "=") : text),
    sentence: () => "The URL was copied out of the source of a mail (quoted-printable): it has =3D where = must stand.",
  },
  {
    undo: (text) => text.replace(/=\r?\n/g, ""),
    sentence: () => "The URL was copied out of the source of a mail (quoted-printable): it has = at the ends of lines.",
  },
  { undo: (text) => text.replace(/[\r\n][ \t]*/g, ""), sentence: () => BROKEN, isCertain: true },
  // The name of an object may hold one.
  { undo: (text) => text.replace(/(?:%0[AD])+/gi, ""), sentence: () => BROKEN },
  {
    undo: (text) => text.replace(INVISIBLE, ""),
    sentence: () => "A character that nobody sees stands in the URL: a zero-width space, or one of its kind.",
  },
  {
    // Where all escapes are, the whole URL was.
    undo: (text) => (/%(?!25)/.test(text) ? text : text.replaceAll("%25", "%")),
    sentence: () => "The URL was percent-encoded once more after it was signed: it has %25 where % must stand.",
  },
  {
    // In a path a space may be a name's own.
    undo: (text) => text.replace(/\?.*$/s, (query) => query.replace(/[ \t\u00a0]+/g, "")),
    sentence: () => "Spaces stand inside the URL.",
  },
  {
    undo: (text) => text.replace(TRAILING, ""),
    sentence: (text) =>
      `The URL ends with ${JSON.stringify(TRAILING.exec(text)?.[0])}, which is none of it: it was copied with the text around it.`,
  },
];

/** What a signature that is not there, or was damaged, or does not fit is told as. */
const UNSOUND: readonly CauseCode[] = [
  ...(["MALFORMED", "SIGNATURE", "WRONG_SECRET", "UNSIGNED_PARAMETER"] as const),
  ...(["PATH", "QUERY", "DATE", "REGION", "VERSION"] as const),
];

/**
 * Finds what mail or chat has done to a URL: the first repair after which it is one that is known here, and, where a key is
 * given, one that fits. `undefined` where nothing shows that the URL was another one.
 *
 * @param read explains a URL without the server's answer; throws for one that is unknown
 */
export async function repair(
  text: string,
  hasKeys: boolean,
  read: (text: string) => Promise<Explanation>,
): Promise<Repaired | undefined> {
  const found = DAMAGES.filter(({ undo }) => undo(text) !== text);
  if (found.length === 0) return undefined;
  const all = found.length === 1 ? [] : [found];
  const before = await attempt(text, read);
  // What fits as it is was damaged by nobody.
  if (hasKeys && before !== undefined && before.cause === undefined) return undefined;
  for (const damages of [...found.map((damage) => [damage]), ...all]) {
    const repaired = damages.reduce((whole, { undo }) => undo(whole), text);
    if (isSound(before) && !damages.some(({ isCertain }) => isCertain)) continue;
    const after = await attempt(repaired, read);
    if (after === undefined || !isSound(after, hasKeys)) continue;
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
  return undefined;
}

/** Whether a URL can be read, and nothing speaks against its signature. With a key, the key has to show it. */
function isSound(explanation: Explanation | undefined, isStrict = false): boolean {
  const { cause, hypotheses } = explanation ?? {};
  if (explanation === undefined || cause === undefined) return explanation !== undefined;
  if (hypotheses?.some(({ fits }) => fits)) return true;
  if (isStrict && cause.code === "HEADER") return false;
  return !UNSOUND.includes(cause.code);
}

async function attempt(text: string, read: (text: string) => Promise<Explanation>): Promise<Explanation | undefined> {
  try {
    return await read(text);
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    return undefined;
  }
}
