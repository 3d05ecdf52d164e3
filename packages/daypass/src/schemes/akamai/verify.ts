import { constantTimeEqual } from "#crypto";
import type { Verifier } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { type Secrets, secretResolver } from "../../core/secrets.ts";
import { hasToken } from "../../edge/query.ts";
import {
  type EdgeFormat,
  type EdgeGrant,
  type EdgeVerifierOptions,
  edgeVerifier,
  type UnsignedOptions,
} from "../../edge/verify.ts";
import { matchesGlob } from "../../wire/glob.ts";
import { peerAddress } from "../../wire/ip.ts";
import { type AkamaiOptions, akamaiMac, salted } from "./canonical.ts";
import { type AkamaiFacts, type AkamaiToken, parseAkamai } from "./parse.ts";

/** What a verified token allows. */
export interface AkamaiGrant extends EdgeGrant, AkamaiFacts {}

/** Options of {@link akamaiVerifier}. */
export interface AkamaiVerifierOptions extends AkamaiOptions, EdgeVerifierOptions, UnsignedOptions {
  /** The key in hexadecimal, several while one replaces another, or a function that fetches them. */
  readonly secrets: Secrets;
  /** Who signed, for `grant.keyId`: tokens do not contain it. `"akamai"` by default. */
  readonly keyId?: string | undefined;
}

/**
 * Verifies Akamai's EdgeAuth 2.0 tokens, in the query or in a cookie: an HMAC over path or ACL, start, expiry, client address,
 * session and data.
 *
 * Host, method and query are not bound: other parameters are refused unless `allowUnsigned` lists them. Session and data
 * are in the grant, but are not checked. The token is for a path (`url=`, which is signed but not sent) or has an ACL.
 *
 * Source: https://techdocs.akamai.com/property-mgr/docs/auth-token-2-0-ver, https://github.com/akamai/EdgeAuth-Token-Node
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNSIGNED_PARAMETER`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`,
 * `NOT_YET_VALID`, `METHOD_NOT_GRANTED`, `IP_NOT_GRANTED`, `KEY_SCOPE`
 * @example
 * ```ts
 * import { akamaiVerifier } from "daypass/akamai";
 *
 * export const verifier = akamaiVerifier({
 *   secrets: "52a152a152a152a152a152a152a1",
 *   parameter: "hdnts",
 *   origins: ["https://media.example.com"],
 * });
 * ```
 */
export function akamaiVerifier(options: AkamaiVerifierOptions): Verifier<AkamaiGrant> {
  const { secrets, hash = "sha256", salt, parameter = "__token__", escapeEarly = false, allowUnsigned } = options;
  const format: EdgeFormat<AkamaiToken, (text: string) => string, never, AkamaiFacts> = {
    id: "akamai",
    weak: [],
    detect: ({ target, headers }) =>
      hasToken(target, [parameter]) ||
      headers.some(([name, value]) => name.toLowerCase() === "cookie" && value.includes(`${parameter}=`)),
    parse: (received) => parseAkamai(received, { parameter, hash, escapeEarly }, allowUnsigned),
    check: (_received, { stringToSign, mac }, sign) => ({
      matches: constantTimeEqual(sign(salted(stringToSign, salt)), mac),
      stringToSign,
    }),
    dummyKey: akamaiMac("00", hash),
    facts({ request }, { facts, path, address }) {
      // Not before the signature: patterns are the work that their author makes.
      if (facts.acl?.some((pattern) => matchesGlob(pattern, path)) === false) {
        throw refusal("SIGNATURE_MISMATCH", "a path that the acl is for, found another");
      }
      if (address === undefined || peerAddress(request.remoteAddress ?? "")?.join() === address.join()) return facts;
      throw refusal("IP_NOT_GRANTED", "the client whose address is in the token, found another or an unknown one");
    },
  };
  return edgeVerifier(
    format,
    secretResolver(secrets, (secret) => akamaiMac(secret, hash)),
    options,
  );
}
