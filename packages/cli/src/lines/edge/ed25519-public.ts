import { createPrivateKey, createPublicKey } from "node:crypto";
import { DaypassError } from "daypass";

// RFC 8410: what stands in front of the 32 bytes of an Ed25519 private key in PKCS #8.
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** The public half of an Ed25519 private key, both as 32 bytes in base64url: whoever can sign may verify with the same entry. */
export function ed25519Public(privateKey: string): string {
  const bytes = Buffer.from(privateKey, "base64url");
  if (bytes.length !== 32) {
    throw new DaypassError("INVALID_KEY", "expected privateKey as 32 bytes in base64url, found something else");
  }
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, bytes]), format: "der", type: "pkcs8" });
  return createPublicKey(key).export({ format: "jwk" }).x as string;
}
