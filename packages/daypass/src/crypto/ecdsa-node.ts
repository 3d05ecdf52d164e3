import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import {
  type EcdsaHash,
  type EcdsaPrivateKey,
  type EcdsaPublicKey,
  type EcJwk,
  fromDer,
  invalidEcKey,
  isEcJwk,
  pkcs8,
  scalarPkcs8,
  spki,
} from "./ecdsa-key.ts";

export { type EcdsaHash, type EcdsaPrivateKey, type EcdsaPublicKey, type EcJwk, P256_ORDER } from "./ecdsa-key.ts";

/**
 * A P-256 key that signs: PEM (PKCS#8 or SEC1), JWK, or the scalar's 32 bytes, of which the point is computed. A key that
 * cannot be used throws `INVALID_KEY`: a wrong form at once, other errors at the latest on first use.
 */
export function ecdsaPrivateKey(key: string | EcJwk | Uint8Array, hash: EcdsaHash = "sha256"): EcdsaPrivateKey {
  const imported = loadPrivate(pkcs8(key));
  if (isEcJwk(key) && !createPublicKey(imported).equals(loadPublic(key)))
    throw invalidEcKey("x and y that belong to d");
  return privateKey(imported, hash);
}

/** {@link ecdsaPrivateKey} of the scalar's 32 bytes alone: what derives its keys need not carry the parsers of the rest. */
export function ecdsaScalarKey(scalar: Uint8Array): EcdsaPrivateKey {
  return privateKey(loadPrivate(scalarPkcs8(scalar)), "sha256");
}

function privateKey(imported: KeyObject, hash: EcdsaHash): EcdsaPrivateKey {
  const make = async (message: string | Uint8Array, dsaEncoding: "der" | "ieee-p1363"): Promise<Uint8Array> =>
    sign(hash, Buffer.from(message as string), { key: imported, dsaEncoding });
  return {
    sign: (message) => make(message, "der"),
    signRaw: (message) => make(message, "ieee-p1363"),
    publicKey: publicKey(createPublicKey(imported), hash),
  };
}

/** A P-256 key that verifies: PEM, JWK, or the 65 bytes 4 ‖ x ‖ y. */
export function ecdsaPublicKey(key: string | EcJwk | Uint8Array, hash: EcdsaHash = "sha256"): EcdsaPublicKey {
  return publicKey(loadPublic(key), hash);
}

function loadPrivate(der: Uint8Array): KeyObject {
  return onCurve(() => createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" }));
}

function loadPublic(key: string | EcJwk | Uint8Array): KeyObject {
  const der = Buffer.from(spki(key));
  return onCurve(() => createPublicKey({ key: der, format: "der", type: "spki" }));
}

function publicKey(key: KeyObject, hash: EcdsaHash): EcdsaPublicKey {
  const verifyRaw = async (message: string | Uint8Array, signature: Uint8Array): Promise<boolean> =>
    signature.length === 64 &&
    verify(hash, Buffer.from(message as string), { key, dsaEncoding: "ieee-p1363" }, signature);
  return {
    verifyRaw,
    async verify(message, signature) {
      const raw = fromDer(signature);
      return raw !== undefined && verifyRaw(message, raw);
    },
  };
}

function onCurve(read: () => KeyObject): KeyObject {
  try {
    const key = read();
    if (key.asymmetricKeyDetails?.namedCurve === "prime256v1") return key;
  } catch (cause) {
    throw invalidEcKey("a scalar and a point of the curve", cause);
  }
  throw invalidEcKey("the curve prime256v1");
}
