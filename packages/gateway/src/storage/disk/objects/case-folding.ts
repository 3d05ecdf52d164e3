/**
 * Whether an entry of a folder has exactly the requested name. A file system that folds case or Unicode finds it by other
 * spellings too, and each of them is another key.
 */
import { readdirSync } from "node:fs";
import { lstatOrAbsent, unlessAbsent } from "./open-file.ts";

/** Takes a path below a folder. Remembers what it has read, so use it for one step only. */
export type SpellingCheck = (path: string) => boolean;

export interface SpellingOptions {
  /** Whether the file system is known to fold names. If not, a folder is listed only if another spelling finds a file. */
  readonly folds: boolean;
}

/** Checks each name from `base` to the end of a path. */
export function spellingBelow(base: string, { folds }: SpellingOptions): SpellingCheck {
  const listed = new Map<string, ReadonlySet<string>>();
  const checked = new Map<string, boolean>([[base, true]]);

  /** Only a listing shows the name that an entry really has. */
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
    const isSpelled = (): boolean => (!folds && isOnlySpelling(folder, name)) || namesIn(folder).has(name);
    const is = path.length > base.length && check(folder) && isSpelled();
    checked.set(path, is);
    return is;
  }
  return check;
}

/**
 * Whether the only other spelling of an ASCII name finds no file. False for names whose spellings are many: other letters, NTFS
 * streams (`a:b`), its short names (`A~1`), and dots and blanks at the end, which Windows cuts.
 */
function isOnlySpelling(folder: string, name: string): boolean {
  if (!/^[ -9;-}]*[!-\-0-9;-}]$/.test(name)) return false;
  const swapped = name.replace(/[a-z]/gi, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
  return swapped === name || lstatOrAbsent(`${folder}/${swapped}`) === undefined;
}
