import { type RsaJwk, rsaPublicKey } from "#crypto/rsa";
import { refusal } from "../../core/errors.ts";
import { GOOG4_HMAC, GOOG4_RSA } from "../../schemes/gcs/canonical.ts";
import type { GcsHmacKey, GcsPublicAccount, GcsServiceAccount } from "../../schemes/gcs/credentials.ts";
import { base64url, fromBase64, fromHex } from "../../wire/encoding.ts";
import type { ExplainKey } from "../explanation.ts";
import { isS3Credentials } from "../s3/facts.ts";
import { type V4Input, v4Signatures, v4StringToSign } from "../v4/input.ts";

/** A key that can verify an account's signature: a key file or a public key. */
export type GcsAccountKey = GcsServiceAccount | GcsPublicAccount;

/** A key of either kind, with its id. */
export type GcsExplainKey =
  | { readonly id: string; readonly secret: string }
  | { readonly id: string; verify(text: string, signature: Uint8Array): Promise<boolean> };

function isAccountKey(key: ExplainKey): key is GcsAccountKey {
  return "client_email" in key;
}

/** The kinds of keys that sign for Google: key pairs of accounts, and HMAC keys. */
export type GcsKeyKind = "account" | "hmac";

/** Prepares the given keys of one kind. */
export function gcsExplainKeys(keys: readonly ExplainKey[], kind: GcsKeyKind): readonly GcsExplainKey[] {
  if (kind === "hmac") {
    return keys
      .filter((key): key is GcsHmacKey => isS3Credentials(key))
      .map(({ accessKeyId: id, secretAccessKey: secret }) => ({ id, secret }));
  }
  return keys.filter(isAccountKey).map((key) => {
    const publicKey = rsaPublicKey("private_key" in key ? publicHalf(key.private_key) : key.public_key);
    return { id: key.client_email, verify: (text, signature) => publicKey.verify("sha256", text, signature) };
  });
}

/** Compares the signature of a V4 URL with an input. */
export function v4Matcher(key: GcsExplainKey, signature: string): (input: V4Input) => Promise<boolean> {
  const signatureOf = v4Signatures(GOOG4_HMAC);
  const bytes = fromHex(signature);
  return async (input) => {
    if (input.dialect.family !== GOOG4_RSA) return signatureOf(input) === signature;
    return bytes !== undefined && "verify" in key && key.verify(v4StringToSign(input), bytes);
  };
}

/**
 * Modulus and exponent of a private key in PEM: a key file is enough to verify, without signing. Throws `INVALID_KEY` at once, also if
 * the runtime reads keys by promise.
 */
function publicHalf(pem: string): RsaJwk {
  const [, text = ""] = /-----BEGIN (?:RSA )?PRIVATE KEY-----([^-]+)/.exec(pem.replaceAll("\\n", "\n")) ?? [];
  let numbers = content(fromBase64(text.replace(/\s/g, "")) ?? new Uint8Array());
  // PKCS#8 (RFC 5208): version, algorithm, and the key of PKCS#1 (RFC 8017 appendix A.1.2) in an octet string.
  const octets = numbers[2];
  if (numbers[1]?.tag === 0x30 && octets !== undefined) numbers = content(octets.bytes);
  const [, n, e] = numbers.map(({ bytes }) => base64url(bytes[0] === 0 ? bytes.subarray(1) : bytes));
  if (!n || !e)
    throw refusal(
      "INVALID_KEY",
      "private_key is not an RSA key in PEM without a passphrase. Copy it from the key file",
    );
  return { kty: "RSA", n, e };
}

interface Element {
  readonly tag: number;
  readonly bytes: Uint8Array;
}

/** The elements of a DER sequence. */
function content(der: Uint8Array): readonly Element[] {
  const [sequence] = elements(der);
  return sequence === undefined ? [] : elements(sequence.bytes);
}

function elements(der: Uint8Array): readonly Element[] {
  const found: Element[] = [];
  for (let at = 0; at + 1 < der.length; ) {
    const [tag = 0, first = 0] = der.subarray(at, at + 2);
    const start = at + 2 + (first > 0x80 ? first & 0x7f : 0);
    const length = first > 0x80 ? der.subarray(at + 2, start).reduce((sum, byte) => sum * 256 + byte, 0) : first;
    found.push({ tag, bytes: der.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}
