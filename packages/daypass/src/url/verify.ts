import { constantTimeEqual, hmacSha256 } from "#crypto";
import { base64url, fromBase64url } from "../encode.ts";
import { DaypassError } from "../errors.ts";
import type { Checked, KeyResolver, Proof, Scheme, Verifier, WireRequest } from "../scheme.ts";
import { type VerifierOptions, verifier } from "../verify.ts";
import { formDecode, headerValues } from "../wire.ts";
import { urlStringToSign } from "./canonical.ts";
import { type UrlGrant, urlGrant, urlObligations } from "./grant.ts";
import { networkContains, peerAddress } from "./ip.ts";
import { keyResolver, type LoadedKey, type UrlKey, type UrlKeySet } from "./key.ts";
import { isOrigin } from "./origin.ts";
import { detectUrl, type ParsedUrl, parseUrl, trimSpace } from "./parse.ts";
import { enforceScope } from "./scope.ts";

/** Options of {@link urlVerifier}. */
export interface UrlVerifierOptions extends VerifierOptions {
  /** JWKs, a JWK set, or a function that finds a JWK by its kid. A kid names one key. */
  readonly keys: readonly UrlKey[] | UrlKeySet | KeyResolver<UrlKey>;
  /** The purpose that URLs must have been signed for; without it, only URLs without an audience are accepted. */
  readonly audience?: string | undefined;
  /** Seconds that a signing time may lie in the future: 60 by default, 900 at most. */
  readonly maxSkew?: number | undefined;
}

/**
 * Verifies Daypass URLs: grammar, signature (HMAC-SHA256 or Ed25519, as the key says), time, the key's scope, method,
 * audience, subject (against `proof.subject`), client address (against `request.remoteAddress`), Content-Type and signed
 * headers. Every byte of path and query counts.
 *
 * Does not read the body, count uses, write or answer: length and digest of the body, create-only, uses, response headers
 * and the removal of parameters that may vary are obligations of the grant, and are refused with `UNENFORCED_CONSTRAINT`
 * unless listed in `enforces`. Hand the handler `grant.target`, which has neither `dp-*` nor varying parameters.
 *
 * Source: docs/spec/daypass-url.md
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `WRONG_ORIGIN`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`, `NOT_YET_VALID`, `KEY_SCOPE`, `METHOD_NOT_GRANTED`,
 * `WRONG_AUDIENCE`, `WRONG_SUBJECT`, `IP_NOT_GRANTED`, `BODY_TYPE`, `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import { urlVerifier } from "daypass/url";
 *
 * const verifier = urlVerifier({
 *   keys: [{ kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" }],
 *   origins: ["https://api.example.com"],
 *   clock: () => new Date("2026-01-02T03:05:00Z"),
 * });
 * const target =
 *   "/invoices/7.pdf?lang=de&dp-date=20260102T030405Z&dp-expires=20260102T031905Z&dp-key=k1&dp-methods=GET" +
 *   "&dp-signature=9y5KnKIOCIa4LWCJg6HcOsAoveTMv5zKneZ_e-36YRY&dp-v=1";
 * const grant = await verifier.verify({ method: "GET", target, authority: "api.example.com", headers: [] });
 * console.log(grant.id); // "pPgjvnZJ2Sg1KVLjp1K6MQ"
 * ```
 */
export function urlVerifier(options: UrlVerifierOptions): Verifier<UrlGrant> {
  const { keys, origins, audience, maxSkew = 60 } = options;
  for (const origin of origins) {
    if (isOrigin(origin)) continue;
    throw invalidOption(
      `origins as scheme://host[:port] in lower case without default port; found ${JSON.stringify(origin)}`,
    );
  }
  if (audience === "") throw invalidOption("an audience that is not empty, or none");
  // A key holder who could date ahead at will could outlive the revocation of his right to sign.
  if (!(Number.isInteger(maxSkew) && maxSkew >= 0 && maxSkew <= 900)) {
    throw invalidOption(`maxSkew as 0 to 900 whole seconds, found ${String(maxSkew)}`);
  }
  return verifier(urlScheme({ audience, maxSkew }), keyResolver(keys), { ...options, wildcards: false });
}

const DUMMY_KEY: LoadedKey = { alg: "HS256", kid: "", scope: undefined, mac: hmacSha256(new Uint8Array(32)) };

