const MEMBER = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/** Whether an object in a JSON text names a member twice: `JSON.parse`, which has made `parsed` of it, keeps the last one, others the first. */
export function repeatsMember(text: string, parsed: unknown): boolean {
  const written = [...text.matchAll(MEMBER)].filter(([, colon]) => colon !== undefined).length;
  return written !== countMembers(parsed);
}

function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const values = Object.values(value);
  return values.reduce<number>((count, item) => count + countMembers(item), Array.isArray(value) ? 0 : values.length);
}
