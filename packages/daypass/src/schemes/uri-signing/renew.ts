import { randomBytes } from "#crypto";
import { base64url } from "../../wire/encoding.ts";
import { invalidKey, type LoadedKey, loadKey, type UriSigningPrivateKey, type UriSigningSecret } from "./keys.ts";
import { ATTRIBUTE, jwsInput } from "./token.ts";
import type { UriSigningGrant } from "./verify.ts";

/** The next token of a chain, to be sent with the answer. */
export interface RenewedToken {
  readonly token: string;
  /** The value of a `Set-Cookie` header. */
  readonly setCookie: string;
  /** First instant at which it is no longer valid. */
  readonly expiresAt: Date;
}

/** The one key of an issuer that signs renewed tokens. */
export interface UriSigningRenewalKey {
  /** The `iss` of the tokens that it renews; without it, of those that have none. */
  readonly issuer?: string | undefined;
  readonly key: UriSigningSecret | UriSigningPrivateKey;
}

/** Options of {@link uriSigningRenewer}. */
export interface UriSigningRenewerOptions {
  /** One key per issuer. The verifier must know it, too. */
  readonly renewalKeys: readonly UriSigningRenewalKey[];
  /** Name of the cookie, `"URISigningPackage"` by default. */
  readonly attribute?: string | undefined;
  /** Random bytes for nonces; the runtime's generator by default. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}

/** Makes the next token. */
export interface UriSigningRenewer {
  /**
   * `undefined` if the token does not ask for renewal (`cdnistt` is not 1), if there is no key for its issuer, or if the
   * path has fewer segments than `cdnistd`, or a `;` in these.
   */
  renew(grant: UriSigningGrant): Promise<RenewedToken | undefined>;
}

/**
 * Signed Token Renewal (RFC 9246 section 3): the next token of a chain, for the cookie of a 2xx or 3xx response. Its lifetime
 * counts from the instant at which the old one was verified.
 *
 * Source: RFC 9246
 *
 * @throws {DaypassError} from the factory `INVALID_KEY`
 * @example
 * ```ts
 * import { type UriSigningGrant, uriSigningRenewer } from "daypass/uri-signing";
 *
 * const key = { kty: "oct", alg: "HS256", kid: "r1", k: "AAECAwQFBgcICQoLDA0ODw" } as const;
 * const renewer = uriSigningRenewer({ renewalKeys: [{ issuer: "csp", key }] });
 * export async function headers(grant: UriSigningGrant): Promise<Record<string, string>> {
 *   const next = await renewer.renew(grant);
 *   return next === undefined ? {} : { "set-cookie": next.setCookie };
 * }
 * ```
 */
export function uriSigningRenewer(options: UriSigningRenewerOptions): UriSigningRenewer {
  const { renewalKeys, attribute = ATTRIBUTE, random = randomBytes } = options;
  if (!Array.isArray(renewalKeys)) throw invalidKey("a list of renewal keys");
  const keys = new Map(renewalKeys.map(({ issuer, key }) => [issuer, loadKey(key, issuer)]));
  // "Exactly one": with two it would be chance which one signs.
  if (keys.size < renewalKeys.length) throw invalidKey("one renewal key for each issuer");
  return {
    async renew({ claims, uri, verifiedAt }) {
      const { cdnistt, cdniets, cdnistd = 0, iss } = claims;
      const key = keys.get(iss);
      const path = cookiePath(uri, cdnistd);
      if (cdnistt !== 1 || cdniets === undefined || path === undefined || key === undefined) return undefined;
      // "the number of seconds to be added to the time at which the JWT is verified": counted from the old expiry, a client that asks
      // often would collect time ahead.
      const seconds = Math.floor(verifiedAt.getTime() / 1000);
      const next = {
        ...claims,
        exp: seconds + cdniets,
        ...(claims.iat === undefined ? {} : { iat: seconds }),
        ...(claims.jti === undefined ? {} : { jti: base64url(random(16)) }),
      };
      const input = jwsInput(key.alg, key.kid, next);
      const token = `${input}.${await signWith(key, input)}`;
      const expiresAt = new Date(next.exp * 1000);
      const secure = uri.startsWith("https:") ? "; Secure" : "";
      const setCookie = `${attribute}=${token}; Path=${path}; Expires=${expiresAt.toUTCString()}; HttpOnly${secure}`;
      return { token, setCookie, expiresAt };
    },
  };
}

async function signWith({ mac, key }: LoadedKey, input: string): Promise<string> {
  if (mac !== undefined) return mac.base64url(input);
  const signature = await key?.sign?.(input);
  if (signature === undefined) throw invalidKey("a renewal key that can sign");
  return base64url(signature);
}

/** The path that the cookie is for: as many segments as the depth says. A `;` would end the attribute. */
function cookiePath(uri: string, depth: number): string | undefined {
  const segments = uri
    .replace(/\?.*$/, "")
    .split("/")
    .slice(3, 3 + depth);
  const text = `/${segments.join("/")}`;
  return segments.length === depth && !text.includes(";") ? text : undefined;
}
