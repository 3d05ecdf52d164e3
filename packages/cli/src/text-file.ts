import { readFile } from "node:fs/promises";

/** The text of a file. Windows' editors and PowerShell begin it with a mark, and may write UTF-16. */
export async function readTextFile(path: string): Promise<string> {
  return decoded(await readFile(path));
}

/** The text of bytes, without the mark that they may begin with. */
export function decoded(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const isLittle = first === 0xff && second === 0xfe;
  const isBig = first === 0xfe && second === 0xff;
  return new TextDecoder(isLittle ? "utf-16le" : isBig ? "utf-16be" : "utf-8").decode(bytes);
}
