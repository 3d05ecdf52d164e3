import { generateKeyPairSync } from "node:crypto";

// Fresh keys each run: CloudFront's are RSA with 2048 bits or P-256.
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "prime256v1" });

export const RSA = {
  privateKey: rsa.privateKey.export({ format: "pem", type: "pkcs1" }).toString(),
  publicKey: rsa.publicKey.export({ format: "pem", type: "spki" }).toString(),
};
export const EC = {
  privateKey: ec.privateKey.export({ format: "pem", type: "sec1" }).toString(),
  publicKey: ec.publicKey.export({ format: "pem", type: "spki" }).toString(),
};
