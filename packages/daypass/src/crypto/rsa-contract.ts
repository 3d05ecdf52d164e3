import { type DaypassError, refusal } from "../core/errors.ts";
import { fromBase64 } from "../wire/encoding.ts";
import type { JwkPurpose } from "./contract.ts";

/**
 * PEM as every runtime reads it: text before a block may stay, but OpenSSL refuses indentation. Out of an environment variable line
 * ends are often the two characters `\` and `n`, or spaces; PEM has no `\`, and a space only in front of the words of a label.
 */
export function pemLines(pem: unknown): string {
  return String(pem).replace(/(\\[nr]|\s)+(?![\w ]*\w-)/g, "\n");
}

/** The first block with one of these labels (an expression), as OpenSSL finds it: its label and base64. */
export function pemBlock(
  pem: unknown,
  labels: string,
): readonly [label: string | undefined, base64: string | undefined] {
  const [, label, base64] =
    new RegExp(`^-----BEGIN (${labels})-----([\\w+/=\\s]+)^-----END \\1-----`, "m").exec(pemLines(pem)) ?? [];
  return [label, base64?.replace(/\s/g, "")];
}

/** The hash of a signature: each scheme says which, by its own rule or by the algorithm that belongs to the key. */
export type RsaDigest = "sha1" | "sha256";

/**
 * A public RSA key as a JWK (RFC 7518 section 6.3.1): modulus and exponent as base64url. A key for another algorithm or
 * purpose is refused.
 */
export interface RsaJwk extends JwkPurpose {
  readonly kty: "RSA";
  readonly n: string;
  readonly e: string;
}

/** A private key that signs by RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2): the same message has the same signature. */
export interface RsaPrivateKey {
  /** As many bytes as the modulus has. `message`: text as UTF-8. */
  sign(digest: RsaDigest, message: string | Uint8Array): Promise<Uint8Array>;
}

/** A public key. A signature of another length or above the modulus is no error but `false`. */
export interface RsaPublicKey {
  verify(digest: RsaDigest, message: string | Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** Published vectors and old keys of CDNs have 1024 bits. A shorter modulus can be factored at home. */
export const SHORTEST_MODULUS = 1024;

/** `INVALID_KEY` without the value, which may be the key in the wrong place. */
export function invalidRsaKey(kind: "private" | "public"): DaypassError {
  return refusal(
    "INVALID_KEY",
    `the key cannot be read. Pass a ${kind} RSA key of ${SHORTEST_MODULUS} bits or more, as PEM (no passphrase) or JWK`,
  );
}

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
