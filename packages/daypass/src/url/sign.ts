import { randomBytes } from "#crypto";
import { base64url } from "../encode.ts";
import { DaypassError } from "../errors.ts";
import type { AsyncSigner, Clock, SignedRequest, Signer } from "../scheme.ts";
import { asyncSigner, SignedResult, signer } from "../signed-request.ts";
import { formatBasicTime, signingWindow } from "../time.ts";
import { prefixPath, urlStringToSign } from "./canonical.ts";
import { decodeText, MAX_TARGET } from "./grammar.ts";
import { loadKey, loadPrivateKey, type UrlEd25519PrivateKey, type UrlHmacKey, type UrlKey } from "./key.ts";
import { PARAMETER_NAMES, type ParameterName, type ParameterValues } from "./parameters.ts";
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
  const prepare = (request: UrlSignRequest): Unsigned => prepareUrl(request, { key, clock, random });
  if (loaded.alg === "HS256") {
    return signer((request) => {
      const unsigned = prepare(request);
      return finish(unsigned, base64url(loaded.mac.bytes(unsigned.stringToSign)));
    });
  }
  const privateKey = loadPrivateKey(key as UrlEd25519PrivateKey);
  let paired: boolean | undefined;
  return asyncSigner(async (request) => {
    const unsigned = prepare(request);
    const signature = await privateKey.sign(unsigned.stringToSign);
    // Nothing that a key with a foreign public half signs would ever verify, and no one would see why.
    paired ??= await loaded.publicKey.verify(unsigned.stringToSign, signature);
    if (!paired) throw new DaypassError("INVALID_KEY", `key ${loaded.kid}: expected d and x of one key pair`);
    return finish(unsigned, base64url(signature));
  });
}

const systemClock: Clock = () => new Date();
/** The longest life that this signer gives: 100 years. The key's scope is the place for a real limit. */
const MAX_LIFE = 3_155_760_000;

interface Unsigned {
  readonly stringToSign: string;
  /** The URL up to dp-signature, and after it. */
  readonly head: string;
  readonly tail: string;
  readonly result: Omit<SignedRequest, "url" | "id">;
}

interface Signing {
  readonly key: UrlKey;
  readonly clock: Clock;
  readonly random: (length: number) => Uint8Array;
}

function prepareUrl(request: UrlSignRequest, { key, clock, random }: Signing): Unsigned {
  checkOptions(request);
  const { origin, path, query, varying } = readUrl(request);
  const values = constraints(request, path);
  const { signedAt, expiresAt } = signingWindow(request, clock(), { maxSeconds: MAX_LIFE });
  values["dp-date"] = formatBasicTime(signedAt);
  values["dp-expires"] = formatBasicTime(expiresAt);
  values["dp-starts"] = startTime(request.notBefore, signedAt, expiresAt);
  values["dp-key"] = key.kid;
  values["dp-v"] = "1";
  if (request.uses !== undefined) values["dp-nonce"] ??= base64url(random(16));

  const [before, after] = joinParameters(values);
  const prefix = values["dp-prefix"];
  const signedPath = prefix === undefined ? path : (prefixPath(path, Number(prefix)) as string);
  const methods = (values["dp-methods"] as string).split(".");
  enforceScope(key.scope, { origin, path: signedPath, methods, signedAt, expiresAt });
  const headers = boundHeaders(request.bind);
  return {
    stringToSign: urlStringToSign(key.alg, {
      origin,
      kind: prefix === undefined ? "exact" : "prefix",
      path: signedPath,
      query,
      params: `${before}&${after}`,
      headers: headers.map(([name, value]) => `${name}:${value}\n`).join(""),
    }),
    head: `${origin}${path}?${query === "" ? "" : `${query}&`}${before}&dp-signature=`,
    tail: `&${after}${varying === "" ? "" : `&${varying}`}`,
    result: {
      method: request.methods?.[0] ?? "GET",
      headers: holderHeaders(headers, values["dp-type"]),
      expiresAt,
      bound: boundParts(values),
      unbound: unboundParts(values),
      warnings: origin.startsWith("https:") ? NONE : PLAIN_HTTP,
    },
  };
}

