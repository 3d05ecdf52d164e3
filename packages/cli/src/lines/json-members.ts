// The gateway has its own check for session policies: importing it here would load a server for each batch.
const MEMBER = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/**
 * Whether an object in a JSON text names a member twice. `JSON.parse`, which returned `parsed`, keeps the last value, while a reader of the
 * text may see the first.
 */
export function repeatsMember(text: string, parsed: unknown): boolean {
  const members = countMembers(parsed);
  // Every member has a quote and a colon. If there are as many as members, none was lost. Strings may contain more.
  if (countColons(text) === members) return false;
  return [...text.matchAll(MEMBER)].filter(([, colon]) => colon !== undefined).length !== members;
}

const QUOTE = 34;
const SPACE = 32;

/** Counts the colons after a quote. Loops, because this runs for every line of a batch. */
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
  // A list in place of recursion, because JSON may nest deeper than calls can. A string would be looped over by its characters.
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
