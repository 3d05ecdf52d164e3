import { constantTimeEqual } from "#crypto";
import { type Mac, sha256Hmac } from "#crypto/digests";
import type { Verifier, WireRequest } from "../../core/contracts.ts";
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
import { BUNNY_WEAK, type BunnyWeakness, bunnyBytes, bunnyStringToSign, bunnyToken } from "./canonical.ts";
import { type BunnyFacts, type BunnyToken, parseBunny } from "./parse.ts";

/** What a verified token allows. */
export interface BunnyGrant extends EdgeGrant<BunnyWeakness>, BunnyFacts {}

/** Options of {@link bunnyVerifier}. */
export interface BunnyVerifierOptions extends EdgeVerifierOptions, UnsignedOptions {
  /** The pull zone's token authentication key, several while one replaces another, or a function that fetches them. */
  readonly secrets: Secrets;
  /** Who signed, for `grant.keyId`: tokens do not contain it. `"bunny"` by default. */
  readonly keyId?: string | undefined;
  /**
   * The country code of a client. Without it, a token for some countries is refused with `UNENFORCED_CONSTRAINT`.
   */
  readonly countryOf?: ((request: WireRequest) => string | undefined) | undefined;
  /** `true` if the caller enforces `grant.speedLimit`; otherwise, a token with a limit is refused. */
  readonly enforcesSpeedLimit?: boolean | undefined;
  /** `true` refuses tokens that are not locked to an address. */
  readonly requireIp?: boolean | undefined;
}

/**
 * Verifies the version 2 tokens of Bunny's CDN (`HS256-`), in the query and in the path.
 *
 * Weak by construction: path, expiry, address and parameters are signed without separators. To limit the ambiguities, the expiry
 * must have ten digits, a value no `&`, a name neither ten digits in a row nor a leading digit followed by more text, and a path no
 * ten digits before `name=`. What remains: a token bound to an address whose four bytes are ASCII text is also valid without an
 * address and with one more parameter (`requireIp` prevents this); and another signer's token for a path such as `/a9999999999x=1`,
 * or for `/a` with `9x=1`, is also valid for `/a` or `/a1`. Host and method are not signed.
 *
 * Source: https://github.com/BunnyWay/BunnyCDN.TokenAuthentication
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `WRONG_ORIGIN`, `UNSIGNED_PARAMETER`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`, `METHOD_NOT_GRANTED`,
 * `IP_NOT_GRANTED`, `KEY_SCOPE`, `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import { bunnyVerifier } from "daypass/bunny";
 *
 * const verifier = bunnyVerifier({
 *   secrets: "SecurityKey",
 *   origins: ["https://token-tester.b-cdn.net"],
 *   clock: () => new Date("2020-08-21T00:00:00Z"),
 * });
 * const grant = await verifier.verify({
 *   method: "GET",
 *   target: "/300kb.jpg?token=HS256-o10JRWlsAItyAsdKS6jJKjabHN4FrFsplDHPV1idcX4&expires=1598024587",
 *   authority: "token-tester.b-cdn.net",
 *   headers: [],
 * });
 * console.log(grant.target); // "/300kb.jpg"
 * ```
 */
export function bunnyVerifier(options: BunnyVerifierOptions): Verifier<BunnyGrant> {
  const { secrets, allowUnsigned, countryOf, enforcesSpeedLimit = false, requireIp = false } = options;
  const format: EdgeFormat<BunnyToken, Mac, BunnyWeakness, BunnyFacts> = {
    id: "bunny",
    weak: BUNNY_WEAK,
    detect: ({ target }) => target.startsWith("/bcdn_token=") || hasToken(target, ["token"]),
    parse: (received) => parseBunny(received, allowUnsigned),
    check: (_received, { parts, signature }, mac) => ({
      matches: constantTimeEqual(bunnyToken(mac(bunnyBytes(parts)), parts), signature),
      stringToSign: bunnyStringToSign(parts),
    }),
    dummyKey: sha256Hmac("dummy"),
    facts({ request }, { facts, parts }) {
      if (requireIp && parts.address === undefined) {
        throw refusal("IP_NOT_GRANTED", "a token that is locked to an address, found one for any");
      }
      checkCountry(facts, countryOf?.(request));
      if (facts.speedLimit !== undefined && !enforcesSpeedLimit) throw unenforced("limit");
      return facts;
    },
  };
  return edgeVerifier(format, secretResolver(secrets, sha256Hmac), options);
}

function checkCountry({ countries, countriesBlocked = [] }: BunnyFacts, country: string | undefined): void {
  if (countries === undefined && countriesBlocked.length === 0) return;
  // No list of blocked ones has the `null` of a database, or what a lookup promises for later.
  if (!country || typeof country !== "string") throw unenforced("countries");
  // The signer takes codes in either case: `de` blocks `DE`, too.
  const isListed = (codes: readonly string[]): boolean =>
    codes.join().toUpperCase().split(",").includes(country.toUpperCase());
  if ((countries !== undefined && !isListed(countries)) || isListed(countriesBlocked)) {
    throw refusal("IP_NOT_GRANTED", "a client in a granted country, found one in another");
  }
}

function unenforced(constraint: string): Error {
  return refusal("UNENFORCED_CONSTRAINT", `a verifier that is set up to enforce ${constraint}, found another`, {
    constraint,
  });
}
