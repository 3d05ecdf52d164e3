import { type Mac, md5Hmac, sha1Hmac, sha256Hmac } from "#crypto/digests";
import { refusal } from "../../core/errors.ts";
import { checkOneOf } from "../../core/validate-options.ts";
import { fromHex, hex, percentEncode } from "../../wire/encoding.ts";

/** The HMAC of the property's configuration. */
export type AkamaiHash = "sha256" | "sha1" | "md5";

/** Options that signer and verifier must share with the Akamai property. */
export interface AkamaiOptions {
  /** `"sha256"` by default. */
  readonly hash?: AkamaiHash | undefined;
  /** A further secret that is signed and not sent. */
  readonly salt?: string | undefined;
  /** Name of query parameter and cookie, `"__token__"` by default. */
  readonly parameter?: string | undefined;
  /** `true` if the property has "Escape token input" enabled: values are then signed percent-encoded. `false` by default. */
  readonly escapeEarly?: boolean | undefined;
}

/** What a token says, in the order of Akamai's own code. */
export const FIELDS = ["ip", "st", "exp", "acl", "id", "data"] as const;
export type AkamaiFields = { [F in (typeof FIELDS)[number]]?: string };

const HASHES: Readonly<Record<AkamaiHash, (key: Uint8Array) => Mac>> = {
  sha256: sha256Hmac,
  sha1: sha1Hmac,
  md5: md5Hmac,
};
/** Hexadecimal digits of a MAC. */
export const DIGITS: Readonly<Record<AkamaiHash, number>> = { sha256: 64, sha1: 40, md5: 32 };

/** The MAC of a text by a key, which is an even number of hexadecimal digits. */
export function akamaiMac(key: string, hash: AkamaiHash): (text: string) => string {
  const bytes = typeof key === "string" && key !== "" ? fromHex(key) : undefined;
  if (bytes === undefined) throw refusal("INVALID_KEY", "a key in hexadecimal, found something else");
  checkOneOf("hash", hash, ...Object.keys(HASHES));
  const mac = HASHES[hash](bytes);
  return (text) => hex(mac(text));
}

/** The fields as they stand in a token. */
export function joinFields(fields: AkamaiFields): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join("~");
}

/** "url" is signed and not sent, where the token has no acl. The salt, which is secret, follows it. */
export function akamaiStringToSign(fields: AkamaiFields, path: string, escapeEarly: boolean): string {
  return fields.acl === undefined ? `${joinFields(fields)}~url=${escapeValue(path, escapeEarly)}` : joinFields(fields);
}

/** What is hashed. */
export function salted(stringToSign: string, salt: string | undefined): string {
  return salt ? `${stringToSign}~salt=${salt}` : stringToSign;
}

/** encodeURIComponent, then `~`, `'` and `*`, all in lower case. */
export function escapeValue(text: string, escapeEarly: boolean): string {
  if (!escapeEarly) return text;
  return percentEncode(text)
    .replace(/[~'*]/g, (character) => `%${character.charCodeAt(0).toString(16)}`)
    .replace(/%../g, (triplet) => triplet.toLowerCase());
}
