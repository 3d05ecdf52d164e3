/**
 * Akamai's EdgeAuth 2.0 tokens: {@link akamaiSigner} and {@link akamaiVerifier}.
 *
 * @module
 */

import { type Mac, md5Hmac, sha1Hmac, sha256Hmac } from "#crypto/digests";
import type { Clock, Verifier } from "../../core/contracts.ts";
import { invalidInput, refusal } from "../../core/errors.ts";
import { type Secrets, secretResolver } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import { parseEpoch } from "../../core/time.ts";
import { checkName, checkOneOf, checkTexts } from "../../core/validate-options.ts";
import { checkBelow, takeTokens, unsignedParameters } from "../../edge/query.ts";
import {
  checkPlainPath,
  type EdgeSigner,
  type EdgeSignRequest,
  type EdgeUrl,
  edgeSigner,
  joinUrl,
} from "../../edge/sign.ts";
import {
  type EdgeGrant,
  type EdgeVerifierOptions,
  edgeVerifier,
  hasCookie,
  hasParameter,
  type UnsignedOptions,
} from "../../edge/verify.ts";
import { cookieValue } from "../../wire/cookie.ts";
import { fromHex, hex, percentEncode } from "../../wire/encoding.ts";
import { matchesGlob } from "../../wire/glob.ts";
import { parseAddress, peerAddress } from "../../wire/ip.ts";
import { malformed } from "../../wire/parameters.ts";
import { percentDecode } from "../../wire/raw-target.ts";

export type { Secrets } from "../../core/key-resolver.ts";
export type { EdgeSigner } from "../../edge/sign.ts";

/** The HMAC of the property's configuration. */
export type AkamaiHash = "sha256" | "sha1" | "md5";

/** Options that signer and verifier must share with the Akamai property. */
export interface AkamaiOptions {
  /** `"sha256"` by default. */
  readonly hash?: AkamaiHash | undefined;
  /** A further secret that is signed and not sent. */
  readonly salt?: string | undefined;
  /** Name of query parameter and cookie, `"__token__"` by default. */
  readonly parameter?: string | undefined;
  /** `true` if the property has "Escape token input" enabled: values are then signed percent-encoded. `false` by default. */
  readonly escapeEarly?: boolean | undefined;
}

/** One URL to sign. `notBefore` is bound, and `bind.ip` is one address. */
export interface AkamaiSignRequest extends EdgeSignRequest {
  /** Everything below this path, which ends in `/`: an ACL that ends in `*`. */
  readonly prefix?: string | undefined;
  /** Instead of `prefix`: patterns with `*` and `?`, one of which the path must match. */
  readonly acl?: readonly string[] | undefined;
  /** The field `id`, as text. It is bound, and nothing more is done with it here. */
  readonly sessionId?: string | undefined;
  /** The field `data`, as text. It is bound, and nothing more is done with it here. */
  readonly data?: string | undefined;
}

/** Options of {@link akamaiSigner}. */
export interface AkamaiSignerOptions extends AkamaiOptions {
  /** The key in hexadecimal. */
  readonly secret: string;
  readonly clock?: Clock | undefined;
}

/**
 * Signs URLs with Akamai's EdgeAuth 2.0 token: for one path, or with `prefix` or `acl` for more. Binds path, start, expiry, one
 * client address, session and data; does not bind host, method or query.
 *
 * Source: https://techdocs.akamai.com/property-mgr/docs/auth-token-2-0-ver
 *
 * @throws {DaypassError} from the factory `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`, `DOT_SEGMENTS`,
 * `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { akamaiSigner } from "daypass/akamai";
 *
 * const signer = akamaiSigner({ secret: "52a152a152a152a152a152a152a1", parameter: "hdnts" });
 * export const { url } = signer.sign({ url: "https://media.example.com/hls/a.m3u8", prefix: "/hls/", expiresIn: 900 });
 * ```
 */
