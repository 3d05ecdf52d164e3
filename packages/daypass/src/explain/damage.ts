import { isDaypassError } from "../core/errors.ts";
import { decodeOr } from "./decoded.ts";
import type { Cause, CauseCode, Explanation } from "./explanation.ts";
import { nameOf } from "./parameters.ts";

const AS_REPAIRED = ["The rest of this explanation is about the URL without that."];

// Some programs escape twice: &amp;amp;, \\\\u0026. A shell escapes only characters that end a word or begin a pattern.
const ESCAPED =
  /&(?:(?:amp|#0*38|#x0*26);)+|&(?:#0*(\d{2,3})|#x0*([0-9a-f]{2})|equals);|(?<!\\)\\+(?:u00([0-9a-f]{2})|([/&?=]))/gi;

/** Undoes the escapes of HTML, XML, JSON or a shell in a copied URL, and removes quotes around it. */
export function unescapeUrl(url: string): { readonly text: string; readonly escaped?: Cause | undefined } {
  const text = url.trim().replace(/^(["'`<]|\*\*)(.*?)(?:["'`>]|\*\*)$/, "$2");
  const [found] = text.match(ESCAPED) ?? [];
  if (found === undefined) return { text };
  const source = found.startsWith("&") ? "HTML or XML" : /u00|\/$/.test(found) ? "JSON" : "a shell command";
  return {
    text: text.replace(ESCAPED, unescaped),
    escaped: {
      code: "HTML_ESCAPED",
      sentence: `The URL was copied from ${source}: it has ${found} instead of ${found.replace(ESCAPED, unescaped)}.`,
      evidence: AS_REPAIRED,
      fix: "Unescape the URL before it is used.",
    },
  };
}

function unescaped(found: string, decimal?: string, hex?: string, unicode?: string, character?: string): string {
  if (character !== undefined) return character;
  const code = decimal === undefined ? Number.parseInt(hex ?? unicode ?? "", 16) : Number(decimal);
  if (/^&equals;$/i.test(found)) return "=";
  return Number.isNaN(code) ? "&" : String.fromCharCode(code);
}

/** One kind of damage to a copied URL, and the inverse. */
interface Damage {
  readonly undo: (text: string) => string;
  /** END stands for the last word of the URL. */
  readonly sentence: string;
  /** Whether no sound URL has this damage, so that no other evidence is needed. */
  readonly isCertain?: (text: string, undone: string) => boolean;
}

const always = (): boolean => true;

// No signature ends with these characters in any encoding.
const TRAILING = /(?:[.,;:!?)\]}>"'`*]|%20|%22|%3E|%C2%A0){1,8}$/i;
const OWN =
  "s[a-z]{1,6}|X-Amz-\\w+|X-Goog-\\w+|AWSAccessKeyId|GoogleAccessId|OSSAccessKeyId|Expires|Policy|Signature|Key-Pair-Id|q-sign-algorithm|x-oss-[a-z-]+|temp_url_sig|dp-\\w+";
// Azure's portal returns tokens that begin with ?, and a base URL can have a query already.
const SECOND_MARK = new RegExp(`(?:&|(?<!\\?))\\?+(?=(?:${OWN})=)`, "g");
const BROKEN = "The URL was broken into lines: it contains a line break.";
const TWICE = "The URL was percent-encoded again after it was signed: it has %25 instead of %.";

/** Parameters whose values contain neither blanks nor marks: digits, hexadecimal and names. */
const STRICT =
  /^(?:X-(?:Amz|Goog)-(?:Algorithm|Date|Expires|SignedHeaders|Signature|Content-Sha256)|x-oss-(?:date|expires|signature(?:-version)?)|x-id|x-amz-checksum-mode|temp_url_(?:sig|expires)|q-(?:signature|sign-time|key-time)|Expires|dp-(?:date|expires|signature))$/;

function strictTokens(text: string): string {
  const [, ...tokens] = text.split(/[?&]/);
  return tokens.filter((token) => STRICT.test(nameOf(token))).join("&");
}

/** The repair changes the value of a strict parameter. */
const inStrict = (text: string, undone: string): boolean => strictTokens(text) !== strictTokens(undone);

/** The last words of the URLs of AWS's SDK for JavaScript, which sorts its parameters, in their order. */
const LAST_WORDS = ["X-Amz-SignedHeaders=host", "x-amz-checksum-mode=ENABLED", "x-id=GetObject"];
const OPERATIONS = ["PutObject", "HeadObject", "DeleteObject", "UploadPart"].map((name) => `x-id=${name}`);

function lastWord(text: string): string {
  return text.slice(Math.max(text.lastIndexOf("&"), text.lastIndexOf("?")) + 1);
}

/** Completes the last word of a URL that ends within it. */
function completed(text: string): string {
  const end = lastWord(text);
  const isPart = (word: string): boolean => end !== "" && end !== word && word.startsWith(end);
  const at = LAST_WORDS.findIndex(isPart);
  const front = text.slice(0, text.length - end.length);
  if (at < 0) return front + (OPERATIONS.find(isPart) ?? end);
  return front + LAST_WORDS.slice(at, /[?&]X-Amz-Signature=/.test(front) ? undefined : at + 1).join("&");
}

const inQuery = (text: string, change: (query: string) => string): string => text.replace(/(?<=\?).*$/s, change);
const once = (text: string): string => (/%(?!25)/.test(text) ? text : text.replaceAll("%25", "%"));

const DAMAGES: readonly Damage[] = [
  {
    undo: (text) => text.replace(/=\r?\n/g, "").replace(/=3D/gi, "="),
    sentence:
      "The URL was copied from an e-mail's source (quoted-printable): it has =3D instead of =, or = at the ends of lines.",
  },
  // Mail programs begin each line of a quoted message with >.
  { undo: (text) => text.replace(/[\r\n][ \t>]*/g, ""), sentence: BROKEN, isCertain: always },
  // An object's name can contain an encoded line break.
  { undo: (text) => text.replace(/(?:%0[AD])+/gi, ""), sentence: BROKEN, isCertain: inStrict },
  {
    undo: (text) => text.replace(/[\u200b\u2060\ufeff\u00ad]|%E2%80%8B|%E2%81%A0|%EF%BB%BF|%C2%AD/gi, ""),
    sentence: "The URL contains an invisible character: a zero-width space or the like.",
    isCertain: (text, undone) => text.split("?", 1)[0] === undone.split("?", 1)[0],
  },
  {
    // The query was encoded again only if every escape is double. The path was encoded with it or not.
    undo: (text) => (inQuery(text, once) === text ? text : inQuery(text.replace(/^[^?]*/, once), once)),
    sentence: TWICE,
  },
  { undo: (text) => inQuery(text, (query) => (query.includes("=") ? query : decodeOr(query))), sentence: TWICE },
  {
    undo: (text) => text.replace(TRAILING, ""),
    sentence: "The URL ends with END, which is not part of it: it was copied with the text around it.",
    isCertain: inStrict,
  },
  {
    // In a path and in other values, a space can be part of a name.
    undo: (text) =>
      inQuery(text, (query) =>
        query
          .replace(/[ \t\u00a0]+/g, "")
          .replace(/[^&]+/g, (token) =>
            STRICT.test(nameOf(token)) ? token.replace(/(?:%20|%09|%C2%A0)+/gi, "") : token,
          ),
      ),
    sentence: "The URL contains spaces.",
    isCertain: inStrict,
  },
  { undo: withOneMark, sentence: "The URL contains a second ?: something was appended with a ? instead of &." },
  {
    undo: (text) => text.replace(/;(?=[A-Za-z][\w-]*=)/g, "&"),
    sentence: "The URL has ; instead of & between its parameters.",
  },
  {
    undo: (text) => (HASH.test(text) ? text.replaceAll("#&", "&").replaceAll("#", "%23") : text),
    sentence: "The URL has a # before the end of its query, and clients send nothing from a # on.",
    isCertain: always,
  },
  { undo: completed, sentence: "The end of the URL was cut off: it ends with END.", isCertain: always },
];

const HASH = new RegExp(`#.*[?&](?:${OWN})=`, "s");

function withOneMark(text: string): string {
  // Splitting first keeps the lookbehind linear in the length.
  const [base, query] = /^([^?]*)\?+(.*)$/s.exec(text)?.slice(1) ?? [];
  return base === undefined || query === undefined ? text : `${base}?${query.replace(SECOND_MARK, "&")}`;
}

/** Causes that a missing, damaged or wrong signature can have. */
const UNSOUND: readonly CauseCode[] = [
  ...(["MALFORMED", "SIGNATURE", "WRONG_SECRET", "UNSIGNED_PARAMETER"] as const),
  ...(["PATH", "QUERY", "DATE", "REGION", "VERSION"] as const),
];

// Longer than any URL that clients or servers accept. Each repair is read again, so long texts would be slow.
const LONGEST = 16_384;

/** How much of an explanation is computed: without keys, with keys but without variants, or with all variants. */
export type Reading = "grammar" | "exact" | "search";

/** Explains a URL without the server's answer. Throws if the scheme is unknown. */
type Read = (text: string, reading: Reading) => Promise<Explanation>;

/** A URL without the damage of a mail or chat program. */
interface Repaired {
  readonly text: string;
  readonly damages: readonly Damage[];
}

/**
 * Finds the damage that a mail or chat program did to a URL: the first repair that gives a URL of a known scheme that, with
 * keys, fits a key. `undefined` if there is no sign of damage.
 */
export async function repair(
  text: string,
  { hasKeys, read }: { readonly hasKeys: boolean; readonly read: Read },
): Promise<{ readonly text: string; readonly cause: Cause } | undefined> {
  const found = text.length > LONGEST ? [] : DAMAGES.filter(({ undo }) => undo(text) !== text);
  if (found.length === 0) return undefined;
  const all = found.length === 1 ? [] : [found];
  const candidates = [...found.map((damage) => [damage]), ...all].map(
    (damages): Repaired => ({ text: damages.reduce((whole, { undo }) => undo(whole), text), damages }),
  );
  for (const reading of hasKeys ? (["exact", "grammar"] as const) : (["grammar"] as const)) {
    const before = await attempt(text, reading, read);
    // A URL that fits a key was not damaged.
    if (reading === "exact" && before !== undefined && before.cause === undefined) return undefined;
    const isOne = isSound(before, reading);
    for (const { text: repaired, damages } of candidates) {
      if (isOne && !damages.some(({ isCertain }) => isCertain?.(text, repaired))) continue;
      if (isSound(await attempt(repaired, reading, read), reading))
        return { text: repaired, cause: cause(text, damages) };
    }
  }
  return undefined;
}

function cause(text: string, damages: readonly Damage[]): Cause {
  const end = JSON.stringify(TRAILING.exec(text)?.[0] ?? lastWord(text));
  return {
    code: "MALFORMED",
    sentence: damages.map(({ sentence }) => sentence.replace("END", end)).join(" "),
    evidence: AS_REPAIRED,
    fix: "Copy the URL alone, in one line, and byte for byte.",
  };
}

/** Whether a URL can be read and its signature is not in doubt. With keys, a key must fit. */
function isSound(explanation: Explanation | undefined, reading: Reading): boolean {
  const { cause, hypotheses } = explanation ?? {};
  if (explanation === undefined || cause === undefined) return explanation !== undefined;
  if (hypotheses?.some(({ fits }) => fits)) return true;
  if (reading === "exact" && cause.code === "HEADER") return false;
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
