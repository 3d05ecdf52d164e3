import { constantTimeEqual, hmacSha256, sha256Hex, sha256Stream } from "#crypto";
import { DaypassError, refusal } from "../../../core/errors.ts";
import { AWS4, type CredentialScope, scopeText, signingKey } from "../../../core/v4.ts";
import { malformed } from "../../../wire/parameters.ts";
import { UNSIGNED_PAYLOAD } from "../canonical.ts";
import type { ParsedS3Header } from "./parse.ts";

/** How a body is sent in chunks (`Content-Encoding: aws-chunked`). */
export interface ChunkedPayload {
  /** Whether each chunk, and the trailer, carries its own signature. */
  readonly signed: boolean;
  /** Bytes of the body without its framing, from the signed `x-amz-decoded-content-length`. */
  readonly length: number;
  /** Names of the fields that follow the last chunk, lower case, from the signed `x-amz-trailer`. */
  readonly trailers: readonly string[];
}

const MODES: Readonly<Record<string, { readonly signed: boolean; readonly trailer: boolean }>> = {
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": { signed: true, trailer: false },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": { signed: true, trailer: true },
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER": { signed: false, trailer: true },
};
const FIELD_NAME = /^x-amz-checksum-(?:crc32|crc32c|crc64nvme|md5|sha1|sha256|sha512)$/;

/**
 * The chunked payload that a request announces, or `undefined` for a body in one piece. The mode is the last line of the
 * canonical request, so a signature that verifies has chosen it; what it needs has to be signed as well.
 *
 * @throws {DaypassError} `MALFORMED`, `UNSUPPORTED_PAYLOAD`
 */
export function readChunkedPayload({ payload, headers }: ParsedS3Header): ChunkedPayload | undefined {
  if (!payload.startsWith("STREAMING-")) return undefined;
  const mode = Object.hasOwn(MODES, payload) ? MODES[payload] : undefined;
  if (mode === undefined) {
    throw refusal(
      "UNSUPPORTED_PAYLOAD",
      `the payload mode is not supported. Send ${UNSIGNED_PAYLOAD}, a SHA-256 or one of ${Object.keys(MODES).join(", ")}`,
      { parameter: "x-amz-content-sha256", found: payload },
    );
  }
  const signedValue = (name: string): string | undefined => {
    const values = headers.find((header) => header.name === name)?.values ?? [];
    if (values.length > 1) throw malformed(name, "duplicate", "one header");
    return values[0];
  };
  const length = signedValue("x-amz-decoded-content-length");
  if (!/^\d{1,15}$/.test(length ?? "")) {
    const problem = length === undefined ? "missing" : "form";
    throw malformed("x-amz-decoded-content-length", problem, "the signed length of the body without its chunks", {
      ...(length !== undefined && { found: length }),
    });
  }
  const names = signedValue("x-amz-trailer");
  if ((names !== undefined) !== mode.trailer) {
    throw malformed(
      "x-amz-trailer",
      mode.trailer ? "missing" : "form",
      mode.trailer ? "the names of the trailer" : "a header for bodies with a trailer",
    );
  }
  const trailers = names?.split(",").map((name) => name.trim().toLowerCase()) ?? [];
  if (new Set(trailers).size !== trailers.length || !trailers.every((name) => FIELD_NAME.test(name))) {
    throw malformed("x-amz-trailer", "form", "names of checksums, each once");
  }
  return { signed: mode.signed, length: Number(length), trailers };
}

/** What the signature of a chunk continues: the request's own. */
export interface ChunkSeed {
  readonly secretAccessKey: string;
  readonly scope: CredentialScope;
  readonly time: string;
  readonly signature: string;
}

/** A body without its framing. */
export interface OpenedBody {
  /** Throws `MALFORMED`, `SIGNATURE_MISMATCH` or `BODY_LENGTH`: act on the bytes only after the iteration has finished. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** The fields after the last chunk, once the iteration has finished; empty until then. */
  readonly trailers: ReadonlyMap<string, string>;
}

// A size in hexadecimal, and `;chunk-signature=` with 64 digits.
const MAX_LINE = 128;
const MAX_TRAILER_LINE = 256;
// "The size of chunk data must be at least 8 KB", the last one's excepted.
const MIN_CHUNK = 8192;
const EMPTY_HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const NO_BYTES = new Uint8Array(0);

