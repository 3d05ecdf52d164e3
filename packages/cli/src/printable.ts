// What moves the cursor, changes colours or ends a line; and what turns the direction of writing.
const ACTS = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * Text out of a URL, a log or an answer, as a terminal may be shown it. A key can hold any character: in a log that a
 * stranger has written to, an escape sequence or a line feed of his would tell the reader what he likes.
 */
export function printable(text: string): string {
  return text.replace(ACTS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
