/**
 * Whether an object in a JSON text names a member twice: `JSON.parse` keeps the last one, other readers the first. Outside of strings, a colon
 * stands behind each name and nowhere else, so more colons than members means a repeated name.
 */
export function repeatsMember(text: string, parsed: unknown): boolean {
  const colons = text.replace(/"(?:[^"\\]|\\.)*"/g, "").split(":").length - 1;
  return colons !== countMembers(parsed);
}

/** No token or policy is so deep: deeper ones count as wrong, and cannot overflow the stack. */
function countMembers(value: unknown, levels = 16): number {
  if (typeof value !== "object" || value === null) return 0;
  if (levels === 0) return Number.NaN;
  const inside = Object.values(value).reduce((sum: number, item) => sum + countMembers(item, levels - 1), 0);
  return inside + (Array.isArray(value) ? 0 : Object.keys(value).length);
}
