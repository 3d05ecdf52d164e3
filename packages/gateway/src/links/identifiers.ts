/** Identifiers of links, and the tokens of deliveries. */
import { createHash, createHmac, randomBytes } from "node:crypto";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH = 22;
const SLUG = /^[a-z0-9](?:[a-z0-9-]{1,62}[a-z0-9])$/;
const CLAIM_KEY = /^[A-Za-z0-9_-]{16,64}$/;

/** A new identifier: 128 random bits in base62, 22 characters. */
export function randomId(random: (size: number) => Uint8Array = randomBytes): string {
  let value = BigInt(`0x${Buffer.from(random(16)).toString("hex")}`);
  let text = "";
  while (text.length < LENGTH) {
    text = BASE62.charAt(Number(value % 62n)) + text;
    value /= 62n;
  }
  return text;
}

/** Whether a text has the form of an identifier. A slug may not look like one. */
export function isId(text: string): boolean {
  return /^[0-9A-Za-z]{22}$/.test(text);
}

/** Whether a text may be a slug: 3 to 64 lower-case letters, digits and hyphens. */
export function isSlug(text: string): boolean {
  return SLUG.test(text) && !isId(text);
}

/** Whether a text may be a claim key: 16 to 64 characters of base64url, chosen by the client. */
export function isClaimKey(text: string): boolean {
  return CLAIM_KEY.test(text);
}

/** A new claim key, for the form of a page. */
export function randomClaimKey(): string {
  return randomBytes(24).toString("base64url");
}

/** The token of a delivery. The same claim of the same link always has the same token, so a repeated claim needs no look-up. */
export function deliveryToken(stateKey: Uint8Array, variant: string, claimKey: string): string {
  return createHmac("sha256", stateKey).update(`delivery\n${variant}\n${claimKey}`).digest("base64url");
}

/** The form in which the state stores a token or a claim key, which it cannot turn back. */
export function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}
