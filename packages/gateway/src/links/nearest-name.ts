/** Longer names are not compared, because the work grows with the square of the length. */
const MAX_LETTERS = 100;

/**
 * The name of a file or folder that was probably meant: one with few other letters, or with letters of another case. `undefined` if none is near.
 *
 * @param name the wrong name
 * @param names those that exist, at most some 10,000
 * @example
 * ```ts
 * import { nearestName } from "@daypass/gateway";
 *
 * console.log(nearestName("film.mp3", ["film.mp4", "notes.txt"])); // film.mp4
 * ```
 */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  let limit = 1 + Math.max(1, Math.min(4, Math.floor(wanted.length / 3)));
  let best: string | undefined;
  for (const one of names) {
    if (Math.max(one.length, wanted.length) > MAX_LETTERS || Math.abs(one.length - wanted.length) >= limit) continue;
    const edits = editDistance(wanted, one.toLowerCase());
    if (edits >= limit) continue;
    limit = edits;
    best = one;
  }
  return best;
}

/** How many letters have to be inserted, removed or replaced. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + Number(from[i - 1] !== to[j - 1]);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
