/**
 * Reads JSON that may hold a secret; `undefined` for text that is none. The parser's own message would repeat a part of it, so whoever
 * refuses the text says in his own words what was expected.
 */
export function privateJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
