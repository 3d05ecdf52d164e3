import { StringDecoder } from "node:string_decoder";
import { utf16ByMark } from "../../text-file.ts";

interface Decoder {
  write(bytes: Buffer): string;
  end(): string;
}

/** A stream of bytes as text: UTF-8, or UTF-16 as PowerShell and Windows' own logs have it. */
export async function* decodedText(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let decoder: Decoder | undefined;
  let held: Buffer = Buffer.alloc(0);
  for await (const { buffer, byteOffset, byteLength } of chunks) {
    const chunk = Buffer.from(buffer, byteOffset, byteLength);
    if (decoder !== undefined) {
      yield decoder.write(chunk);
      continue;
    }
    // A pipe may bring the beginning in pieces.
    held = Buffer.concat([held, chunk]);
    if (held.length < BEGINNING) continue;
    decoder = decoderFor(held);
    yield decoder.write(held);
  }
  yield decoder?.end() ?? held.toString("utf8");
}

const BEGINNING = 4;

function decoderFor(begin: Buffer): Decoder {
  const [a = 0, b = 0, c = 0, d = 0] = begin;
  // Without a mark: two characters of ASCII, and the zeros of each.
  const isLittle = a !== 0 && b === 0 && c !== 0 && d === 0;
  const isBig = a === 0 && b !== 0 && c === 0 && d !== 0;
  const encoding = utf16ByMark(begin) ?? (isLittle ? "utf-16le" : isBig ? "utf-16be" : undefined);
  if (encoding === undefined) return new StringDecoder("utf8");
  const decoder = new TextDecoder(encoding);
  return { write: (bytes) => decoder.decode(bytes, { stream: true }), end: () => decoder.decode() };
}
