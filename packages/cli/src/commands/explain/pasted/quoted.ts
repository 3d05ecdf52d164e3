/** What a language escapes with inside of quotes; nothing where it does not. */
export type Escape = "\\" | "`" | "";

/** The place of the quote that closes what begins at `from`. `undefined` where nothing does. */
export function closingQuote(text: string, from: number, quote: string, by: Escape): number | undefined {
  for (let at = from; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === by) at++;
    else if (character === quote) return at;
  }
  return undefined;
}

const CLOSING: Readonly<Record<string, string>> = { "{": "}", "(": ")", "[": "]" };

/**
 * The first place, from `from` on, at which something ends outside of all quotes and of all brackets that opened behind `from`;
 * the end of the text where nothing does. Of JavaScript (escaped with a backslash) or PowerShell (with a backtick).
 */
export function endOutside(
  text: string,
  from: number,
  { by, isEnd }: { readonly by: Escape; readonly isEnd: (character: string, at: number) => boolean },
): number {
  const open: string[] = [];
  for (let at = from; at < text.length; at++) {
    const character = text.charAt(at);
    if (open.length === 0 && isEnd(character, at)) return at;
    if (character === '"' || character === "'" || (character === "`" && by === "\\")) {
      // In PowerShell nothing is escaped between single quotes.
      at = closingQuote(text, at + 1, character, by === "`" && character === "'" ? "" : by) ?? text.length;
    } else if (character === by) at++;
    else if (Object.hasOwn(CLOSING, character)) open.push(CLOSING[character] as string);
    else if (character === open.at(-1)) open.pop();
  }
  return text.length;
}
