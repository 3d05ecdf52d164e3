import { Refusal } from "../pipeline/refusal.ts";

/** Bytes of a declared digest. Only canonical base64 of the right length is one. */
export function bytesOfBase64(header: string, text: string, length: number): Uint8Array {
  let bytes = "";
  try {
    bytes = atob(text);
  } catch {
    // Reported below, with wrong lengths and other spellings of the same bytes.
  }
  if (bytes.length !== length || btoa(bytes) !== text) {
    throw new Refusal("INVALID_DIGEST", `expected ${header} as base64 of ${length} bytes, found something else`, {
      header,
      value: text,
    });
  }
  return Uint8Array.from(bytes, (character) => character.charCodeAt(0));
}

/** Bytes of 64 hexadecimal digits. */
export function bytesOfHex(text: string): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}