function urlScheme(options: {
  readonly audience: string | undefined;
  readonly maxSkew: number;
}): Scheme<ParsedUrl, LoadedKey, UrlGrant> {
  return {
    id: "url",
    detect: detectUrl,
    parse: parseUrl,
    keyId: (parsed) => parsed.keyId,
    dummyKey: DUMMY_KEY,
    check: (_received, parsed, key) => check(parsed, key),
    reportsTimeFirst: false,
    checkTime: (parsed, now) => checkTime(parsed, now, options.maxSkew),
    grant({ request, wire, origin }, parsed, { key, stringToSign, proof }) {
      const { canonical, keyId, methods, signedAt, startsAt, expiresAt, audience, subject, nonce, signedHeaders } =
        parsed;
      enforceScope(key.scope, { origin, path: canonical.path, methods, signedAt, expiresAt });
      checkMethod(request, methods);
      checkAudience(audience, options.audience);
      checkSubject(subject, proof);
      checkAddress(request, parsed);
      checkType(request, parsed.contentType);
      return urlGrant(
        {
          scheme: "url",
          keyId,
          methods,
          notBefore: startsAt ?? signedAt,
          expiresAt,
          obligations: urlObligations(parsed),
          target: canonical.query === "" ? wire.path : `${wire.path}?${canonical.query}`,
          origin,
          path: wire.path,
          prefix: canonical.kind === "prefix" ? canonical.path : undefined,
          audience,
          subject,
          nonce,
          parameters: parsed.tokens.map(({ name, value }) => [formDecode(name), formDecode(value ?? "")] as const),
          signedHeaders,
        },
        stringToSign,
      );
    },
  };
}

function check({ canonical, signature }: ParsedUrl, key: LoadedKey): Checked | Promise<Checked> {
  const stringToSign = urlStringToSign(key.alg, canonical);
  if (key.alg === "HS256") {
    return { matches: constantTimeEqual(base64url(key.mac.bytes(stringToSign)), signature), stringToSign };
  }
  const bytes = fromBase64url(signature) as Uint8Array;
  return key.publicKey.verify(stringToSign, bytes).then((matches) => ({ matches, stringToSign }));
}

function checkTime({ signedAt, startsAt, expiresAt }: ParsedUrl, now: Date, maxSkew: number): DaypassError | undefined {
  const nowMs = now.getTime();
  // Written so that an invalid date on either side refuses.
  if (!(signedAt.getTime() <= nowMs + maxSkew * 1000)) {
    return new DaypassError(
      "NOT_YET_VALID",
      `expected a signing time at most ${maxSkew} s ahead of the clock, found ${signedAt.toISOString()}: check both clocks`,
      { details: { signedAt: signedAt.toISOString() } },
    );
  }
  if (startsAt !== undefined && !(startsAt.getTime() <= nowMs)) {
    return new DaypassError(
      "NOT_YET_VALID",
      `expected a URL that has begun, found one for ${startsAt.toISOString()}: wait`,
      {
        details: { startsAt: startsAt.toISOString() },
      },
    );
  }
  if (!(nowMs < expiresAt.getTime())) {
    return new DaypassError(
      "EXPIRED",
      `expected a URL that is still valid, found one that ended at ${expiresAt.toISOString()}: ask for a new one`,
      { details: { expiresAt: expiresAt.toISOString() } },
    );
  }
  return undefined;
}

function checkMethod({ method }: WireRequest, methods: readonly string[]): void {
  if (methods.includes(method)) return;
  throw new DaypassError(
    "METHOD_NOT_GRANTED",
    `expected ${methods.join(" or ")}, found another method: use a granted one`,
    {
      details: { methods },
    },
  );
}

function checkAudience(found: string | undefined, expected: string | undefined): void {
  if (found === expected) return;
  throw new DaypassError(
    "WRONG_AUDIENCE",
    `expected a URL ${expected === undefined ? "without audience" : "for the audience of this verifier"}, found ${found === undefined ? "none in it" : "another"}: sign for the purpose it is used for`,
  );
}

function checkSubject(subject: string | undefined, { subject: proved }: Proof): void {
  if (subject === undefined || subject === proved) return;
  throw new DaypassError(
    "WRONG_SUBJECT",
    `expected the subject that the URL is for, found ${proved === undefined ? "no proved identity" : "another"}: sign in as its subject`,
  );
}

function checkAddress({ remoteAddress }: WireRequest, { networks }: ParsedUrl): void {
  if (networks === undefined) return;
  const address = remoteAddress === undefined ? undefined : peerAddress(remoteAddress);
  if (address !== undefined && networks.some((network) => networkContains(network, address))) return;
  throw new DaypassError(
    "IP_NOT_GRANTED",
    `expected a client in a granted network, found ${address === undefined ? "no known address" : "another address"}: use the network that the URL is for`,
  );
}

function checkType({ headers }: WireRequest, contentType: string | undefined): void {
  if (contentType === undefined) return;
  const [found, second] = headerValues(headers, "content-type");
  if (found !== undefined && second === undefined && trimSpace(found) === contentType) return;
  throw new DaypassError(
    "BODY_TYPE",
    `expected Content-Type: ${contentType}, found ${found === undefined ? "none" : "another"}: send exactly this`,
    { details: { contentType } },
  );
}

function invalidOption(expected: string): DaypassError {
  return new DaypassError("INVALID_INPUT", `expected ${expected}`);
}
