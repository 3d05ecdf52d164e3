const MEMBER = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/**
 * Whether an object in a JSON text names a member twice: `JSON.parse`, which has made `parsed` of it, keeps the last one, and who looks at
 * the text may go by the first.
 */
export function repeatsMember(text: string, parsed: unknown): boolean {
  const members = countMembers(parsed);
  // No member lacks its quote and colon, so as many of these as there are members leave none that was lost. A string may hold more.
  if (countColons(text) === members) return false;
  return [...text.matchAll(MEMBER)].filter(([, colon]) => colon !== undefined).length !== members;
}

const QUOTE = 34;
const SPACE = 32;

/** The colons behind a quote, by loops, as every line of a batch is counted. */
function countColons(text: string): number {
  let count = 0;
  for (let at = text.indexOf(":"); at >= 0; at = text.indexOf(":", at + 1)) {
    let before = at - 1;
    while (text.charCodeAt(before) <= SPACE) before--;
    if (text.charCodeAt(before) === QUOTE) count += 1;
  }
  return count;
}

function countMembers(value: unknown): number {
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object") count += countMembers(item);
    return count;
  }
  for (const name in value as object | null) {
    count += 1;
    const item = (value as Readonly<Record<string, unknown>>)[name];
    if (typeof item === "object") count += countMembers(item);
  }
  return count;
}
