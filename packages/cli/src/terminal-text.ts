// Characters that move the cursor, change colours, end a line or change the writing direction.
const CONTROLS = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * Escapes control characters before text from a URL, a log or a response reaches a terminal. A key may contain any character, so a
 * stranger could otherwise forge the output.
 */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Formats rows as columns. */
export function table(texts: readonly (readonly string[])[]): string {
  const rows = texts.map((row) => row.map(escapeControls));
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  const lines = rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  "));
  return lines.map((line) => line.trimEnd()).join("\n");
}
