import { createPublicKey } from "node:crypto";
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

/** A public key without a private half. */
export const foreignKey = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAzBhE3U+UVCMGbsg7b7lK
gGM61I8Ti0SaWtWo7GcxZOYQ0AJzkKbKYMnhszJHwNxr9yEOaGnS2XfGq/DFjb4S
opi9hDF2tDgiNQeZdpxR+w9TRXGWU4PkudjqrbNSo65fY/JyfKPHtXtgoB97sIoY
dfrN7TVAJ5dAuBQ/eJPaLZJPL6LeECZI1oPABtQU1tiGnL6+zcIaF87KEHwKBH+p
t4E087/AHV3gljGZDg04D3uxB8gQYL73dXKE8mQ1zYuLKp9IOw7KfKhTT7c38iup
RuM1W89DWr1cpiBWAgNhvKZtllxgWbT/bfLYt0LTqNtR6RSh8KDxlgrQFtuZPzeR
BQIDAQAB
-----END PUBLIC KEY-----
`;

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
