/** A CRC that S3 has as a checksum: CRC-32, CRC-32C or CRC-64/NVME. */
export type CrcAlgorithm = "crc32" | "crc32c" | "crc64nvme";

/** A checksum that is being computed. */
export interface RunningCrc {
  update(bytes: Uint8Array): void;
  /** Big-endian, as S3 writes it. */
  digest(): Uint8Array;
}

/** Makes the CRCs that S3 has as checksums. */
export function crcs(): Readonly<Record<CrcAlgorithm, () => RunningCrc>>;
