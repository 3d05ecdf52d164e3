/**
 * Incremental checksums of S3: CRCs are computed here, hashes by the caller's `createHash`.
 * @module
 */
import { type CrcAlgorithm, crcs, type RunningCrc } from "./crc.ts";

/** The checksum algorithms of S3, in lower case as in the names of its headers. */
export type ChecksumAlgorithm = CrcAlgorithm | HashAlgorithm;

/** The hashes among S3's checksums that `node:crypto` supports. */
export type HashAlgorithm = "md5" | "sha1" | "sha256" | "sha512";

/** Bytes of each checksum. S3's XXHASH checksums are not supported. */
export const CHECKSUM_BYTES: Readonly<Record<ChecksumAlgorithm, number>> = {
  crc32: 4,
  crc32c: 4,
  crc64nvme: 8,
  md5: 16,
  sha1: 20,
  sha256: 32,
  sha512: 64,
};

/** A digest that is being computed. */
export interface RunningDigest {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

/** `createHash` of `node:crypto` is one. */
export type CreateHash = (algorithm: HashAlgorithm) => RunningDigest;

const CRCS = crcs();

/** Starts a checksum. */
export function runningChecksum(algorithm: ChecksumAlgorithm, createHash: CreateHash): RunningDigest {
  return isCrc(algorithm) ? CRCS[algorithm]() : createHash(algorithm);
}

/** Starts a CRC. */
export function runningCrc(algorithm: CrcAlgorithm): RunningCrc {
  return CRCS[algorithm]();
}

export function isCrc(algorithm: ChecksumAlgorithm): algorithm is CrcAlgorithm {
  return algorithm.startsWith("crc");
}

export function isChecksumAlgorithm(text: string): text is ChecksumAlgorithm {
  return Object.hasOwn(CHECKSUM_BYTES, text);
}
