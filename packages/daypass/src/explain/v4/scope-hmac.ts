import { hmacSha256, type PreparedHmac } from "#crypto";
import { type CredentialScope, scopeText, signingKey, type V4Family } from "../../core/v4.ts";

/** Memoizes signing keys for one search. Deriving a key costs more than signing, and a search uses few secrets and scopes. */
export function scopeHmacs(family: V4Family): (secret: string, scope: CredentialScope) => PreparedHmac {
  const derived = new Map<string, PreparedHmac>();
  return (secret, scope) => {
    // The length keeps the parts apart, whatever they contain.
    const name = `${secret.length} ${secret} ${scopeText(family, scope)}`;
    const hmac = derived.get(name) ?? hmacSha256(signingKey(family, secret, scope));
    derived.set(name, hmac);
    return hmac;
  };
}
