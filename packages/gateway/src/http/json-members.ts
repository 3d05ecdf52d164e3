const MEMBER = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/** Whether a JSON text repeats a member of an object: `JSON.parse`, whose result is `parsed`, uses the last one, other parsers the first. */
export function repeatsMember(text: string, parsed: unknown): boolean {
  const written = [...text.matchAll(MEMBER)].filter(([, colon]) => colon !== undefined).length;
  return written !== countMembers(parsed);
}

function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const values = Object.values(value);
  return values.reduce<number>((count, item) => count + countMembers(item), Array.isArray(value) ? 0 : values.length);
}
