import { DaypassError } from "../core/errors.ts";
import { fromBase64, fromBase64url, hex } from "../wire/encoding.ts";
import { pemBlock } from "./rsa-contract.ts";

/** A P-256 key as a JWK (RFC 7518 section 6.2). Only private keys have `d`. */
export interface EcJwk {
  readonly kty: "EC";
  readonly crv: "P-256";
  readonly x: string;
  readonly y: string;
  readonly d?: string | undefined;
}

/** The hash that a message is signed through: SHA-256 unless a scheme's own rule is older. */
export type EcdsaHash = "sha1" | "sha256";

/** A public key. A signature that cannot be read is no error but `false`. */
export interface EcdsaPublicKey {
  /** `signature` in DER, in its one spelling: a length or an integer with needless bytes never matches. */
  verify(message: string | Uint8Array, signature: Uint8Array): Promise<boolean>;
  /** `signature` as the 64 bytes r ‖ s, the form of JWS (RFC 7518 section 3.4). */
  verifyRaw(message: string | Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** A private key. ECDSA draws a random number: the same message has another signature each time. */
export interface EcdsaPrivateKey {
  /** A signature in DER. */
  sign(message: string | Uint8Array): Promise<Uint8Array>;
  /** A signature as the 64 bytes r ‖ s. */
  signRaw(message: string | Uint8Array): Promise<Uint8Array>;
  readonly publicKey: EcdsaPublicKey;
}

const SIZE = 32;

/** `SEQUENCE { INTEGER r, INTEGER s }` of the 64 bytes r ‖ s. */
export function toDer(raw: Uint8Array): Uint8Array {
  const body = [...integer(raw.subarray(0, SIZE)), ...integer(raw.subarray(SIZE))];
  return Uint8Array.from([0x30, body.length, ...body]);
}

/**
 * The 64 bytes r ‖ s of a signature in DER, or `undefined` for any other spelling. Others parse BER forgivingly, and
 * then one signature has many spellings. This function accepts only bytes that it would write itself.
 */
export function fromDer(der: Uint8Array): Uint8Array | undefined {
  // Two integers of 1 to 33 bytes: every length fits into one byte.
  const r = der.subarray(4, 4 + (der[3] ?? 0));
  const s = der.subarray(6 + r.length);
  const raw = new Uint8Array(2 * SIZE);
  if (!place(raw, r, SIZE) || !place(raw, s, 2 * SIZE)) return undefined;
  const again = toDer(raw);
  return again.length === der.length && again.every((byte, i) => byte === der[i]) ? raw : undefined;
}

// Two's complement: a first bit that is set would mean a negative number, so a zero byte goes in front.
function integer(bytes: Uint8Array): readonly number[] {
  let start = 0;
  while (start < SIZE - 1 && bytes[start] === 0) start++;
  const minimal = [...bytes.subarray(start)];
  const positive = (minimal[0] as number) < 0x80 ? minimal : [0, ...minimal];
  return [2, positive.length, ...positive];
}

function place(raw: Uint8Array, integer: Uint8Array, end: number): boolean {
  const digits = integer[0] === 0 ? integer.subarray(1) : integer;
  if (digits.length > SIZE) return false;
  raw.set(digits, end - digits.length);
  return true;
}

// DER of RFC 5915 and RFC 5280: AlgorithmIdentifier { id-ecPublicKey, prime256v1 }.
const P256 = [0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];

/** The number of points of the curve: a private key is a number above 0 and below it (FIPS 186-5). */
export const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** PKCS#8 of a private key given as PEM (PKCS#8, or SEC1 as `openssl ecparam` writes it), JWK, or 32 bytes. */
export function pkcs8(key: string | EcJwk | Uint8Array): Uint8Array {
  if (typeof key !== "string") return scalarPkcs8(key instanceof Uint8Array ? key : coordinate(key, "d"));
  const der = fromPem(key, "PRIVATE KEY");
  if (der !== undefined) return der;
  const sec1 = fromPem(key, "EC PRIVATE KEY");
  if (sec1 !== undefined) return scalarPkcs8(sec1Scalar(sec1));
  throw invalidEcKey("-----BEGIN PRIVATE KEY----- or -----BEGIN EC PRIVATE KEY-----, without a passphrase");
}

/** PKCS#8 of the 32 bytes of a private scalar, without the point, which the import computes. */
export function scalarPkcs8(scalar: Uint8Array): Uint8Array {
  const number = BigInt(`0x0${hex(scalar)}`);
  if (scalar.length !== 32 || number === 0n || number >= P256_ORDER) {
    throw invalidEcKey("a private scalar of 32 bytes, above 0 and below the curve's order");
  }
  return Uint8Array.from([0x30, 0x41, 2, 1, 0, ...P256, 4, 0x27, 0x30, 0x25, 2, 1, 1, 4, 0x20, ...scalar]);
}

// ECPrivateKey of RFC 5915: version 1, the scalar, then by choice the curve's name and the point, which is computed anew.
const SEC1_START = [2, 1, 1, 4, 0x20];
const SEC1_CURVE = [0xa0, 10, ...P256.slice(-10)];

function sec1Scalar(der: Uint8Array): Uint8Array {
  const has = (at: number, bytes: readonly number[]): boolean => bytes.every((byte, i) => der[at + i] === byte);
  if (has(2, SEC1_START) && (der[39] !== 0xa0 || has(39, SEC1_CURVE))) return der.slice(7, 39);
  throw invalidEcKey("the curve prime256v1 by name");
}

/** SubjectPublicKeyInfo of a public key given as PEM, JWK, or the 65 bytes 4 ‖ x ‖ y. */
export function spki(key: string | EcJwk | Uint8Array): Uint8Array {
  if (typeof key === "string") {
    const der = fromPem(key, "PUBLIC KEY");
    if (der !== undefined) return der;
    throw invalidEcKey("-----BEGIN PUBLIC KEY-----");
  }
  const point =
    key instanceof Uint8Array ? key : Uint8Array.from([4, ...coordinate(key, "x"), ...coordinate(key, "y")]);
  if (point.length !== 65 || point[0] !== 4) throw invalidEcKey("a point as 4, x and y: 65 bytes");
  return Uint8Array.from([0x30, 0x59, ...P256, 3, 0x42, 0, ...point]);
}

/** `INVALID_KEY` without the value, which may be the key in the wrong place. */
export function invalidEcKey(expected: string, cause?: unknown): DaypassError {
  return new DaypassError("INVALID_KEY", `the P-256 key cannot be read. Pass PEM, JWK or bytes: ${expected}`, {
    cause,
  });
}

export function isEcJwk(key: string | EcJwk | Uint8Array): key is EcJwk {
  return typeof key === "object" && !(key instanceof Uint8Array);
}

function coordinate(jwk: EcJwk, member: "d" | "x" | "y"): Uint8Array {
  const text: unknown = (jwk as EcJwk | undefined)?.[member];
  const bytes = typeof text === "string" ? fromBase64url(text) : undefined;
  if (bytes?.length === 32 && jwk.kty === "EC" && jwk.crv === "P-256") return bytes;
  throw invalidEcKey(`kty "EC", crv "P-256" and ${member} as base64url of 32 bytes`);
}

/** `openssl ecparam -genkey` writes the curve in a separate block before the key. */
function fromPem(text: string, label: string): Uint8Array | undefined {
  const [, base64] = pemBlock(text, label);
  return base64 === undefined ? undefined : fromBase64(base64);
}
