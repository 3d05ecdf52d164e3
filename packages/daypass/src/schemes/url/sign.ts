import { optionText } from "#advice";
import { randomBytes } from "#crypto";
import type { AsyncSigner, Clock, QueryToken, SignedRequest, Signer } from "../../core/contracts.ts";
import { DaypassError, invalidInput } from "../../core/errors.ts";
import { methodOf } from "../../core/object-request.ts";
import { requireOptions } from "../../core/require-options.ts";
import { asyncSigner, SignedResult, signer } from "../../core/signed-request.ts";
import {
  basicTimeFormat,
  formatBasicTime,
  type Instant,
  signingWindow,
  startSeconds,
  systemClock,
} from "../../core/time.ts";
import { base64url } from "../../wire/encoding.ts";
import { joinTokens } from "../../wire/raw-target.ts";
import { joinList, urlStringToSign } from "./canonical.ts";
import {
  invalidKey,
  type LoadedKey,
  loadKey,
  loadPrivateKey,
  type UrlEd25519PrivateKey,
  type UrlHmacKey,
} from "./key.ts";
import { PARAMETER_NAMES } from "./parameters.ts";
import { parseUrl } from "./parse.ts";
import { constraints, readUrl, SPELLINGS, type UrlSignRequest } from "./request.ts";
import { enforceScope } from "./scope.ts";

