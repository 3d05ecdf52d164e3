import { fromBase64 } from "../wire/encoding.ts";
import { pemBlock } from "./pem-lines.ts";
import { invalidRsaKey } from "./rsa-contract.ts";

// WebCrypto imports PKCS#8 and SubjectPublicKeyInfo only. Here the other forms of PEM are put into these two.

const BIT_STRING = 3;
const OCTET_STRING = 4;
const SEQUENCE = 0x30;
const VERSION_0 = [2, 1, 0];
// AlgorithmIdentifier { rsaEncryption, NULL } of RFC 8017 appendix A.1.
const RSA = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

/** PKCS#8 of a private key in PEM, SubjectPublicKeyInfo of a public one. Throws `INVALID_KEY`. */
export function rsaDer(pem: string, kind: "private" | "public"): Uint8Array {
  const name = `${kind.toUpperCase()} KEY`;
  // No block of another half: a verifier should not have a secret.
  const [label, base64 = ""] =
    kind === "private"
      ? pemBlock(pem, `[A-Z ]*${name}`)
      : pemBlock(String(pem).includes("PRIVATE KEY-") ? "" : pem, `(?:RSA )?${name}|CERTIFICATE`);
  const der = fromBase64(base64);
  if (der !== undefined) {
    if (label === name) return der;
    if (label === `RSA ${name}`) {
      return kind === "private"
        ? element(SEQUENCE, VERSION_0, RSA, element(OCTET_STRING, der))
        : element(SEQUENCE, RSA, element(BIT_STRING, [0], der));
    }
    // A certificate names rsaEncryption once, at its key: the algorithms of signatures have other names.
    const at = der.findIndex((_, i) => RSA.every((byte, j) => der[i + j] === byte));
    if (label === "CERTIFICATE" && at > 0) {
      // Before it stands the length of the key that it begins, in two bytes or in one after 0x81.
      const [high = 0, low = 0] = der.subarray(at - 2);
      return high === 0x81 ? der.slice(at - 3, at + low) : der.slice(at - 4, at + high * 256 + low);
    }
  }
  throw invalidRsaKey(kind);
}

function element(tag: number, ...content: readonly ArrayLike<number>[]): Uint8Array {
  const bytes = content.flatMap((part) => Array.from(part));
  // No part of a key that is long enough has less than 128 bytes.
  const size = bytes.length < 256 ? [0x81, bytes.length] : [0x82, bytes.length >> 8, bytes.length & 0xff];
  return Uint8Array.from([tag, ...size, ...bytes]);
}
