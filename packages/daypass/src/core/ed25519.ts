import { type Ed25519PrivateKey, type Ed25519PublicKey, ed25519PrivateKey, ed25519PublicKey } from "#crypto";
import { hex } from "../wire/encoding.ts";

const FIELD_PRIME = 2n ** 255n - 19n;
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
// The y coordinates of the 8 points whose order divides 8; two signs of x share one y, and y and -y one order.
const ORDER_8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
const TORSION: readonly bigint[] = [0n, 1n, FIELD_PRIME - 1n, ORDER_8, FIELD_PRIME - ORDER_8];

/** A little-endian number. */
function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex(Uint8Array.from(bytes).reverse())}`);
}

/**
 * An Ed25519 public key without the traps that implementations disagree about: with the identity as key OpenSSL,
 * WebCrypto and noble accept one fixed signature for every message, with a point of order 8 some accept an eighth of all,
 * some all. A key of that kind, or with y not below the field's prime, throws `INVALID_KEY`; a signature with S not below
 * the group's order never matches, as it would be a second spelling of another one (RFC 8032 section 5.1.7).
 *
 * The key is imported at its first use: an import that fails is then a refusal of that request and not of the process.
 */
export function strictPublicKey(
  raw: Uint8Array,
  invalid: (expected: string, cause?: unknown) => Error,
): Ed25519PublicKey {
  const y = BigInt.asUintN(255, toNumber(raw));
  if (y >= FIELD_PRIME || TORSION.includes(y)) throw invalid("x as a canonical point of large order");
  let imported: Ed25519PublicKey | undefined;
  return {
    async verify(message, signature) {
      if (signature.length !== 64 || toNumber(signature.subarray(32)) >= GROUP_ORDER) return false;
      try {
        imported ??= ed25519PublicKey(raw);
        return await imported.verify(message, signature);
      } catch (cause) {
        throw invalid("x as a point of the curve, in a runtime with Ed25519", cause);
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
