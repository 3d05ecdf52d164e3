import { renderUnicodeCompact } from "uqr";

// White blocks on black by number, because a light or tinted theme changes the named colours, and cameras do not read an inverted code.
const COLOURS = "\u001b[38;5;231;48;5;16m";
const RESET = "\u001b[0m";

/** Draws an address for the camera of a phone; `undefined` if the terminal is too narrow, because a wrapped code does not scan. */
export function qrCode(url: string, columns = 80): string | undefined {
  // ISO/IEC 18004, 5.3.8: four modules of white around the symbol.
  const lines = renderUnicodeCompact(url, { border: 4 }).split("\n");
  if ((lines[0]?.length ?? 0) > columns) return undefined;
  return lines.map((line) => `${COLOURS}${line}${RESET}`).join("\n");
}