export function akamaiSigner(options: AkamaiSignerOptions): EdgeSigner<AkamaiSignRequest> {
  requireOptions(options);
  const { secret, hash = "sha256", salt, parameter = "__token__", escapeEarly = false, clock } = options;
  checkName("parameter", parameter);
  return edgeSigner(
    {
      name: "Akamai's token",
      options: "prefix notBefore bind.ip acl sessionId data",
      weak: [],
      clock,
      own: [parameter],
      draft(request: AkamaiSignRequest, url, { expires, starts }) {
        checkPlainPath(url);
        const { ip } = request.bind ?? {};
        if (ip !== undefined && parseAddress(String(ip)) === undefined)
          throw invalidInput("bind.ip", "one address", ip);
        const value = (name: string, text: unknown): string | undefined => {
          const escaped = text === undefined ? undefined : escapeValue(String(text), escapeEarly);
          // URL parsers encode some of these characters in a query, which would change the token; no verifier accepts `\`.
          if (escaped === undefined || /^[!$%(-;=?-[\]-}]+$/.test(escaped)) return escaped;
          throw invalidInput(name, "visible ASCII without ~ & # \" ' < > \\ (or escapeEarly)", escaped);
        };
        const acl = patterns(request, url);
        const rules = {
          ip: value("bind.ip", ip),
          st: starts,
          exp: expires,
          acl,
          id: value("sessionId", request.sessionId),
          data: value("data", request.data),
        };
        const fields: AkamaiFields = Object.fromEntries(Object.entries(rules).filter(([, text]) => text !== undefined));
        return {
          stringToSign: akamaiStringToSign(fields, url.path, escapeEarly),
          url: (mac) => joinUrl(url, `${parameter}=${joinFields(fields)}~hmac=${mac}`),
          bound: [...(acl === undefined ? ["path"] : []), ...Object.keys(fields).filter((name) => name !== "exp")],
          unbound: [
            ...(acl === undefined ? [] : [`path ${request.acl ? "that the acl admits" : "below the prefix"}`]),
            "method",
            "scheme",
            "host",
            "query",
            "headers",
            "body",
          ],
        };
      },
    },
    akamaiMac(secret, hash, salt),
  );
}

function patterns({ prefix, acl }: AkamaiSignRequest, url: EdgeUrl): string | undefined {
  if (prefix === undefined && acl === undefined) return undefined;
  if (acl !== undefined) checkTexts("acl", /./, acl);
  const list = acl ?? [`${prefix}*`];
  const isFor =
    list.every((pattern) => /^\/[$%(-;=?-[\]-}]*$/.test(pattern)) &&
    (prefix === undefined || (acl === undefined && /^\/([^*?]*\/)?$/.test(prefix))) &&
    list.some((pattern) => matchesGlob(pattern, url.path));
  if (isFor) return list.join("!");
  throw invalidInput(
    "prefix or acl",
    "a beginning of the url's path that ends in /, or patterns like /a/* that the path matches",
    list.join("!"),
  );
}

