import { refusal } from "../../../core/errors.ts";
import { malformed } from "../../../wire/parameters.ts";
import { UNSIGNED_PAYLOAD } from "../canonical.ts";
import type { ParsedS3Header } from "./parse.ts";

/** How a body is sent in chunks (`Content-Encoding: aws-chunked`). */
export interface ChunkedPayload {
  /** Whether each chunk, and the trailer, carries a signature of its own. */
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
      `${UNSIGNED_PAYLOAD}, SHA-256 or one of ${Object.keys(MODES).join(", ")}, found another mode`,
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
