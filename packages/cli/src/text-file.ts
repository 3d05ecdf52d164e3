import { readFile } from "node:fs/promises";

/** The text of a file. Windows' editors and PowerShell begin it with a mark, and may write UTF-16. */
export async function readTextFile(path: string): Promise<string> {
  return decoded(await readFile(path));
}

/** The text of bytes, without the mark that they may begin with. */
export function decoded(bytes: Uint8Array): string {
  return new TextDecoder(utf16ByMark(bytes) ?? "utf-8").decode(bytes);
}

/** Which UTF-16 bytes begin with the mark of, if any. */
export function utf16ByMark([first, second]: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : undefined;
}
