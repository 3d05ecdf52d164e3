/**
 * User metadata on the wire. "When using non-US-ASCII characters in your metadata values … values of such headers are character
 * decoded as per RFC 2047 before storing and encoded as per RFC 2047 to make them mail-safe before returning."
 * @module
 */

const encoder = new TextEncoder();
// A byte order mark is part of the text.
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// encoded-word = "=?" charset "?" encoding "?" encoded-text "?=". White space between two of them is not part of the text.
const ENCODED_WORDS =
  /=\?utf-8\?([bq])\?([\x21-\x3e\x40-\x7e]*)\?=(?:[ \t]+(?==\?utf-8\?[bq]\?[\x21-\x3e\x40-\x7e]*\?=))?/gi;

/** Returns the text of a header's value, in which each character is one byte. */
export function metadataOfHeader(value: string): string {
  return decodeWords(utf8OfHeader(value));
}

/** Returns the text of a parameter's value, which is Unicode already. */
export function metadataOfParameter(value: string): string {
  return decodeWords(value);
}

/** Returns the value of a header for a text. */
export function metadataHeader(text: string): string {
  if (/^[\t\x20-\x7e]*$/.test(text)) return text;
  return `=?UTF-8?B?${btoa(byteString(encoder.encode(text)))}?=`;
}

/** "The size of user-defined metadata is measured by taking the sum of the number of bytes in the UTF-8 encoding of each key and value." */
export function metadataSize(metadata: Iterable<readonly [name: string, value: string]>): number {
  let size = 0;
  for (const [name, value] of metadata) size += encoder.encode(name).length + encoder.encode(value).length;
  return size;
}

/** Decodes a value that a client has sent in UTF-8. Other bytes are Latin-1. */
export function utf8OfHeader(value: string): string {
  if (!/[\x80-\xff]/.test(value)) return value;
  try {
    return strictUtf8.decode(Uint8Array.from(value, (character) => character.charCodeAt(0)));
  } catch {
    return value;
  }
}

function decodeWords(value: string): string {
  if (!value.includes("=?")) return value;
  return value.replace(ENCODED_WORDS, (word: string, encoding: string, text: string) => {
    try {
      const bytes = encoding.toLowerCase() === "b" ? atob(text) : unquoted(text);
      return strictUtf8.decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
    } catch {
      // Not an encoded word.
      return word;
    }
  });
}

/** RFC 2047 §4.2: `=` and two digits for a byte, and `_` for a space. */
function unquoted(text: string): string {
  return text
    .replaceAll("_", " ")
    .replace(/=([0-9A-F]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

function byteString(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
