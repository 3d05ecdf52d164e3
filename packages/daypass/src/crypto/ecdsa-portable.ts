import { isDaypassError } from "../core/errors.ts";
import { utf8 } from "../wire/encoding.ts";
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
  toDer,
} from "./ecdsa-key.ts";

export { type EcdsaHash, type EcdsaPrivateKey, type EcdsaPublicKey, type EcJwk, P256_ORDER } from "./ecdsa-key.ts";

// The parts of WebCrypto that are used, declared here because the library is compiled without the DOM's types.
declare const crypto: {
  readonly subtle: {
    importKey(
      format: "spki" | "pkcs8" | "jwk",
      data: Uint8Array | EcJwk,
      algorithm: typeof P256,
      extractable: boolean,
      usages: readonly ["sign" | "verify"],
    ): Promise<CryptoKey>;
    exportKey(format: "jwk", key: CryptoKey): Promise<EcJwk>;
    sign(algorithm: HashedEcdsa, key: CryptoKey, data: Uint8Array): Promise<ArrayBuffer>;
    verify(algorithm: HashedEcdsa, key: CryptoKey, signature: Uint8Array, data: Uint8Array): Promise<boolean>;
  };
};
interface CryptoKey {
  readonly type: string;
}
interface HashedEcdsa {
  readonly name: "ECDSA";
  readonly hash: "SHA-1" | "SHA-256";
}

const P256 = { name: "ECDSA", namedCurve: "P-256" } as const;
const hashed = (hash: EcdsaHash): HashedEcdsa => ({ name: "ECDSA", hash: hash === "sha1" ? "SHA-1" : "SHA-256" });
const SCALAR_AND_POINT = "a scalar and a point of the curve";
const bytesOf = (data: string | Uint8Array): Uint8Array =>
  typeof data === "string" ? utf8(data) : Uint8Array.from(data);

/**
 * A P-256 key that signs: PEM (PKCS#8 or SEC1), JWK, or the scalar's 32 bytes, of which the point is computed. A key that
 * cannot be used throws `INVALID_KEY`: a wrong form at once, other errors at the latest on first use.
 */
export function ecdsaPrivateKey(key: string | EcJwk | Uint8Array, hash: EcdsaHash = "sha256"): EcdsaPrivateKey {
  return privateKey(pkcs8(key), hash, isEcJwk(key) ? key : undefined);
}

/** {@link ecdsaPrivateKey} of the scalar's 32 bytes alone: what derives its keys need not carry the parsers of the rest. */
export function ecdsaScalarKey(scalar: Uint8Array): EcdsaPrivateKey {
  return privateKey(scalarPkcs8(scalar), "sha256");
}

function privateKey(der: Uint8Array, hash: EcdsaHash, expected?: EcJwk): EcdsaPrivateKey {
  const imported = atFirstUse(async () => {
    // Extractable: WebCrypto computes the point and shows it in an export only.
    const secret = await crypto.subtle.importKey("pkcs8", der, P256, true, ["sign"]);
    const { x, y } = await crypto.subtle.exportKey("jwk", secret);
    if (expected !== undefined && (expected.x !== x || expected.y !== y))
      throw invalidEcKey("x and y that belong to d");
    const point = await crypto.subtle.importKey("jwk", { kty: "EC", crv: "P-256", x, y }, P256, false, ["verify"]);
    return { secret, point };
  });
  const signRaw = async (message: string | Uint8Array): Promise<Uint8Array> => {
    const { secret } = await imported();
    return new Uint8Array(await crypto.subtle.sign(hashed(hash), secret, bytesOf(message)));
  };
  return {
    sign: async (message) => toDer(await signRaw(message)),
    signRaw,
    publicKey: publicKey(async () => (await imported()).point, hash),
  };
}

/** A P-256 key that verifies: PEM, JWK, or the 65 bytes 4 ‖ x ‖ y. */
export function ecdsaPublicKey(key: string | EcJwk | Uint8Array, hash: EcdsaHash = "sha256"): EcdsaPublicKey {
  const der = spki(key);
  const imported = atFirstUse(() => crypto.subtle.importKey("spki", der, P256, false, ["verify"]));
  return publicKey(imported, hash);
}

function publicKey(imported: () => Promise<CryptoKey>, hash: EcdsaHash): EcdsaPublicKey {
  const verifyRaw = async (message: string | Uint8Array, signature: Uint8Array): Promise<boolean> =>
    signature.length === 64 &&
    crypto.subtle.verify(hashed(hash), await imported(), Uint8Array.from(signature), bytesOf(message)).catch(offCurve);
  return {
    verifyRaw,
    async verify(message, signature) {
      const raw = fromDer(signature);
      return raw !== undefined && verifyRaw(message, raw);
    },
  };
}

/** Deno imports a point that is not of the curve and fails only when it verifies. */
function offCurve(cause: unknown): never {
  throw invalidEcKey(SCALAR_AND_POINT, cause);
}

/** A failed import refuses the request that needs the key. It must not become an unhandled rejection. */
function atFirstUse<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return async () => {
    try {
      loading ??= load();
      return await loading;
    } catch (cause) {
      throw isDaypassError(cause) ? cause : invalidEcKey(SCALAR_AND_POINT, cause);
    }
  };
}
