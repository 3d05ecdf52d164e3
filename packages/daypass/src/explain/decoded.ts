import { percentDecode } from "../wire/raw-target.ts";

/** Decoded, or as it is where it cannot be. */
export function decodeOr(text: string, decode: (text: string) => string = percentDecode): string {
  try {
    return decode(text);
  } catch {
    return text;
  }
}
