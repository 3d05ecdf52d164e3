/** Returns the name that was probably meant: the same one at another level (`port` for `listen.port`), or one with few other letters. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const last = lastPart(name);
  const moved = names.find((one) => lastPart(one) === last);
  if (moved !== undefined) return moved;
  // The part that is wrong is the last one, so names of the same level come first.
  const level = name.slice(0, name.length - last.length);
  const others = [...names].sort((a, b) => Number(b.startsWith(level)) - Number(a.startsWith(level)));
  const most = Math.max(1, Math.floor(last.length / 3));
  const ranked = others.map((one) => ({ one, distance: editDistance(last, lastPart(one)) }));
  const [best] = ranked.filter(({ distance }) => distance <= most).sort((a, b) => a.distance - b.distance);
  return best?.one;
}

/** `. Did you mean X?` with the nearest name after a prefix, or the empty text. */
export function didYouMean(name: string, names: readonly string[], prefix = ""): string {
  const nearest = nearestName(name, names);
  return nearest === undefined ? "" : `. Did you mean ${prefix}${nearest}?`;
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1).toLowerCase();
}

/** How many letters have to be inserted, removed or replaced. Two exchanged neighbours count once. */
function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      next[j] = Math.min(
        (next[j - 1] ?? 0) + 1,
        (row[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + same,
        swapped ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    before = row;
    row = next;
  }
  return row[to.length] ?? 0;
}