/** What a token grants in addition to the path. */
export interface AkamaiFacts {
  /** The patterns of the token, if it has any: the path must match one of them. */
  readonly acl: readonly string[] | undefined;
  readonly sessionId: string | undefined;
  readonly data: string | undefined;
}

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
  requireOptions(options);
  const { secrets, hash = "sha256", salt, parameter = "__token__", escapeEarly = false, allowUnsigned } = options;
  return edgeVerifier(
    {
      id: "akamai",
      weak: [],
      detect: (request) => hasParameter(request, parameter) || hasCookie(request, parameter),
      parse({ request, wire: { path, tokens } }) {
        const { own, others } = takeTokens(tokens, [parameter]);
        const inQuery = own[parameter];
        const inCookie = cookieValue(request.headers, parameter);
        if (inCookie !== undefined && inQuery !== undefined) {
          throw refusal("AMBIGUOUS_AUTHENTICATION", "the request has two tokens. Send one");
        }
        checkBelow(path);
        const bad = (expected: string): Error => malformed(parameter, "form", expected);
        const text = inQuery ?? inCookie ?? "";
        const at = text.lastIndexOf("~hmac=");
        const signature = text.slice(at + 6);
        if (at < 0 || signature.length !== DIGITS[hash] || !/^[0-9a-f]+$/.test(signature)) {
          throw bad(`fields joined by ~, and at the end hmac in ${DIGITS[hash]} hexadecimal digits`);
        }
        const fields: AkamaiFields = {};
        for (const part of text.slice(0, at).split("~")) {
          const [, name, value] = /^([a-z]+)=([!-}]+)$/.exec(part) ?? [];
          const field = FIELDS.find((known) => known === name);
          if (field === undefined || fields[field] !== undefined)
            throw bad(`${FIELDS.join(", ")}, each once and with a value`);
          fields[field] = value as string;
        }
        const { ip, st = "0", exp = "", acl, id, data } = fields;
        const plain = (value: string | undefined): string | undefined =>
          value !== undefined && escapeEarly ? percentDecode(value) : value;
        const notBefore = parseEpoch(st);
        const expiresAt = parseEpoch(exp);
        const address = ip === undefined ? undefined : parseAddress(plain(ip) as string);
        if (notBefore === undefined || expiresAt === undefined || (ip !== undefined && address === undefined)) {
          throw bad("exp and st in whole seconds since 1970, and ip as an address");
        }
        const facts: AkamaiFacts = { acl: acl?.split("!"), sessionId: plain(id), data: plain(data) };
        return {
          signature,
          notBefore,
          expiresAt,
          address,
          path,
          target: path,
          facts,
          stringToSign: akamaiStringToSign(fields, path, escapeEarly),
          unsigned: unsignedParameters(others, allowUnsigned),
        };
      },
      dummyKey: akamaiMac("00", hash, salt),
      facts({ request }, { facts, path, address }) {
        // After the signature check: matching patterns costs time, and the sender of a request may choose them.
        if (facts.acl?.some((pattern) => matchesGlob(pattern, path)) === false) {
          throw refusal("SIGNATURE_MISMATCH", "the acl of the token does not cover this path");
        }
        if (address === undefined || peerAddress(request.remoteAddress ?? "")?.join() === address.join()) return facts;
        throw refusal("IP_NOT_GRANTED", "the token is for another client address");
      },
    },
    secretResolver(secrets, (secret) => akamaiMac(secret, hash, salt)),
    options,
  );
}

/** The fields of a token in the order of Akamai's own code. */
const FIELDS = ["ip", "st", "exp", "acl", "id", "data"] as const;
type AkamaiFields = { [F in (typeof FIELDS)[number]]?: string };

const HASHES: Readonly<Record<AkamaiHash, (key: Uint8Array) => Mac>> = {
  sha256: sha256Hmac,
  sha1: sha1Hmac,
  md5: md5Hmac,
};
/** Hexadecimal digits of a MAC. */
const DIGITS: Readonly<Record<AkamaiHash, number>> = { sha256: 64, sha1: 40, md5: 32 };

/** The MAC of a token by a key in hexadecimal. The salt is a second secret: signed, but not sent. */
function akamaiMac(
  key: string,
  hash: AkamaiHash,
  salt: string | undefined,
): (token: { readonly stringToSign: string }) => string {
  const bytes = typeof key === "string" && key !== "" ? fromHex(key) : undefined;
  if (bytes === undefined) throw refusal("INVALID_KEY", "key is not hexadecimal. Pass the key of the property");
  checkOneOf("hash", hash, ...Object.keys(HASHES));
  const mac = HASHES[hash](bytes);
  return ({ stringToSign }) => hex(mac(salt ? `${stringToSign}~salt=${salt}` : stringToSign));
}

/** The fields as a token spells them. */
function joinFields(fields: AkamaiFields): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join("~");
}

/** A token without an acl also signs the path as the field `url`, which is not sent. */
function akamaiStringToSign(fields: AkamaiFields, path: string, escapeEarly: boolean): string {
  return fields.acl === undefined ? `${joinFields(fields)}~url=${escapeValue(path, escapeEarly)}` : joinFields(fields);
}

/** `encodeURIComponent`, then `~`, `'` and `*`, all in lower case. */
function escapeValue(text: string, escapeEarly: boolean): string {
  if (!escapeEarly) return text;
  return percentEncode(text)
    .replace(/[~'*]/g, (character) => `%${character.charCodeAt(0).toString(16)}`)
    .replace(/%../g, (triplet) => triplet.toLowerCase());
}
