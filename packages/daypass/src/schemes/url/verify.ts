import { constantTimeEqual, hmacSha256 } from "#crypto";
import type {
  Checked,
  Grant,
  KeyResolver,
  Obligation,
  ReceivedRequest,
  Scheme,
  Verified,
  Verifier,
} from "../../core/contracts.ts";
import { type ErrorCode, invalidInput, refusal } from "../../core/errors.ts";
import { VerifiedGrant } from "../../core/grant.ts";
import { requireOptions } from "../../core/require-options.ts";
import { checkValidity } from "../../core/time.ts";
import { type VerifierOptions, verifier } from "../../core/verify.ts";
import { fromBase64url } from "../../wire/encoding.ts";
import { isInside } from "../../wire/ip.ts";
import { formDecode, headerValues, trimBlank } from "../../wire/raw-target.ts";
import { isOrigin, urlStringToSign } from "./canonical.ts";
import { keyResolver, type LoadedKey, type UrlKey, type UrlKeySet } from "./key.ts";
import { grantedMethods, type UrlParameters } from "./parameters.ts";
import { detectUrl, type ParsedUrl, parseUrl } from "./parse.ts";
import { enforceScope } from "./scope.ts";

/** What a verified Daypass URL allows. */
export interface UrlGrant extends Grant {
  /** The configured origin that the request selected. */
  readonly origin: string;
  /** The path of this request as it stood on the wire. */
  readonly path: string;
  /** The fixed part of the path, with a trailing `/`, if the holder may choose the rest. */
  readonly prefix: string | undefined;
  /** The purpose of the URL: the text that the verifier was configured with. */
  readonly audience: string | undefined;
  /** The identity that the grant is for; the caller has proved it. */
  readonly subject: string | undefined;
  /** Distinguishes it from other URLs that grant the same. */
  readonly nonce: string | undefined;
  /** The signed query parameters other than `dp-*`, decoded as a form, in wire order. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** Names of the request headers whose values are signed. */
  readonly signedHeaders: readonly string[];
}

/** The grant of a URL that has passed every check. */
export function urlGrant(
  { wire, origin }: ReceivedRequest,
  { canonical, parameters, tokens }: ParsedUrl,
  { key, stringToSign }: Verified<LoadedKey>,
): UrlGrant {
  const grant = new VerifiedGrant(
    {
      scheme: "url",
      keyId: key.kid,
      methods: grantedMethods(parameters["dp-methods"]),
      notBefore: parameters["dp-starts"] ?? parameters["dp-date"],
      expiresAt: parameters["dp-expires"],
      obligations: obligations(parameters),
      target: wire.path + (canonical.query && `?${canonical.query}`),
    },
    stringToSign,
  );
  return Object.assign(grant, {
    origin,
    path: wire.path,
    prefix: canonical.kind === "prefix" ? canonical.path : undefined,
    audience: parameters["dp-audience"],
    subject: parameters["dp-subject"],
    nonce: parameters["dp-nonce"],
    parameters: tokens.map(({ name, value = "" }) => [formDecode(name), formDecode(value)] as const),
    signedHeaders: parameters["dp-headers"] ?? [],
  });
}

/** What the verifier cannot do itself, in the order of section 6 of the specification. */
function obligations(parameters: UrlParameters): readonly Obligation[] {
  const { "dp-length": length, "dp-sha256": sha256, "dp-uses": limit, "dp-vary": names } = parameters;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(parameters)) {
    if (name.startsWith("dp-response-")) headers[name.slice(12)] = String(value);
  }
  const all = [
    parameters["dp-create"] && ({ kind: "create-only" } as const),
    length && ({ kind: "body-length", ...length } as const),
    Object.keys(headers).length > 0 && ({ kind: "response", headers } as const),
    sha256 && ({ kind: "body-sha256", sha256 } as const),
    limit && ({ kind: "uses", limit } as const),
    names && ({ kind: "strip", names } as const),
  ];
  return all.filter((obligation) => typeof obligation === "object");
}

/** A verifier of Daypass URLs. */
export interface UrlVerifier extends Verifier<UrlGrant> {
  /** The origins that it was configured with. */
  readonly origins: readonly string[];
}

/** Options of {@link urlVerifier}. */
export interface UrlVerifierOptions extends VerifierOptions {
  /** JWKs, a JWK set, or a function that looks up a JWK by its kid. Each kid names one key. */
  readonly keys: readonly UrlKey[] | UrlKeySet | KeyResolver<UrlKey>;
  /** The purpose that URLs must have been signed for; without it, only URLs without an audience are accepted. */
  readonly audience?: string | undefined;
  /** Seconds that a signing time may be in the future: 60 by default, 900 at most. */
  readonly maxSkew?: number | undefined;
}

