// The gateway counts the members of a session's policy by itself: to ask it here would load a server for each batch.
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

function countMembers(parsed: unknown): number {
  let count = 0;
  // A list, and no calls: JSON may nest deeper than these can. A text has no members, and would be looped over by its characters.
  const found = isParent(parsed) ? [parsed] : [];
  for (const parent of found) {
    const isList = Array.isArray(parent);
    for (const name in parent) {
      if (!isList) count += 1;
      const item = parent[name];
      if (isParent(item)) found.push(item);
    }
  }
  return count;
}

function isParent(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
