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

/** Names of which one finds the same entry on any file system that folds; `undefined` where that cannot be told. */
function otherSpellings(name: string): readonly string[] | undefined {
  // Of ASCII alone, as what folds other letters folds these, and not the reverse.
  const swapped = name.replace(/[a-z]/gi, (letter) => (letter < "a" ? letter.toLowerCase() : letter.toUpperCase()));
  if (swapped === name) return undefined;
  // Some take accents for the same however they are written, and case for what it is.
  const composed = (["NFC", "NFD"] as const).map((form) => name.normalize(form)).filter((form) => form !== name);
  return [swapped, ...composed];
}