/**
 * Takes a body out of its chunks as it comes in, with constant memory. Each chunk is held against its signature, which covers
 * the one before it, so that chunks cannot be left out, repeated or put in another order.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
export function openChunks(body: AsyncIterable<Uint8Array>, payload: ChunkedPayload, seed: ChunkSeed): OpenedBody {
  const trailers = new Map<string, string>();
  return { trailers, bytes: decode(reader(body), payload, chain(payload, seed), trailers) };
}

async function* decode(
  input: Reader,
  { length, trailers: announced }: ChunkedPayload,
  signatures: SignatureChain,
  trailers: Map<string, string>,
): AsyncGenerator<Uint8Array> {
  let received = 0;
  let isShort = false;
  for (;;) {
    const chunk = readChunkLine(await input.line(MAX_LINE), signatures.signed);
    received += chunk.size;
    if (received > length) throw wrongLength(length, "more");
    if (chunk.size === 0) {
      signatures.check(chunk.signature, EMPTY_HASH);
      break;
    }
    if (isShort && signatures.signed)
      throw malformedChunk("chunk-size", `send ${MIN_CHUNK} bytes or more in each chunk but the last`);
    isShort = chunk.size < MIN_CHUNK;
    const hash = signatures.signed ? sha256Stream() : undefined;
    for (let left = chunk.size; left > 0; ) {
      const bytes = await input.bytes(left);
      hash?.update(bytes);
      left -= bytes.length;
      yield bytes;
    }
    if ((await input.line(0)) !== "") throw malformedChunk("chunk", "a chunk has no line end after it");
    signatures.check(chunk.signature, hash?.hex() ?? "");
  }
  if (received < length) throw wrongLength(length, String(received));
  await readTrailers(input, announced, signatures, trailers);
}

function readChunkLine(line: string, signed: boolean): { readonly size: number; readonly signature: string } {
  const [, size = "", signature = ""] = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line) ?? [];
  if (size === "" || (signature !== "") !== signed) {
    throw malformedChunk(
      "chunk",
      `a chunk does not begin with its size in hexadecimal${signed ? " and its chunk-signature" : ""}`,
    );
  }
  return { size: Number.parseInt(size, 16), signature };
}

const TRAILER_SIGNATURE = "x-amz-trailer-signature";

async function readTrailers(
  input: Reader,
  announced: readonly string[],
  signatures: SignatureChain,
  trailers: Map<string, string>,
): Promise<void> {
  const found = new Map<string, string>();
  for (let line = await input.line(MAX_TRAILER_LINE); line !== ""; line = await input.line(MAX_TRAILER_LINE)) {
    // The line feed that the signature covers, minio-go sends as well: "…==\n\r\n".
    const [, name = "", value = ""] = /^([A-Za-z0-9-]+): *(\S+) *\n?$/.exec(line) ?? [];
    const lower = name.toLowerCase();
    if (found.has(lower) || !(announced.includes(lower) || (signatures.signed && lower === TRAILER_SIGNATURE))) {
      throw malformedChunk("trailers", "the trailers are not the fields that x-amz-trailer names, each once");
    }
    found.set(lower, value);
  }
  const signature = found.get(TRAILER_SIGNATURE);
  found.delete(TRAILER_SIGNATURE);
  if (found.size !== announced.length) throw malformedChunk("trailers", "a field that x-amz-trailer names is missing");
  if (announced.length > 0) signatures.checkTrailer(signature ?? "", found);
  if ((await input.rest()).length > 0) throw malformedChunk("chunk", "the body continues after the last chunk");
  for (const [name, value] of found) trailers.set(name, value);
}

interface SignatureChain {
  readonly signed: boolean;
  check(signature: string, hash: string): void;
  checkTrailer(signature: string, trailers: ReadonlyMap<string, string>): void;
}

/** Each signature covers the one before it. */
function chain({ signed }: ChunkedPayload, { secretAccessKey, scope, time, signature }: ChunkSeed): SignatureChain {
  if (!signed) return { signed, check: () => {}, checkTrailer: () => {} };
  const key = hmacSha256(signingKey(AWS4, secretAccessKey, scope));
  let previous = signature;
  const check = (found: string, kind: string, text: string): void => {
    const expected = key.hex(`${AWS4.algorithm}-${kind}\n${time}\n${scopeText(AWS4, scope)}\n${previous}\n${text}`);
    if (!constantTimeEqual(expected, found)) {
      throw new DaypassError(
        "SIGNATURE_MISMATCH",
        "the signature does not belong to this chunk. The body was changed on its way",
        { details: { part: "chunk" } },
      );
    }
    previous = expected;
  };
  return {
    signed,
    check: (found, hash) => check(found, "PAYLOAD", `${EMPTY_HASH}\n${hash}`),
    checkTrailer(found, trailers) {
      const text = [...trailers].map(([name, value]) => `${name}:${value}\n`).join("");
      check(found, "TRAILER", sha256Hex(text));
    },
  };
}

interface Reader {
  /** A line of at most so many characters, without its CR LF. */
  line(most: number): Promise<string>;
  /** The next bytes, at least one and at most so many, as they came in. */
  bytes(most: number): Promise<Uint8Array>;
  /** What has not been read, if anything. */
  rest(): Promise<Uint8Array>;
}

function reader(body: AsyncIterable<Uint8Array>): Reader {
  const source = body[Symbol.asyncIterator]();
  let current: Uint8Array = NO_BYTES;

  async function more(): Promise<boolean> {
    while (current.length === 0) {
      const { done, value } = await source.next();
      if (done === true) return false;
      current = value;
    }
    return true;
  }

  function take(count: number): Uint8Array {
    const taken = current.subarray(0, count);
    current = current.subarray(count);
    return taken;
  }

  async function bytes(most: number): Promise<Uint8Array> {
    if (await more()) return take(most);
    throw new DaypassError("BODY_LENGTH", "the body ends inside a chunk. Send all of it", {
      details: { part: "chunks" },
    });
  }

  return {
    bytes,
    async line(most) {
      let text = "";
      for (;;) {
        if (!(await more())) throw malformedChunk("chunk", "the last chunk, of size 0, is missing");
        const end = current.indexOf(10);
        const piece = take(end < 0 ? current.length : end + 1);
        // Two more for the line's end.
        if (text.length + piece.length > most + 2) throw malformedChunk("chunk", "a line is too long");
        for (const byte of piece) text += String.fromCharCode(byte);
        // A line feed alone does not end a line, and makes the line unreadable.
        if (text.endsWith("\r\n")) return text.slice(0, -2);
      }
    },
    rest: async () => ((await more()) ? current : NO_BYTES),
  };
}

function malformedChunk(problem: string, expected: string): DaypassError {
  return new DaypassError("MALFORMED", `aws-chunked body: ${expected}`, { details: { part: "chunks", problem } });
}

function wrongLength(expected: number, found: string): DaypassError {
  return new DaypassError(
    "BODY_LENGTH",
    `the body has ${found} bytes, and x-amz-decoded-content-length announces ${expected}`,
    { details: { part: "chunks" } },
  );
}
