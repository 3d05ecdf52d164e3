/**
 * Whether a pattern fits the whole of a text: `*` stands for any characters, also none, and `?` for exactly one. All ways to
 * read the stars are followed at once, a bit for each place in the pattern, so the time grows with the length of the
 * text and nothing is tried twice.
 */
export function fits(pattern: string, text: string): boolean {
  const any = new Map<string, bigint>();
  let stars = 0n;
  let single = 0n;
  const parts = pattern.replace(/\*+/g, "*");
  for (const [at, character] of [...parts].entries()) {
    const bit = 1n << BigInt(at);
    if (character === "*") stars |= bit;
    else if (character === "?") single |= bit;
    else any.set(character, (any.get(character) ?? 0n) | bit);
  }
  // A place that stands before a star may as well stand behind it.
  const spread = (places: bigint): bigint => places | ((places & stars) << 1n);
  let places = spread(1n);
  for (const character of text) {
    const moved = (places & (single | (any.get(character) ?? 0n))) << 1n;
    places = spread(moved | (places & stars));
    if (places === 0n) return false;
  }
  return places >> BigInt([...parts].length) === 1n;
}