const NONE: readonly string[] = [];
const PLAIN_HTTP: readonly string[] = ["the URL is for http: whoever reads the traffic can use it"];

// "dp-date", "dp-expires", "dp-key" and "dp-methods" stand before "dp-signature" and "dp-v" after it, so neither is empty.
function joinParameters(values: ParameterValues): readonly [before: string, after: string] {
  let before = "";
  let after = "";
  for (const name of PARAMETER_NAMES) {
    const value = values[name];
    if (value === undefined) continue;
    if (name < "dp-signature") before += `${before === "" ? "" : "&"}${name}=${value}`;
    else after += `${after === "" ? "" : "&"}${name}=${value}`;
  }
  return [before, after];
}

function startTime(notBefore: Date | undefined, signedAt: Date, expiresAt: Date): string | undefined {
  if (notBefore === undefined) return undefined;
  const start = notBefore instanceof Date ? Math.ceil(notBefore.getTime() / 1000) * 1000 : Number.NaN;
  if (Number.isNaN(start)) throw invalid("notBefore as a valid Date");
  if (start <= signedAt.getTime()) return undefined;
  if (start < expiresAt.getTime()) return formatBasicTime(new Date(start));
  throw new DaypassError(
    "INVALID_EXPIRY",
    "expected notBefore before the end of the URL: its life counts from the time of signing",
  );
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

function holderHeaders(
  bound: readonly (readonly [string, string])[],
  type: string | undefined,
): Readonly<Record<string, string>> {
  if (bound.length === 0 && type === undefined) return NO_HEADERS;
  const headers = Object.fromEntries(bound);
  if (type === undefined) return headers;
  const contentType = decodeText(type) as string;
  if ((headers["content-type"] ?? contentType) !== contentType) throw invalid("one content-type, found two");
  return { ...headers, "content-type": contentType };
}

const BOUND: readonly string[] = ["method", "origin", "path", "query", "time"];
const BOUND_PREFIX: readonly string[] = ["method", "origin", "path prefix", "query", "time"];
const CONSTRAINTS: readonly (readonly [name: ParameterName, part: string])[] = [
  ["dp-audience", "audience"],
  ["dp-create", "create-only"],
  ["dp-ip", "client address"],
  ["dp-length", "body length"],
  ["dp-sha256", "body"],
  ["dp-subject", "subject"],
  ["dp-type", "content type"],
  ["dp-uses", "uses"],
];

function boundParts(values: ParameterValues): readonly string[] {
  const parts = values["dp-prefix"] === undefined ? BOUND : BOUND_PREFIX;
  const more = CONSTRAINTS.filter(([name]) => values[name] !== undefined).map(([, part]) => part);
  const headers = values["dp-headers"]?.split(".").map((name) => `header ${name}`) ?? NONE;
  return more.length === 0 && headers.length === 0 ? parts : [...parts, ...more, ...headers];
}

const UNBOUND: readonly string[] = ["headers that are not listed"];
const UNBOUND_BODY: readonly string[] = [...UNBOUND, "body"];

function unboundParts(values: ParameterValues): readonly string[] {
  const parts = values["dp-sha256"] === undefined ? UNBOUND_BODY : UNBOUND;
  if (values["dp-prefix"] === undefined && values["dp-vary"] === undefined) return parts;
  const rest = values["dp-prefix"] === undefined ? NONE : ["path below the prefix"];
  return [...parts, ...rest, ...(values["dp-vary"]?.split(".").map((name) => `query ${name}`) ?? NONE)];
}

function finish({ head, tail, stringToSign, result }: Unsigned, signature: string): SignedRequest {
  const url = head + signature + tail;
  const target = url.length - url.indexOf("/", "https://".length);
  if (target > MAX_TARGET) {
    throw invalid(`a path and query of at most ${MAX_TARGET} bytes with all parameters, found ${target}: bind less`);
  }
  return new SignedResult({ url, ...result }, stringToSign);
}
