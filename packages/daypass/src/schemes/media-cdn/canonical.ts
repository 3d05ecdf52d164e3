import type { Ed25519PublicKey } from "#crypto";
import { strictPublicKey } from "../../core/ed25519.ts";
import { type DaypassError, refusal } from "../../core/errors.ts";
import { anyBase64, type GoogleCdn, KEY_NAME } from "../../edge/google-cdn.ts";

/** The public half of a key of a keyset. */
export interface MediaCdnKey {
  /** As `KeyName` names it. */
  readonly keyName: string;
  /** The 32 bytes of an Ed25519 public key in base64url. */
  readonly publicKey: string;
}

/** Media CDN's own. A signature's 64 bytes have one spelling: base64url, with or without padding as `padded` says. */
export function mediaCdn(padded: boolean): GoogleCdn {
  return {
    cookie: "Edge-Cache-Cookie",
    pathComponent: "edge-cache-token=",
    refused: ["Starts", "IPRanges", "HeaderName", "HeaderValue"],
    signature: padded ? /^[A-Za-z0-9_-]{85}[AQgw]==$/ : /^[A-Za-z0-9_-]{85}[AQgw]$/,
  };
}

/** 32 bytes in base64 or base64url, padded or not. */
export function keyBytes(text: unknown): Uint8Array {
  const bytes = anyBase64(text);
  if (bytes?.length !== 32) throw invalidKey("32 bytes in base64url");
  return bytes;
}

/** The key of a name, checked. */
export function mediaCdnPublicKey({ keyName, publicKey }: MediaCdnKey): Ed25519PublicKey {
  checkKeyName(keyName);
  return strictPublicKey(keyBytes(publicKey), invalidKey);
}

export function checkKeyName(keyName: string): void {
  if (!KEY_NAME.test(keyName ?? "")) throw invalidKey("keyName as 1 to 63 of A-Z a-z 0-9 _ -");
}

/** `INVALID_KEY`, which says nothing of what was found: it may be the secret in the wrong place. */
export function invalidKey(expected: string): DaypassError {
  return refusal("INVALID_KEY", `an Ed25519 key: ${expected}`);
}
