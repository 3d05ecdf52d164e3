import { hmacSha256, type PreparedHmac } from "#crypto";
import { type CredentialScope, scopeText, signingKey, type V4Family } from "../../v4.ts";

/**
 * Derives signing keys for one search. Nearly all that it tries is signed with the key of the try before, and deriving that costs more
 * than signing: the last one is kept, for as long as the search is.
 */
export function scopeHmacs(family: V4Family): (secret: string, scope: CredentialScope) => PreparedHmac {
  let last: { readonly secret: string; readonly scope: string; readonly hmac: PreparedHmac } | undefined;
  return (secret, scope) => {
    const text = scopeText(family, scope);
    if (last?.secret !== secret || last.scope !== text) {
      last = { secret, scope: text, hmac: hmacSha256(signingKey(family, secret, scope)) };
    }
    return last.hmac;
  };
}
