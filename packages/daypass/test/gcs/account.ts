import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import type { GcsServiceAccount } from "daypass/gcs";

const load = (name: string) => JSON.parse(readFileSync(new URL(`vectors/${name}.json`, import.meta.url), "utf8"));

/** Google's published vectors, and the inactive account that signed them. */
export const vectors = load("v4-signatures");
export const account: GcsServiceAccount = vectors.account;
export const publicKey: string = createPublicKey(account.private_key)
  .export({ format: "pem", type: "spki" })
  .toString();
export const publicAccount = { client_email: account.client_email, public_key: publicKey };

export const foreignKey: string = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .publicKey.export({ format: "pem", type: "spki" })
  .toString();

export const hmacKey = { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ" };

/** What the verifiers of the scheme contract know. */
export const accounts = {
  right: publicAccount,
  foreign: { ...publicAccount, public_key: foreignKey },
  unknown: { ...publicAccount, client_email: "other@example.com" },
};
export const hmacKeys = {
  right: hmacKey,
  foreign: { ...hmacKey, secretAccessKey: "another" },
  unknown: { ...hmacKey, accessKeyId: "GOOG1OTHER" },
};
