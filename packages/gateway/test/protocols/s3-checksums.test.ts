import { describe, expect, it } from "vitest";
import { declaredChecksum } from "../../src/protocols/s3/checksums.ts";
import type { S3Call } from "../../src/protocols/s3/row.ts";

interface Told {
  /** `x-amz-checksum-*` by algorithm. */
  readonly checksums?: Readonly<Record<string, string>>;
  /** `x-amz-sdk-checksum-algorithm`, and whether it is a header. */
  readonly algorithm?: string;
  readonly inHeader?: boolean;
  readonly trailers?: readonly string[];
}

const SDK = "x-amz-sdk-checksum-algorithm";

/** The algorithm of the checksum that is kept, or the code of the refusal. */
function kept({ checksums = {}, algorithm, inHeader = false, trailers = [] }: Told): string | undefined {
  const call = {
    checksums: new Map(Object.entries(checksums)),
    amz: new Map(algorithm === undefined ? [] : [[SDK, algorithm]]),
    received: { request: { headers: inHeader ? [[SDK, algorithm]] : [] } },
    payload: { trailers, trailer: () => undefined },
  };
  try {
    return declaredChecksum(call as unknown as S3Call)?.algorithm;
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

const CRC = { crc32: "AAAAAA==" };

describe("the checksum of a body", () => {
  it.each<[string, string | undefined, Told]>([
    ["is the one that was sent", "crc32", { checksums: CRC }],
    ["is the one that was sent and named", "crc32", { checksums: CRC, algorithm: "CRC32", inHeader: true }],
    ["may be behind the body", "crc32", { trailers: ["x-amz-checksum-crc32"], algorithm: "CRC32", inHeader: true }],
    ["is computed where a URL names it", "sha256", { algorithm: "SHA256" }],
    ["is none where nothing tells of one", undefined, {}],
  ])("%s", (_, expected, told) => {
    expect(kept(told)).toBe(expected);
  });

  it.each<[string, string, Told]>([
    ["of another algorithm than was named", "INVALID_DIGEST", { checksums: CRC, algorithm: "SHA256" }],
    ["behind the body of another one", "INVALID_DIGEST", { trailers: ["x-amz-checksum-crc32"], algorithm: "SHA256" }],
    ["of a length that the algorithm has not", "INVALID_DIGEST", { checksums: { crc32: "AAAA" } }],
    ["of an algorithm that is not known", "INVALID_DIGEST", { algorithm: "CRC16" }],
    ["beside another one", "INVALID_COMBINATION", { checksums: { ...CRC, sha1: `${"A".repeat(27)}=` } }],
    ["beside one behind the body", "INVALID_COMBINATION", { checksums: CRC, trailers: ["x-amz-checksum-crc32"] }],
    ["that a header names and nothing tells", "INVALID_COMBINATION", { algorithm: "SHA256", inHeader: true }],
  ])("%s is refused", (_, code, told) => {
    expect(kept(told)).toBe(code);
  });
});
