import { StringDecoder } from "node:string_decoder";

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
  const isLittle = (a === 0xff && b === 0xfe) || (a !== 0 && b === 0 && c !== 0 && d === 0);
  const isBig = (a === 0xfe && b === 0xff) || (a === 0 && b !== 0 && c === 0 && d !== 0);
  if (!isLittle && !isBig) return new StringDecoder("utf8");
  const decoder = new TextDecoder(isLittle ? "utf-16le" : "utf-16be");
  return { write: (bytes) => decoder.decode(bytes, { stream: true }), end: () => decoder.decode() };
}
