/**
 * A name that an object in a JSON text has twice, `undefined` where there is none. `JSON.parse` keeps the last of them and
 * others the first: what was checked by one would be signed by another as something else.
 *
 * @param value what the text was read as
 */
export function repeatedName(text: string, value: unknown): string | undefined {
  // Counted first: most lines are in order, and to look at every name costs more.
  return countNames(text) === countMembers(value) ? undefined : findRepeated(text);
}

function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += countMembers(item);
    return count;
  }
  for (const name in value) {
    count += 1;
    const member = (value as Readonly<Record<string, unknown>>)[name];
    if (typeof member === "object") count += countMembers(member);
  }
  return count;
}

const [TAB, LINE_FEED, RETURN, SPACE, COLON, BACKSLASH] = [9, 10, 13, 32, 58, 92];

// From quote to quote: to look at each character takes half as long again.
function countNames(text: string): number {
  let count = 0;
  for (let start = text.indexOf('"'); start >= 0; ) {
    let at = endOfString(text, start) + 1;
    let next = text.charCodeAt(at);
    while (next === SPACE || next === TAB || next === LINE_FEED || next === RETURN) next = text.charCodeAt(++at);
    if (next === COLON) count += 1;
    start = text.indexOf('"', at);
  }
  return count;
}

/** Of a text that is JSON: the quote that ends the string which begins here. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (text.charCodeAt(end - 1) === BACKSLASH && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}

function findRepeated(text: string): string | undefined {
  const objects: Set<string>[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === "{" || character === "[") objects.push(new Set());
    else if (character === "}" || character === "]") objects.pop();
    else if (character === '"') {
      const end = endOfString(text, at);
      const names = objects.at(-1);
      if (/^\s*:/.test(text.slice(end + 1, end + 100)) && names !== undefined) {
        const name = JSON.parse(text.slice(at, end + 1)) as string;
        if (names.has(name)) return name;
        names.add(name);
      }
      at = end;
    }
  }
  return undefined;
}
