/**
 * Whether an entry of a folder has the very name by which it was found. File systems that fold case or Unicode find it by other names too, and
 * each of these is another key.
 */
import { readdirSync } from "node:fs";
import { lstatOrAbsent, unlessAbsent } from "./open-file.ts";

/** Takes a path below the folder that it was made for. What was read once is not read again, so it is for one step. */
export type SpellingCheck = (path: string) => boolean;

/** Checks each name from `base` to the end of a path. */
export function spellingBelow(base: string): SpellingCheck {
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
    const is = path.length > base.length && check(folder) && isSpelledIn(folder, path.slice(slash + 1), namesIn);
    checked.set(path, is);
    return is;
  }
  return check;
}

/** Only a listing tells the name that an entry really has. It is asked for where another spelling finds something as well. */
function isSpelledIn(folder: string, name: string, namesIn: (folder: string) => ReadonlySet<string>): boolean {
  const others = otherSpellings(name);
  const isAlone = others?.every((other) => lstatOrAbsent(`${folder}/${other}`) === undefined) ?? false;
  return isAlone || namesIn(folder).has(name);
}

/** Letters that are tried by themselves; past it the folder is listed. */
const MOST = 8;

/**
 * Names of which one finds the same entry on any file system that folds this one; none where nothing folds into it; `undefined` where only a
 * listing can tell. So that digits, or a script without case, cost no listing on a disk that folds nothing.
 */
export function otherSpellings(name: string): readonly string[] | undefined {
  // Some take accents for the same however they are written, and case for what it is.
  const composed = (["NFC", "NFD"] as const).map((form) => name.normalize(form)).filter((form) => form !== name);
  // Of ASCII alone where there is any, as what folds other letters folds these, and not the reverse.
  const swapped = name.replace(/[a-z]/gi, swapCase);
  if (swapped !== name) return [swapped, ...composed];
  // Windows' file systems have second names for files (`NAME~1`), and cut what stands at the end.
  if (/[. ]$|[~:]/.test(name)) return undefined;
  // One by one: a file system may fold the letters of some alphabets alone.
  const cased = [...new Set(name)].filter((letter) => letter.toLowerCase() !== letter.toUpperCase());
  const others = cased.map((letter) => name.replace(letter, swapCase));
  return cased.length > MOST || others.includes(name) ? undefined : [...others, ...composed];
}

/** The same letter where it has no single other one. */
function swapCase(letter: string): string {
  const others = [letter.toUpperCase(), letter.toLowerCase()];
  return others.find((other) => other !== letter && other.length === letter.length) ?? letter;
}
