/**
 * The checks of an uploaded body, for all drivers.
 * @module
 */
import { timingSafeEqual } from "node:crypto";
import { type ChecksumAlgorithm, type PutOptions, StorageError } from "./storage.ts";

/** The options that concern the bytes. */
export type BodyOptions = Pick<
  PutOptions,
  "contentLength" | "maxBytes" | "minBytes" | "digests" | "checksum" | "signal"
>;

/** Digests of a body, raw. */
export type BodyDigests = { readonly [name in ChecksumAlgorithm]?: Uint8Array | undefined };

/** Errors of a connection that broke during a body. */
const BROKEN_CONNECTION = new Set([
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ABORT_ERR",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_HTTP_REQUEST_TIMEOUT",
]);

/**
 * Passes a body through while checking its length. A body that ends is complete.
 * @throws {StorageError} `TOO_LARGE`, `TOO_SMALL`, `INCOMPLETE_BODY`
 */
export async function* checkedBody(
  body: AsyncIterable<Uint8Array>,
  options: BodyOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { contentLength, maxBytes, minBytes = 0, signal } = options;
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.length;
      if (signal?.aborted === true) throw incomplete("the request was aborted", signal.reason);
      // Counted, never taken from a header alone (CVE-2026-30961).
      if (maxBytes !== undefined && size > maxBytes) throw tooLarge(size, maxBytes);
      if (contentLength !== undefined && size > contentLength) {
        throw incomplete(`more arrived than the announced ${contentLength} bytes`);
      }
      yield chunk;
    }
  } catch (error) {
    throw BROKEN_CONNECTION.has(errnoOf(error)) ? incomplete("the connection broke", error) : error;
  }
  if (signal?.aborted === true) throw incomplete("the request was aborted", signal.reason);
  if (contentLength !== undefined && size < contentLength) {
    throw incomplete(`${size} bytes arrived, ${contentLength} were announced`);
  }
  if (size < minBytes) throw tooSmall(size, minBytes);
}

/** Refuses by the announced length alone, before anything is read. @throws {StorageError} `TOO_LARGE`, `TOO_SMALL` */
export function refuseAnnounced({ contentLength, maxBytes, minBytes }: BodyOptions): void {
  if (contentLength === undefined) return;
  if (maxBytes !== undefined && contentLength > maxBytes) throw tooLarge(contentLength, maxBytes);
  if (minBytes !== undefined && contentLength < minBytes) throw tooSmall(contentLength, minBytes);
}

function checkDigest(name: "md5" | "sha256", declared: Uint8Array | undefined, actual: Uint8Array | undefined): void {
  if (declared === undefined) return;
  if (actual?.length === declared.length && timingSafeEqual(actual, declared)) return;
  const encoding = name === "md5" ? "base64" : "hex";
  const text = (bytes: Uint8Array = new Uint8Array()): string => Buffer.from(bytes).toString(encoding);
  throw new StorageError("DIGEST_MISMATCH", `the ${name} of the body is not the declared one`, {
    digest: name,
    details: { expected: text(declared), calculated: text(actual) },
  });
}

/**
 * Compares the declared digests with the computed ones.
 * @throws {StorageError} `DIGEST_MISMATCH`, `CHECKSUM_MISMATCH`
 */
export function checkDigests(options: BodyOptions, digests: BodyDigests): void {
  checkDigest("md5", options.digests?.md5, digests.md5);
  checkDigest("sha256", options.digests?.sha256, digests.sha256);
  checkChecksum(options, digests);
}

/** After the body, because the expected value may be a trailer. */
function checkChecksum({ checksum }: BodyOptions, digests: BodyDigests): void {
  if (checksum === undefined) return;
  const { algorithm } = checksum;
  const expected = typeof checksum.expected === "function" ? checksum.expected() : checksum.expected;
  const calculated = Buffer.from(digests[algorithm] ?? []).toString("base64");
  if (expected === undefined || expected === calculated) return;
  throw new StorageError("CHECKSUM_MISMATCH", `the ${algorithm} of the body is not the declared one`, {
    digest: algorithm,
    details: { expected, calculated },
  });
}

function incomplete(what: string, cause?: unknown): StorageError {
  return new StorageError("INCOMPLETE_BODY", `the body is incomplete: ${what}`, cause === undefined ? {} : { cause });
}

function tooLarge(size: number, maxBytes: number): StorageError {
  return new StorageError("TOO_LARGE", `the body is longer than the ${maxBytes} bytes allowed`, {
    details: { size, limit: maxBytes },
  });
}

function tooSmall(size: number, minBytes: number): StorageError {
  return new StorageError("TOO_SMALL", `the body has ${size} bytes and at least ${minBytes} are required`, {
    details: { size, limit: minBytes },
  });
}

/** The `code` of a system error, e.g. `ECONNRESET`. */
function errnoOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
