import { createPrivateKey, createPublicKey } from "node:crypto";
import { DaypassError } from "daypass";
import type { KeyTools } from "daypass/schemes";

// RFC 8410: the bytes in front of the 32 bytes of an Ed25519 private key in PKCS #8.
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** Conversions of keys: the private key of a signer also configures its verifier. */
export const keyTools: KeyTools = {
  publicPem: (privateKey, option) =>
    readable(option, "an RSA or P-256 key in PEM", () =>
      createPublicKey(privateKey).export({ format: "pem", type: "spki" }).toString(),
    ),
  ed25519Public: (privateKey) =>
    readable("privateKey", "32 bytes in base64url", () => {
      const bytes = Buffer.from(privateKey, "base64url");
      const key = createPrivateKey({ key: Buffer.concat([PKCS8, bytes]), format: "der", type: "pkcs8" });
      return createPublicKey(key).export({ format: "jwk" }).x as string;
    }),
  pemOfJwk: (jwk) =>
    readable("key", "an RSA key with all of its numbers", () =>
      createPrivateKey({ key: jwk, format: "jwk" }).export({ format: "pem", type: "pkcs8" }).toString(),
    ),
};

function readable<T>(option: string, expected: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new DaypassError("INVALID_KEY", `${option} cannot be read. Pass ${expected}`);
  }
}
