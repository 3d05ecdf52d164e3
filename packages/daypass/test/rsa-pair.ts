import { createPrivateKey, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";

const vectors = JSON.parse(readFileSync(new URL("gcs/vectors/v4-signatures.json", import.meta.url), "utf8"));

/** The key of the inactive account that signed Google's published vectors: to make an RSA key takes longer than most test files. */
export const rsaPrivateKey = createPrivateKey(vectors.account.private_key);
export const rsaPublicKey = createPublicKey(rsaPrivateKey);

/** The same as PKCS #8 and SPKI in PEM. */
export const rsaPem = {
  privateKey: rsaPrivateKey.export({ format: "pem", type: "pkcs8" }).toString(),
  publicKey: rsaPublicKey.export({ format: "pem", type: "spki" }).toString(),
};
