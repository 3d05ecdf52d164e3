import { hmacSha256, type PreparedHmac } from "#crypto";
import { type CredentialScope, scopeText, signingKey, type V4Family } from "../../core/v4.ts";

/**
 * Derives signing keys for one search. It tries few secrets and scopes with thousands of requests, and deriving a key costs more than
 * signing: each is derived once, and kept for as long as the search is.
 */
export function scopeHmacs(family: V4Family): (secret: string, scope: CredentialScope) => PreparedHmac {
  const derived = new Map<string, PreparedHmac>();
  return (secret, scope) => {
    // With the length no two can be mistaken for each other, whatever is in them.
    const name = `${secret.length} ${secret} ${scopeText(family, scope)}`;
    const hmac = derived.get(name) ?? hmacSha256(signingKey(family, secret, scope));
    derived.set(name, hmac);
    return hmac;
  };
}
