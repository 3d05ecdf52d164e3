import { createHash } from "node:crypto";
import { CHECKSUM_BYTES, type RunningDigest, runningChecksum } from "../../http/checksum.ts";
import { keptPieces } from "../../http/kept-pieces.ts";
import {
  type BodyDigests,
  type BodyOptions,
  checkDigests,
  checkedBody,
  refuseAnnounced,
} from "../contract/checked-body.ts";
import type { ChecksumAlgorithm } from "../contract/storage.ts";
import type { HeldBytes } from "./held-memory.ts";

/** A body that can be sent: in whole, or as a stream of known length. */
export interface SendableBody {
  readonly kind: "sendable";
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes. */
  readonly length: number;
  /** Complete once the body is sent. */
  digests(): BodyDigests;
}

/** A body that is longer than the memory of one upload, and of unknown length. */
export interface EndlessBody {
  readonly kind: "endless";
  /** The pieces that were read. The sender removes each piece before sending it. */
  readonly held: Uint8Array[];
  readonly rest: AsyncIterator<Uint8Array>;
}

/** Bytes up to which a body is collected, so that its digests are known before it is sent. */
export const SMALL: number = 128 * 1024;
const MD5_BYTES = 16;

/**
 * Reads as much of a body as must be known before the first byte is sent: S3 needs the length first, and a trailing checksum of the
 * client becomes a header. A body whose announced length is out of bounds is not read. The caller releases `memory`.
 *
 * @throws {StorageError} `TOO_LARGE`, `TOO_SMALL`, `INCOMPLETE_BODY`, `DIGEST_MISMATCH`, `CHECKSUM_MISMATCH`, `UNAVAILABLE`
 */
export async function uploadBody(
  body: AsyncIterable<Uint8Array>,
  options: BodyOptions,
  { holdBytes, memory }: { readonly holdBytes: number; readonly memory: HeldBytes },
): Promise<SendableBody | EndlessBody> {
  refuseAnnounced(options);
  const { contentLength, checksum } = options;
  const late = checksum !== undefined && typeof checksum.expected !== "string";
  const checked = checkedBody(body, options);
  if (contentLength !== undefined && contentLength > (late ? holdBytes : SMALL))
    return streamed(checked, options, contentLength);
  const kept = keptPieces();
  let size = 0;
  for (;;) {
    const { done, value } = await checked.next();
    if (done === true) break;
    try {
      if (contentLength === undefined) memory.hold(value.length);
      // Small bodies are not counted: the limit on concurrent requests bounds them.
      else if (contentLength > SMALL) await memory.holdInTurn(value.length, options.signal);
    } catch (error) {
      await checked.return();
      throw error;
    }
    kept.add(value);
    size += value.length;
    if (contentLength === undefined && size > holdBytes) return { kind: "endless", held: kept.take(), rest: checked };
  }
  return whole(Buffer.concat(kept.take(), size), options);
}

function whole(bytes: Buffer, options: BodyOptions): SendableBody {
  const digests = runningDigests(options, ["md5"]);
  digests.update(bytes);
  const found = digests.finish();
  checkDigests(options, found);
  const headers = digestHeaders(options, found);
  return { kind: "sendable", body: bytes, headers, length: bytes.length, digests: () => found };
}

function streamed(checked: AsyncIterable<Uint8Array>, options: BodyOptions, length: number): SendableBody {
  const digests = runningDigests(options, []);
  let found: BodyDigests = {};

  /** The last piece is sent only after the digests match: without it, the upstream stores nothing. */
  async function* heldBack(): AsyncGenerator<Uint8Array> {
    let held: Uint8Array | undefined;
    for await (const piece of checked) {
      if (piece.length === 0) continue;
      digests.update(piece);
      if (held !== undefined) yield held;
      held = piece;
    }
    found = digests.finish();
    checkDigests(options, found);
    if (held !== undefined) yield held;
  }

  const { checksum, digests: declared } = options;
  const expected = typeof checksum?.expected === "string" ? Buffer.from(checksum.expected, "base64") : undefined;
  const known: BodyDigests = {
    md5: declared?.md5,
    sha256: declared?.sha256,
    ...(checksum === undefined ? {} : { [checksum.algorithm]: expected }),
  };
  const headers = { ...digestHeaders(options, known), "content-length": String(length) };
  return { kind: "sendable", body: heldBack(), headers, length, digests: () => found };
}

/** S3 accepts one checksum and Content-MD5. */
function digestHeaders({ checksum, digests }: BodyOptions, known: BodyDigests): Record<string, string> {
  const algorithm = checksum?.algorithm ?? (digests?.sha256 === undefined ? undefined : "sha256");
  const value = algorithm === undefined ? undefined : known[algorithm];
  const { md5 } = known;
  // A digest of another length is invalid. The body is refused at its end.
  return {
    ...(md5?.length === MD5_BYTES ? { "content-md5": base64(md5) } : {}),
    ...(algorithm !== undefined && value?.length === CHECKSUM_BYTES[algorithm]
      ? { [`x-amz-checksum-${algorithm}`]: base64(value) }
      : {}),
  };
}

/** The declared and requested digests, and further ones. */
export function runningDigests(
  { digests, checksum }: BodyOptions,
  more: readonly ChecksumAlgorithm[],
): { update(bytes: Uint8Array): void; finish(): BodyDigests } {
  const running = new Map<ChecksumAlgorithm, RunningDigest>();
  const wanted = [
    ...more,
    ...(digests?.md5 === undefined ? [] : ["md5" as const]),
    ...(digests?.sha256 === undefined ? [] : ["sha256" as const]),
    ...(checksum === undefined ? [] : [checksum.algorithm]),
  ];
  for (const name of new Set(wanted)) {
    running.set(name, runningChecksum(name, createHash));
  }
  return {
    update(bytes) {
      for (const digest of running.values()) digest.update(bytes);
    },
    finish: () => Object.fromEntries(Array.from(running, ([name, digest]) => [name, digest.digest()])),
  };
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
