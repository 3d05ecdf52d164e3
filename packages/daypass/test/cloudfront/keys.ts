import { generateKeyPairSync } from "node:crypto";
import { rsaPem, rsaPrivateKey } from "../rsa-pair.ts";

// CloudFront's are RSA with 2048 bits or P-256.
const ec = generateKeyPairSync("ec", { namedCurve: "prime256v1" });

export const RSA = {
  privateKey: rsaPrivateKey.export({ format: "pem", type: "pkcs1" }).toString(),
  publicKey: rsaPem.publicKey,
};
export const EC = {
  privateKey: ec.privateKey.export({ format: "pem", type: "sec1" }).toString(),
  publicKey: ec.publicKey.export({ format: "pem", type: "spki" }).toString(),
};
