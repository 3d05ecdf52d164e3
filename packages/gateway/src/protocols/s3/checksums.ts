import { CHECKSUM_BYTES, type ChecksumAlgorithm, isChecksumAlgorithm } from "../../http/checksum.ts";
import { excerpt } from "../../http/excerpt.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { ChecksumRequest, DeclaredDigests } from "../../storage/contract/storage.ts";
import { bytesOfBase64, bytesOfHex } from "../request-fields.ts";
import { invalidCombination, notImplemented } from "./arguments.ts";
import type { S3Call } from "./row.ts";

/**
 * The digests that are compared with the body and not stored: `Content-MD5` and the payload hash, signed or not.
 *
 * @throws {Refusal} `INVALID_DIGEST`; `NOT_IMPLEMENTED` for a body with framing
 */
export function declaredDigests({ received, permit, payload }: S3Call): DeclaredDigests {
  let md5: Uint8Array | undefined;
  let sha256: Uint8Array | undefined;
  for (const [name, value] of received.request.headers) {
    const lower = name.toLowerCase();
    if (lower === "content-md5") md5 = bytesOfBase64(lower, value, 16);
    if (lower === "x-amz-content-sha256" && !payload.chunked) sha256 = payloadHash(value);
  }
  for (const obligation of permit.grant.obligations) {
    if (obligation.kind === "body-sha256") sha256 = payloadHash(obligation.sha256);
  }
  return { md5, sha256 };
}

function payloadHash(value: string): Uint8Array | undefined {
  if (value === "UNSIGNED-PAYLOAD") return undefined;
  // A streaming mode outside the signature: its framing would be stored with the object (CVE-2025-31489, CVE-2026-41145).
  if (!/^[0-9a-f]{64}$/.test(value)) {
    const message = `x-amz-content-sha256 is ${excerpt(value)}. Send a SHA-256 in hex, or UNSIGNED-PAYLOAD`;
    throw new Refusal("UNSUPPORTED_PAYLOAD", message, { found: value });
  }
  return bytesOfHex(value);
}

const SDK_ALGORITHM = "x-amz-sdk-checksum-algorithm";

/**
 * The `x-amz-checksum-*` of a body. If only `x-amz-sdk-checksum-algorithm` of a presigned URL names an algorithm, the checksum is
 * computed and stored: the URL was signed before there was a body.
 *
 * @throws {Refusal} `INVALID_COMBINATION`, `INVALID_DIGEST`
 */
export function declaredChecksum({ checksums, amz, received, payload }: S3Call): ChecksumRequest | undefined {
  const named = amz.get(SDK_ALGORITHM);
  const algorithm = named === undefined ? undefined : checksumAlgorithm(named, SDK_ALGORITHM);
  if (checksums.size + payload.trailers.length > 1) {
    throw invalidCombination("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
  }
  for (const [declared, expected] of checksums) {
    if (!isChecksumAlgorithm(declared)) throw notImplemented("header", `x-amz-checksum-${declared}`);
    bytesOfBase64(`x-amz-checksum-${declared}`, expected, CHECKSUM_BYTES[declared]);
    if (algorithm !== undefined && algorithm !== declared) throw invalidAlgorithm(SDK_ALGORITHM);
    return { algorithm: declared, expected };
  }
  for (const trailer of payload.trailers) {
    const declared = checksumAlgorithm(trailer.slice("x-amz-checksum-".length), "x-amz-trailer");
    if (algorithm !== undefined && algorithm !== declared) throw invalidAlgorithm(SDK_ALGORITHM);
    return {
      algorithm: declared,
      expected() {
        const value = payload.trailer(trailer);
        if (value !== undefined) bytesOfBase64(trailer, value, CHECKSUM_BYTES[declared]);
        return value;
      },
    };
  }
  if (algorithm === undefined) return undefined;
  // The AWS SDK for JavaScript sends a requested MD5 under its older name.
  const { headers } = received.request;
  const md5 = algorithm === "md5" ? headers.find(([name]) => name.toLowerCase() === "content-md5") : undefined;
  if (md5 !== undefined) return { algorithm, expected: md5[1] };
  if (headers.some(([name]) => name.toLowerCase() === SDK_ALGORITHM)) {
    throw invalidCombination(
      "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
    );
  }
  return { algorithm };
}

/** The algorithm that a header names, in any case. */
export function checksumAlgorithm(value: string, header: string): ChecksumAlgorithm {
  const lower = value.toLowerCase();
  if (!isChecksumAlgorithm(lower)) throw invalidAlgorithm(header);
  return lower;
}

function invalidAlgorithm(header: string): Refusal {
  return new Refusal("INVALID_DIGEST", `${header} names an unknown or another algorithm. Correct it`, { header });
}