/**
 * Verifies Daypass URLs: grammar, signature (HMAC-SHA256 or Ed25519, as the key says), time, the key's scope, method,
 * audience, subject (against `proof.subject`), client address (against `request.remoteAddress`), Content-Type and signed
 * headers. Every byte of path and query matters.
 *
 * Does not read the body, count uses, write or respond: length and digest of the body, create-only, uses, response headers
 * and the removal of parameters that may vary are obligations of the grant, and are refused with `UNENFORCED_CONSTRAINT`
 * unless listed in `enforces`. Pass `grant.target` to the handler: it has neither `dp-*` nor varying parameters.
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
export function urlVerifier(options: UrlVerifierOptions): UrlVerifier {
  requireOptions(options);
  const { keys, origins, audience, maxSkew = 60 } = options;
  const other = [...(origins ?? [])].find((origin) => !isOrigin(String(origin).replace(/\/$/, "")));
  if (other !== undefined) throw invalidInput("origins", "scheme://host[:port] in lower case, no default port", other);
  // A key holder who could date ahead at will could outlive the revocation of his right to sign.
  if (!(Number.isInteger(maxSkew) && maxSkew >= 0 && maxSkew <= 900)) {
    throw invalidInput("maxSkew", "0 to 900 whole seconds", maxSkew);
  }
  const scheme: Scheme<ParsedUrl, LoadedKey, UrlGrant> = {
    id: "url",
    detect: detectUrl,
    parse(received) {
      // U+212A, the sign of Kelvin, is a `k` in lower case: only ASCII letters have a case here.
      if (/[^!-~]/.test(received.request.authority))
        throw refusal("WRONG_ORIGIN", "the host is not ASCII", { part: "host" });
      return parseUrl(received);
    },
    keyId: ({ parameters }) => parameters["dp-key"],
    dummyKey: DUMMY_KEY,
    check,
    checkTime({ parameters }, now) {
      const { "dp-date": date, "dp-starts": starts, "dp-expires": expires } = parameters;
      // What has begun after its date was dated before now.
      return checkValidity(now, expires, starts ?? date, starts ? 0 : maxSkew);
    },
    grant(received, parsed, verified) {
      checkGrant(received, parsed, verified, audience);
      return urlGrant(received, parsed, verified);
    },
  };
  return { ...verifier(scheme, keyResolver(keys), options), origins: [...origins] };
}

const DUMMY_KEY: LoadedKey = { alg: "HS256", kid: "", scope: {}, mac: hmacSha256(new Uint8Array(32)) };

function check(
  _received: ReceivedRequest,
  { canonical, parameters: { "dp-signature": signature } }: ParsedUrl,
  key: LoadedKey,
): Checked | Promise<Checked> {
  const stringToSign = urlStringToSign(key.alg, canonical);
  if (key.alg === "HS256") {
    return { matches: constantTimeEqual(key.mac.base64url(stringToSign), signature), stringToSign };
  }
  const bytes = fromBase64url(signature);
  if (bytes?.length !== 64) return { matches: false, stringToSign };
  return key.publicKey.verify(stringToSign, bytes).then((matches) => ({ matches, stringToSign }));
}

/** Section 6, step 6. */
function checkGrant(
  { request }: ReceivedRequest,
  url: ParsedUrl,
  { key, proof }: Verified<LoadedKey>,
  configuredAudience: string | undefined,
): void {
  const { "dp-audience": audience, "dp-subject": subject, "dp-ip": ip, "dp-type": type } = url.parameters;
  const methods = grantedMethods(url.parameters["dp-methods"]);
  enforceScope(key.scope, url);
  const [sent = "", second] = headerValues(request.headers, "content-type").map(trimBlank);
  const refusals: readonly (readonly [holds: boolean, code: ErrorCode, message: string])[] = [
    [methods.includes(request.method), "METHOD_NOT_GRANTED", `another method is granted: ${methods.join(" or ")}`],
    [audience === configuredAudience, "WRONG_AUDIENCE", "the URL is for another audience"],
    [subject === undefined || subject === proof.subject, "WRONG_SUBJECT", "the URL is for another subject"],
    [isInside(request.remoteAddress, ip), "IP_NOT_GRANTED", "the client is outside the granted networks"],
    [
      type === undefined || (type === sent && second === undefined),
      "BODY_TYPE",
      `another Content-Type is granted: ${type}`,
    ],
  ];
  for (const [holds, code, message] of refusals) {
    if (!holds) throw refusal(code, message);
  }
}
