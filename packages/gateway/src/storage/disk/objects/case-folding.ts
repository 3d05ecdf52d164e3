/**
 * Whether an entry of a folder has the very name by which it was found. File systems that fold case or Unicode find it by other names too, and
 * each of these is another key.
 */
import { readdirSync } from "node:fs";
import { lstatOrAbsent, unlessAbsent } from "./open-file.ts";

/** Takes a path below the folder that it was made for. What was read once is not read again, so it is for one step. */
export type SpellingCheck = (path: string) => boolean;

export interface SpellingOptions {
  /** Whether the file system is known to fold names: then each folder is listed, else one in which another spelling finds something as well. */
  readonly folds: boolean;
}

/** Checks each name from `base` to the end of a path. */
export function spellingBelow(base: string, { folds }: SpellingOptions): SpellingCheck {
  const listed = new Map<string, ReadonlySet<string>>();
  const checked = new Map<string, boolean>([[base, true]]);

  function namesIn(folder: string): ReadonlySet<string> {
    const names = listed.get(folder) ?? new Set(unlessAbsent(() => readdirSync(folder)));
    listed.set(folder, names);
    return names;
  }

  function check(path: string): boolean {
    const known = checked.get(path);
    if (known !== undefined) return known;
    const slash = path.lastIndexOf("/");
    const folder = path.slice(0, slash);
    const name = path.slice(slash + 1);
    // Only a listing tells the name that an entry really has.
    const isSpelled = (): boolean => (!folds && isAlone(folder, name)) || namesIn(folder).has(name);
    const is = path.length > base.length && check(folder) && isSpelled();
    checked.set(path, is);
    return is;
  }
  return check;
}

/** Whether no other spelling finds anything, so that an entry that was found has this one. */
function isAlone(folder: string, name: string): boolean {
  // NTFS can be mounted so that a file has a second name with a colon behind it, and others for its streams.
  const colon = name.indexOf(":");
  if (colon !== -1 && lstatOrAbsent(`${folder}/${name.slice(0, colon)}`) !== undefined) return false;
  return otherSpellings(name)?.every((other) => lstatOrAbsent(`${folder}/${other}`) === undefined) ?? false;
}

/** Letters that are tried by themselves; past it the folder is listed. */
const MOST = 8;
/** Of a longer name nothing tells whether it is there. */
const MAX_NAME_BYTES = 255;
/** A letter that is not to be seen (ZERO WIDTH NON-JOINER): to ext4 and HFS+, where they fold case, a name is the same without it. */
const UNSEEN = "\u200c";

/** By a character one that Unicode takes for the same: the sign of Kelvin by K, that of Ohm by the omega. */
const SAME: ReadonlyMap<string, string> = new Map(
  [
    [0x340, 0x387],
    [0x1fef, 0x232a],
    [0xf900, 0xfaff],
    [0x2f800, 0x2fa1f],
  ].flatMap(([first = 0, last = 0]) =>
    Array.from({ length: last - first + 1 }, (_, i) => String.fromCodePoint(first + i))
      .map((sign) => [sign.normalize("NFD"), sign] as const)
      .filter(([same, sign]) => same !== sign && [...same].length === 1),
  ),
);

/**
 * Names of which one finds the same entry on any file system that folds this one; `undefined` where only a listing can tell. So that digits, or
 * a script without case, cost no listing on a disk that folds nothing.
 */
export function otherSpellings(name: string): readonly string[] | undefined {
  const others = spellings(name);
  return others?.every((other) => Buffer.byteLength(other) <= MAX_NAME_BYTES) === true ? others : undefined;
}

function spellings(name: string): readonly string[] | undefined {
  const composed = equivalents(name);
  // Of ASCII alone where there is any, as what folds other letters folds these, and not the reverse.
  const swapped = name.replace(/[a-z]/gi, swapCase);
  if (swapped !== name) return [swapped, ...composed];
  // Windows' file systems have second names for files (`NAME~1`), and cut what stands at the end.
  if (/[. ]$|[~:]|\p{Default_Ignorable_Code_Point}/u.test(name)) return undefined;
  // One by one: a file system may fold the letters of some alphabets alone.
  const cased = [...new Set(name)].filter((letter) => letter.toLowerCase() !== letter.toUpperCase());
  const others = cased.map((letter) => name.replace(letter, swapCase));
  return cased.length > MOST || others.includes(name) ? undefined : [...others, ...composed, `${name}${UNSEEN}`];
}

/** Some take accents for the same however they are written, and case for what it is. */
function equivalents(name: string): readonly string[] {
  const forms = (["NFC", "NFD"] as const).map((form) => name.normalize(form)).filter((form) => form !== name);
  if (forms.length > 0) return forms;
  const sign = [...name].find((character) => SAME.has(character));
  return sign === undefined ? [] : [name.replace(sign, SAME.get(sign) ?? sign)];
}

/** The same letter where it has no single other one. */
function swapCase(letter: string): string {
  const others = [letter.toUpperCase(), letter.toLowerCase()];
  return others.find((other) => other !== letter && other.length === letter.length) ?? letter;
}
