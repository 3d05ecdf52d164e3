import type { WireRequest } from "daypass";
import type { S3Grant } from "daypass/s3";
import { crc32, crc32c } from "../../http/crc.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { DeclaredDigests } from "../../storage/storage.ts";
import { bytesOfBase64, bytesOfHex } from "../digests.ts";
import { notImplemented } from "./amz.ts";

/**
 * The digests that storage compares with the body: `Content-MD5`, the payload hash, signed or not, and
 * `x-amz-checksum-sha256`.
 *
 * @throws {Refusal} `INVALID_DIGEST`, `NOT_IMPLEMENTED` for a body that is not sent in one piece
 */
export function declaredDigests(
  headers: WireRequest["headers"],
  grant: S3Grant,
  checksums: ReadonlyMap<string, string>,
): DeclaredDigests {
  let md5: Uint8Array | undefined;
  let payload: Uint8Array | undefined;
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (lower === "content-md5") md5 = bytesOfBase64(lower, value, 16);
    if (lower === "x-amz-content-sha256") payload = payloadHash(value);
  }
  for (const obligation of grant.obligations) {
    if (obligation.kind === "body-sha256") payload = payloadHash(obligation.sha256);
  }
  const declared = checksums.get("sha256");
  const checksum = declared === undefined ? undefined : bytesOfBase64("x-amz-checksum-sha256", declared, 32);
  if (payload !== undefined && checksum !== undefined && !payload.every((byte, i) => byte === checksum[i])) {
    throw new Refusal(
      "BODY_DIGEST",
      "expected x-amz-content-sha256 and x-amz-checksum-sha256 to agree, found two digests",
    );
  }
  return { md5, sha256: payload ?? checksum };
}

function payloadHash(value: string): Uint8Array | undefined {
  if (value === "UNSIGNED-PAYLOAD") return undefined;
  // A streaming mode changes the framing of the body, which nothing here undoes (CVE-2025-31489, CVE-2026-41145).
  if (!/^[0-9a-f]{64}$/.test(value)) throw notImplemented("header", "x-amz-content-sha256");
  return bytesOfHex(value);
}

const CRC = { crc32, crc32c };

/**
 * Passes the body on and compares its checksums at the end, before the storage commits: an upload with another checksum than
 * the declared one never becomes an object.
 */
export function checkedBody(
  body: AsyncIterable<Uint8Array>,
  checksums: ReadonlyMap<string, string>,
): AsyncIterable<Uint8Array> {
  let checked = body;
  for (const [algorithm, declared] of checksums) {
    if (algorithm === "sha256") continue;
    if (algorithm !== "crc32" && algorithm !== "crc32c") throw notImplemented("header", `x-amz-checksum-${algorithm}`);
    bytesOfBase64(`x-amz-checksum-${algorithm}`, declared, 4);
    checked = withChecksum(checked, algorithm, declared);
  }
  return checked;
}

async function* withChecksum(
  body: AsyncIterable<Uint8Array>,
  algorithm: keyof typeof CRC,
  declared: string,
): AsyncGenerator<Uint8Array> {
  const update = CRC[algorithm];
  let crc = 0;
  for await (const chunk of body) {
    crc = update(chunk, crc);
    yield chunk;
  }
  const bytes = String.fromCharCode(crc >>> 24, (crc >>> 16) & 255, (crc >>> 8) & 255, crc & 255);
  if (btoa(bytes) === declared) return;
  throw new Refusal("CHECKSUM_MISMATCH", "expected the checksum of this body, found another", {
    algorithm: algorithm.toUpperCase(),
  });
}
