import { type Mac, sha1Hmac } from "#crypto/digests";
import { refusal } from "../../core/errors.ts";
import { anyBase64, base64urlOf, type GoogleCdn, KEY_NAME } from "../../edge/google-cdn.ts";

/** A signed request key of a backend. */
export interface CloudCdnKey {
  /** As `KeyName` names it. */
  readonly keyName: string;
  /** The 16 bytes in base64url, as `gcloud` accepts them. */
  readonly key: string;
}

/** Cloud CDN's own: signatures are HMAC-SHA1 with padding. */
export const CLOUD_CDN: GoogleCdn = {
  cookie: "Cloud-CDN-Cookie",
  refused: [],
  signature: /^[A-Za-z0-9_-]{26}[AEIMQUYcgkosw048]=$/,
};

/** The MAC of a key, checked: "a 128-bit value". */
export function cloudCdnMac({ keyName, key }: CloudCdnKey): Mac {
  const bytes = anyBase64(key);
  if (bytes?.length !== 16 || !KEY_NAME.test(keyName ?? "")) {
    throw refusal("INVALID_KEY", "keyName as 1 to 63 of A-Z a-z 0-9 _ -, and key as 16 bytes in base64url");
  }
  return sha1Hmac(bytes);
}

/** base64url with its padding. */
export function cloudCdnSignature(mac: Mac, signed: string): string {
  return base64urlOf(mac(signed), { padded: true });
}