/** Options of {@link urlSigner}. */
export interface UrlSignerOptions<K extends UrlHmacKey | UrlEd25519PrivateKey> {
  /** The JWK to sign with. Its `scope` limits what is signed, as it limits what is verified. */
  readonly key: K;
  /** The longest lifetime in seconds that this signer accepts: 604,800 by default, which is 7 days. */
  readonly maxExpiresIn?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Random bytes for nonces; the runtime's generator by default. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}

/**
 * Signs Daypass URLs: synchronously with an HMAC key; with an Ed25519 key, returns a promise. The result's `headers` are
 * everything that the holder must send. The URL is in the spelling that URL parsers do not change; a `url` in another is refused.
 *
 * Nothing is looked up: whether the resource exists, and whether the verifier enforces a constraint, shows only when the URL is
 * used. A lifetime above `maxExpiresIn`, or above 100 years, is refused.
 *
 * Source: docs/spec/daypass-url.md
 *
 * @throws {DaypassError} from the factory `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`, `DOT_SEGMENTS`,
 * `UNSUPPORTED_CONSTRAINT`, `KEY_SCOPE`, and `INVALID_KEY` if the two halves of an Ed25519 key do not belong together
 * @example
 * ```ts
 * import { urlSigner } from "daypass/url";
 *
 * const daypass = urlSigner({
 *   key: { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" },
 * });
 * export const { url } = daypass.sign({ url: "https://api.example.com/invoices/7.pdf", expiresIn: 900, subject: "cus_42" });
 * ```
 */
export function urlSigner(options: UrlSignerOptions<UrlHmacKey>): Signer<UrlSignRequest>;
export function urlSigner(options: UrlSignerOptions<UrlEd25519PrivateKey>): AsyncSigner<UrlSignRequest>;
export function urlSigner(
  options: UrlSignerOptions<UrlHmacKey> | UrlSignerOptions<UrlEd25519PrivateKey>,
): Signer<UrlSignRequest> | AsyncSigner<UrlSignRequest> {
  requireOptions(options);
  const { key, clock = systemClock, random = randomBytes, maxExpiresIn = WEEK } = options ?? {};
  if (!(maxExpiresIn > 0 && maxExpiresIn <= MAX_LIFE)) throw invalidInput("maxExpiresIn", "seconds", maxExpiresIn);
  const loaded = loadKey(key);
  const prepare = (request: UrlSignRequest): Unsigned =>
    asked(() => prepareUrl(request, loaded, { now: clock(), random, maxSeconds: maxExpiresIn }));
  if (loaded.alg === "HS256") {
    return signer((request) => {
      const unsigned = prepare(request);
      return unsigned.finish(loaded.mac.base64url(unsigned.stringToSign));
    });
  }
  const privateKey = loadPrivateKey(key as UrlEd25519PrivateKey);
  let paired: boolean | undefined;
  return asyncSigner(async (request) => {
    const unsigned = prepare(request);
    const signature = await privateKey.sign(unsigned.stringToSign);
    // Nothing that a key with a foreign public half signs would ever verify, and no one would see why.
    paired ??= await loaded.publicKey.verify(unsigned.stringToSign, signature);
    if (!paired) throw invalidKey(loaded.kid, "d and x of one key pair");
    return unsigned.finish(base64url(signature));
  });
}

// Start and expiry alternate: with one cache for both, each would replace the other.
const formatEnd = /* @__PURE__ */ basicTimeFormat();
const WEEK = 604_800;
/** The longest lifetime that `maxExpiresIn` can allow: 100 years. The key's scope is the place for a real limit. */
const MAX_LIFE = 3_155_760_000;

const MAC_PLACEHOLDER = /* @__PURE__ */ "A".repeat(43);

interface Unsigned {
  readonly stringToSign: string;
  readonly finish: (signature: string) => SignedRequest;
}

interface Surroundings {
  readonly now: Instant;
  readonly random: (length: number) => Uint8Array;
  readonly maxSeconds: number;
}

/** Writes the URL with a placeholder for its signature and reads it as a verifier will: what that finds is signed. */
function prepareUrl(
  request: UrlSignRequest,
  { alg, kid, scope }: LoadedKey,
  { now, random, maxSeconds }: Surroundings,
): Unsigned {
  const { notBefore, prefix, uses, vary = [] } = request;
  const { methods: asked = ["GET"] } = request;
  if (!Array.isArray(asked)) throw invalidInput("methods", 'a list such as ["GET"]', asked);
  const methods = asked.map((method) => methodOf(method));
  const { signedAt, expiresAt, warnings } = signingWindow(request, now, { maxSeconds });
  const { origin, wire, headers } = readUrl(request);
  const raw = constraints(request);
  // Has the form of the signature, and holds its place.
  const placeholder = alg === "HS256" ? MAC_PLACEHOLDER : `${MAC_PLACEHOLDER}${MAC_PLACEHOLDER}`;
  const start = (startSeconds(notBefore) ?? 0) * 1000;
  if (start > signedAt) raw["dp-starts"] = formatBasicTime(start);
  if (uses !== undefined && raw["dp-nonce"] === undefined) {
    // Each signature would draw its own, and no two URLs of a window be the same.
    if (request.stableWindow) throw invalidInput("nonce", "one, because uses and stableWindow are set", undefined);
    raw["dp-nonce"] = base64url(random(16));
  }
  const further = Object.entries(raw).map(([name, value]) => `${name.slice(3)} ${value}`);
  raw["dp-date"] = formatBasicTime(signedAt);
  raw["dp-expires"] = formatEnd(expiresAt.getTime());
  raw["dp-key"] = kid;
  raw["dp-methods"] = joinList(methods.includes("GET") ? methods.filter((method) => method !== "HEAD") : methods) ?? "";
  raw["dp-signature"] = placeholder;
  raw["dp-v"] = "1";
  const own = PARAMETER_NAMES.filter((name) => name in raw).map((name) => ({ name, value: raw[name] }));
  const varies = ({ name }: QueryToken): boolean => vary.includes(name);
  const tokens = [...wire.tokens.filter((token) => !varies(token)), ...own, ...wire.tokens.filter(varies)];
  const { path, query } = wire;
  const text = joinTokens(tokens);
  const target = `${path}?${text}`;
  const parsed = parseUrl({ request: { target, headers }, wire: { path, query, tokens }, origin });
  const {
    canonical,
    parameters: { "dp-type": type },
  } = parsed;
  if (typeof prefix === "string" && prefix !== canonical.path) {
    throw invalidInput("prefix", 'the beginning of the path up to a "/"', prefix);
  }
  enforceScope(scope, parsed);
  const stringToSign = urlStringToSign(alg, canonical);
  const unbound = [
    "headers that are not listed",
    ...(raw["dp-sha256"] === undefined ? ["body"] : []),
    ...(raw["dp-prefix"] === undefined ? [] : ["path below the prefix"]),
    ...vary.map((name) => `query ${name}`),
  ];
  return {
    stringToSign,
    finish(signature) {
      const signed = text.replace(`&dp-signature=${placeholder}`, `&dp-signature=${signature}`);
      return new SignedResult(
        {
          url: `${origin}${path}?${signed}`,
          method: methods[0] as string,
          headers: Object.fromEntries(type === undefined ? headers : [...headers, ["content-type", type]]),
          expiresAt,
          bound: ["method", "origin", "path", "query", "time", ...further],
          unbound,
          warnings: origin.startsWith("https:")
            ? warnings
            : [...warnings, "the URL is for http: anyone who reads the traffic can use it"],
        },
        stringToSign,
      );
    },
  };
}

/** Reports a malformed URL as invalid input: the caller of the signer wrote it. */
function asked<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { code, message, details } = error as DaypassError;
    if (code === "INVALID_EXPIRY")
      throw new DaypassError(code, message.replace(/to \d+/, "$& (maxExpiresIn of the signer)"), { details });
    if (code === "MALFORMED")
      throw new DaypassError("INVALID_INPUT", optionText(message, details["parameter"], SPELLINGS), { details });
    // A number for a text, or a text for a list, which no compiler has seen.
    if (error instanceof TypeError) {
      throw new DaypassError("INVALID_INPUT", "an option has a value of the wrong type", {
        cause: error,
      });
    }
    throw error;
  }
}
