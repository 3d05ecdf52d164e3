import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { invalidPem, type PemPrivateKey, type PemPublicKey } from "./pem-contract.ts";
import { pemLines } from "./rsa-contract.ts";

export type { PemHash, PemPrivateKey, PemPublicKey } from "./pem-contract.ts";

/** Throws `INVALID_KEY`. */
export function pemPrivateKey(pem: string): PemPrivateKey {
  const key = load(pem, "PRIVATE", createPrivateKey);
  return {
    isEc: key.asymmetricKeyType === "ec",
    // With a callback OpenSSL works on the thread pool: half a millisecond of arithmetic does not hold up the event loop.
    sign: (hash, message) =>
      new Promise((resolve, reject) => {
        sign(hash, Buffer.from(message), key, (error, signature) => (error ? reject(error) : resolve(signature)));
      }),
  };
}

/** Throws `INVALID_KEY`. */
export function pemPublicKey(pem: string): PemPublicKey {
  const key = load(pem, "PUBLIC", createPublicKey);
  // OpenSSL accepts an ECDSA signature only in its one DER spelling.
  return { verify: async (hash, message, signature) => verify(hash, Buffer.from(message), key, signature) };
}

function load(pem: string, kind: "PRIVATE" | "PUBLIC", read: (pem: string) => KeyObject): KeyObject {
  let key: KeyObject | undefined;
  const text = pemLines(pem);
  try {
    // Node would make a public key of a private one as well: a secret that a verifier should not have.
    if (text.includes(`${kind} KEY-`) && text.includes("PRIVATE KEY-") === (kind === "PRIVATE")) key = read(text);
  } catch {
    // OpenSSL's reason is omitted: some of its texts quote the unreadable key.
  }
  const { modulusLength = 0, namedCurve } = key?.asymmetricKeyDetails ?? {};
  const fits = key?.asymmetricKeyType === "rsa" ? modulusLength >= 1024 : namedCurve === "prime256v1";
  if (key === undefined || !fits) throw invalidPem(kind);
  return key;
}
