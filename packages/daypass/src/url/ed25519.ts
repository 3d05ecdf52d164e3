import { type Ed25519PrivateKey, type Ed25519PublicKey, ed25519PrivateKey, ed25519PublicKey } from "#crypto";
import { hex } from "../encode.ts";
import { DaypassError } from "../errors.ts";

// As hexadecimal text with the most significant byte first, numbers of one length compare as text.
const FIELD_PRIME = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";
const GROUP_ORDER = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";
// The y coordinates of the 8 points whose order divides 8; two signs of x share one y.
const TORSION: ReadonlySet<string> = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000001",
  "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec",
  "05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826",
  "7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7",
]);

/** Little-endian bytes as a big-endian hexadecimal number. */
function numberText(bytes: Uint8Array): string {
  return hex(Uint8Array.from(bytes).reverse());
}

/**
 * An Ed25519 public key without the traps that implementations disagree about: with the identity as key OpenSSL,
 * WebCrypto and noble accept one fixed signature for every message, with a point of order 8 some accept an eighth of all,
 * some all. A key of that kind, or with y not below the field's prime, throws `INVALID_KEY`; a signature with S not below
 * the group's order never matches, as it would be a second spelling of another one (RFC 8032 section 5.1.7).
 *
 * The key is imported at its first use: an import that fails is then a refusal of that request and not of the process.
 */
export function strictPublicKey(raw: Uint8Array, kid: string): Ed25519PublicKey {
  const y = Uint8Array.from(raw);
  y[31] = (y[31] as number) & 0x7f;
  const text = numberText(y);
  if (text >= FIELD_PRIME || TORSION.has(text)) {
    throw new DaypassError(
      "INVALID_KEY",
      `key ${kid}: expected x as a canonical Ed25519 public key of large order, found one for which signatures can be made without the private key`,
    );
  }
  let imported: Ed25519PublicKey | undefined;
  return {
    async verify(message, signature) {
      if (signature.length !== 64 || numberText(signature.subarray(32)) >= GROUP_ORDER) return false;
      try {
        imported ??= ed25519PublicKey(raw);
        return await imported.verify(message, signature);
      } catch (cause) {
        throw new DaypassError(
          "INVALID_KEY",
          `key ${kid}: expected x as a point of the curve, found bytes that this runtime does not import`,
          { cause },
        );
      }
    },
  };
}

/** The private half, imported at its first use for the same reason. */
export function strictPrivateKey(raw: Uint8Array): Ed25519PrivateKey {
  let imported: Ed25519PrivateKey | undefined;
  return {
    sign(message) {
      imported ??= ed25519PrivateKey(raw);
      return imported.sign(message);
    },
  };
}
