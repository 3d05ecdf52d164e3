import { percentDecode } from "../wire/raw-target.ts";

/** The decoded text, or the text itself if it cannot be decoded. */
export function decodeOr(text: string, decode: (text: string) => string = percentDecode): string {
  try {
    return decode(text);
  } catch {
    return text;
  }
}
