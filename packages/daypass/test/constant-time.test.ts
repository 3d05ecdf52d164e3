import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import * as node from "../src/crypto/node.ts";
import * as portable from "../src/crypto/portable.ts";

const source = fileURLToPath(new URL("../src", import.meta.url));
// Cloud Storage compares in its keys, SigV2 in one function for query and header, and edge tokens in their engine.
const verifiers = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((path) =>
  /^(?:schemes\/.*|edge)\/verify\.ts$|^schemes\/gcs\/credentials\.ts$|^schemes\/s3\/v2\/canonical\.ts$/.test(path),
);

describe("CVE-2014-0006, CVE-2019-18887: the comparison of signatures", () => {
  // A verifier with a public key compares nothing: the value that it computes is not secret.
  it.each(verifiers)("%s is in constant time", (path) => {
    const text = readFileSync(join(source, path), "utf8");
    expect(text).toMatch(
      /constantTimeEqual\(|equalDigests\(|publicKey\.verify\(|hasSigned\(|checkS3V2\(|\.\.\.s3Scheme\(/,
    );
    expect(text).not.toMatch(
      /\b(?:signature|mac)\b[^;\n]*(?:(?:===|!==)(?! (?:true|undefined))|localeCompare|startsWith)/,
    );
  });

  it.each([
    ["node", node.constantTimeEqual],
    ["node, digests", node.equalDigests],
    ["portable", portable.constantTimeEqual],
    ["portable, digests", portable.equalDigests],
  ])("%s: only the same text is equal, wherever it differs", (_, equal) => {
    const hex = "0123456789abcdef".repeat(4);
    for (const text of [hex, hex.slice(0, 43)]) {
      expect(equal(text, text)).toBe(true);
      for (let i = 0; i < text.length; i++) {
        expect(equal(text, `${text.slice(0, i)}X${text.slice(i + 1)}`)).toBe(false);
        // One byte of this character is correct.
        const twin = String.fromCharCode(text.charCodeAt(i) + 256);
        expect(equal(text, `${text.slice(0, i)}${twin}${text.slice(i + 1)}`)).toBe(false);
      }
    }
    // In UTF-8 the last text is as long as two digests, with two equal halves.
    for (const other of ["", hex.slice(1), `${hex}0`, `${hex}\0`, hex.toUpperCase(), "é".repeat(64)]) {
      expect(equal(hex, other)).toBe(false);
      expect(equal(other, hex)).toBe(false);
    }
  });
});
