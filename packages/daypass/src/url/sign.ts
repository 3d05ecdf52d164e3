import { randomBytes } from "#crypto";
import { base64url } from "../encode.ts";
import type { AsyncSigner, Clock, SignedRequest, Signer } from "../scheme.ts";
import { asyncSigner, SignedResult, signer } from "../signed-request.ts";
import { basicTimeFormat, formatBasicTime, signingWindow } from "../time.ts";
import { urlStringToSign } from "./canonical.ts";
import { MAX_TARGET } from "./grammar.ts";
import {
  invalidKey,
  type LoadedKey,
  loadKey,
  loadPrivateKey,
  type UrlEd25519PrivateKey,
  type UrlHmacKey,
} from "./key.ts";
import {
  PARAMETER_NAMES,
  type ParameterName,
  type RawParameters,
  REQUIRED_PARAMETERS,
  readParameters,
  signedPath,
} from "./parameters.ts";
import { boundHeaders, checkOptions, constraints, invalid, readUrl, type UrlSignRequest } from "./request.ts";
import { enforceScope } from "./scope.ts";

/** Options of {@link urlSigner}. */
export interface UrlSignerOptions<K extends UrlHmacKey | UrlEd25519PrivateKey> {
  /** The JWK to sign with. Its `scope` limits what is signed, as it limits what is verified. */
  readonly key: K;
  readonly clock?: Clock | undefined;
  /** Random bytes for nonces; the runtime's generator by default. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}

/**
 * Signs Daypass URLs: with an HMAC key synchronously, with an Ed25519 key by promise. The result's `headers` hold all that
 * the holder must send; its URL has the one spelling that URL parsers leave alone, and a `url` in another is refused.
 *
 * Nothing is looked up: whether the resource exists, and whether the verifier enforces a constraint, shows when the URL is
 * used. A life of more than 100 years is refused.
 *
 * Source: docs/spec/daypass-url.md
 *
 * @throws {DaypassError} from the factory `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`, `DOT_SEGMENTS`,
 * `UNSUPPORTED_CONSTRAINT`, `KEY_SCOPE`, and `INVALID_KEY` where the two halves of an Ed25519 key do not belong together
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
  const { key, clock = systemClock, random = randomBytes } = options;
  const loaded = loadKey(key);
  const prepare = (request: UrlSignRequest): Unsigned => prepareUrl(request, loaded, clock(), random);
  if (loaded.alg === "HS256") {
    return signer((request) => {
      const unsigned = prepare(request);
      return finish(unsigned, loaded.mac.base64url(unsigned.stringToSign));
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
    return finish(unsigned, base64url(signature));
  });
}

const systemClock: Clock = () => new Date();
// Begin and end take turns: with one memory for both, each would push the other out.
const formatEnd = /* @__PURE__ */ basicTimeFormat();
/** The longest life that this signer gives: 100 years. The key's scope is the place for a real limit. */
const MAX_LIFE = 3_155_760_000;

interface Unsigned {
  readonly stringToSign: string;
  readonly origin: string;
  /** The target up to the signature, and after it. */
  readonly head: string;
  readonly tail: string;
  readonly result: Omit<SignedRequest, "url" | "id">;
}

function prepareUrl(
  request: UrlSignRequest,
  { alg, kid, scope }: LoadedKey,
  now: Date,
  random: (length: number) => Uint8Array,
): Unsigned {
  checkOptions(request);
  const { origin, path, query, varying } = readUrl(request);
  const raw = constraints(request);
  const { signedAt, expiresAt } = signingWindow(request, now, { maxSeconds: MAX_LIFE });
  raw["dp-date"] = formatBasicTime(signedAt);
  raw["dp-expires"] = formatEnd(expiresAt);
  raw["dp-starts"] = startTime(request.notBefore, signedAt);
  raw["dp-key"] = kid;
  raw["dp-v"] = "1";
  if (request.uses !== undefined) raw["dp-nonce"] ??= base64url(random(16));

  const parameters = readParameters(raw, "INVALID_INPUT");
  const { "dp-methods": methods, "dp-prefix": prefix, "dp-type": type } = parameters;
  const fixed = signedPath(path, prefix, "INVALID_INPUT");
  if (typeof request.prefix === "string" && request.prefix !== fixed) {
    throw invalid(`prefix as the beginning of the path up to a "/", found ${request.prefix}`);
  }
  enforceScope(scope, { origin, path: fixed, methods, signedAt, expiresAt });
  const headers = boundHeaders(request);
  const names = PARAMETER_NAMES.filter((name) => raw[name] !== undefined);
  const [before, after] = joinParameters(names, raw);
  return {
    stringToSign: urlStringToSign(alg, {
      origin,
      kind: prefix === undefined ? "exact" : "prefix",
      path: fixed,
      query,
      params: `${before}&${after}`,
      headers: headers.map(([name, value]) => `${name}:${value}\n`).join(""),
    }),
    origin,
    head: `${path}?${query === "" ? "" : `${query}&`}${before}&dp-signature=`,
    tail: `&${after}${varying === "" ? "" : `&${varying}`}`,
    result: {
      method: request.methods?.[0] ?? "GET",
      headers: Object.fromEntries(type === undefined ? headers : [...headers, ["content-type", type]]),
      expiresAt,
      ...coverage(names, raw),
      warnings: origin.startsWith("https:") ? NONE : PLAIN_HTTP,
    },
  };
}

const NONE: readonly string[] = [];
const PLAIN_HTTP: readonly string[] = ["the URL is for http: whoever reads the traffic can use it"];

// "dp-date" stands before "dp-signature" and "dp-v" after it, so neither part is empty.
function joinParameters(names: readonly ParameterName[], raw: RawParameters): readonly [before: string, after: string] {
  let before = "";
  let after = "";
  for (const name of names) {
    if (name < "dp-signature") before += `${before === "" ? "" : "&"}${name}=${raw[name]}`;
    else after += `${after === "" ? "" : "&"}${name}=${raw[name]}`;
  }
  return [before, after];
}

function startTime(notBefore: Date | undefined, signedAt: Date): string | undefined {
  if (notBefore === undefined) return undefined;
  const start = Math.ceil(notBefore.getTime() / 1000) * 1000;
  if (Number.isNaN(start)) throw invalid("notBefore as a valid Date");
  return start > signedAt.getTime() ? formatBasicTime(new Date(start)) : undefined;
}

const BOUND: readonly string[] = ["method", "origin", "path", "query", "time"];
const UNBOUND: readonly string[] = ["headers that are not listed", "body"];
const EVERYWHERE: ReadonlySet<string> = new Set(REQUIRED_PARAMETERS);

/** What the signature covers and what it leaves to the holder, in the words of the parameters. */
function coverage(names: readonly ParameterName[], raw: RawParameters): Pick<SignedRequest, "bound" | "unbound"> {
  // The signature is not among the names yet.
  if (names.length < REQUIRED_PARAMETERS.length) return { bound: BOUND, unbound: UNBOUND };
  const further = names.filter((name) => !EVERYWHERE.has(name));
  return {
    bound: [...BOUND, ...further.map((name) => `${name.slice(3)} ${raw[name]}`)],
    unbound: [
      ...UNBOUND.slice(0, raw["dp-sha256"] === undefined ? 2 : 1),
      ...(raw["dp-prefix"] === undefined ? NONE : ["path below the prefix"]),
      ...(raw["dp-vary"]?.split(".").map((name) => `query ${name}`) ?? NONE),
    ],
  };
}

function finish({ origin, head, tail, stringToSign, result }: Unsigned, signature: string): SignedRequest {
  const target = head + signature + tail;
  if (target.length <= MAX_TARGET) return new SignedResult({ url: origin + target, ...result }, stringToSign);
  throw invalid(`a path and query of at most ${MAX_TARGET} bytes with all parameters`);
}
