import type { Clock, Lifetime, ReceivedRequest, WireRequest } from "../core/contracts.ts";
import { type DaypassError, invalidInput, refusal } from "../core/errors.ts";
import { parseEpoch } from "../core/time.ts";
import { checkOneOf, unsupportedConstraint } from "../core/validate-options.ts";
import { cookieValue, type SignedCookies, signedCookies } from "../wire/cookie.ts";
import { base64, fromBase64url, latin1, utf8 } from "../wire/encoding.ts";
import { malformed } from "../wire/parameters.ts";
import { joinTokens } from "../wire/raw-target.ts";
import { checkBelow, isBelow, joinTarget, takeTokens, unsignedParameters } from "./query.ts";
import {
  type EdgeDraft,
  type EdgeSignFormat,
  type EdgeSignRequest,
  type EdgeUrl,
  edgeWindow,
  joinUrl,
  readUrl,
} from "./sign.ts";
import { type EdgeToken, hasCookie } from "./verify.ts";

// Cloud CDN and Media CDN sign the same text, the first with HMAC-SHA1 and the second with Ed25519.

/** The parameters, in the order in which they are signed. */
export const GOOGLE_NAMES = ["URLPrefix", "Expires", "KeyName", "Signature"] as const;

/** The differences between the two products. */
export interface GoogleCdn {
  /** Their names in error texts. */
  readonly name: string;
  readonly cookieName: string;
  readonly cookie: string;
  /** The name before a signature in the path, if the product supports that. */
  readonly pathComponent?: string | undefined;
  /** Parameters that would bind more than this library understands. */
  readonly refused: readonly string[];
  /** Whether base64url has padding. */
  readonly padded: boolean;
  /** The form of a signature. Another spelling of the right bytes does not match. */
  readonly signature: RegExp;
  /** By option, what can bind it instead. */
  readonly instead?: Readonly<Record<string, string>>;
}

export const CLOUD_CDN: GoogleCdn = {
  name: "Cloud CDN",
  cookieName: "Cloud CDN's cookie",
  cookie: "Cloud-CDN-Cookie",
  refused: [],
  padded: true,
  signature: /^[A-Za-z0-9_-]{27}=$/,
};

const BY_TOKEN = "use daypass/media-cdn/token";

export function mediaCdn(padded: boolean): GoogleCdn {
  return {
    name: "Media CDN's signature",
    cookieName: "Media CDN's cookie",
    cookie: "Edge-Cache-Cookie",
    pathComponent: "edge-cache-token=",
    refused: ["Starts", "IPRanges", "HeaderName", "HeaderValue"],
    padded,
    signature: padded ? /^[A-Za-z0-9_-]{86}==$/ : /^[A-Za-z0-9_-]{86}$/,
    instead: { notBefore: BY_TOKEN, "bind.ip": BY_TOKEN, "bind.headers": BY_TOKEN },
  };
}

/** The valid names of a key. */
export const KEY_NAME: RegExp = /^[A-Za-z0-9_-]{1,63}$/;

/** The options that the signers of both products share. */
interface SignerOptions {
  readonly keyName: string;
  readonly clock?: Clock | undefined;
}

interface GoogleSignRequest extends EdgeSignRequest {
  readonly place?: "query" | "path" | undefined;
}

/** How a product signs one exact URL, or a URL with everything below a prefix. */
export function googleSignFormat<R extends GoogleSignRequest>(
  product: GoogleCdn,
  { keyName, clock }: SignerOptions,
): EdgeSignFormat<R, EdgeDraft> {
  const { name, pathComponent, instead } = product;
  const known = pathComponent === undefined ? "prefix" : "prefix place";
  return {
    name,
    instead,
    own: GOOGLE_NAMES,
    weak: [],
    clock,
    options: ({ prefix }) => (prefix === undefined ? `${known} bind.query` : known),
    draft({ prefix: asked, place = "query" }, url, { expires }) {
      checkOneOf("place", place, "query", "path");
      const tail = `Expires=${expires}&KeyName=${keyName}`;
      const prefix = checkPrefix(url, asked);
      const bound = ["scheme", "host", "path", "query"];
      if (prefix === undefined) {
        if (place === "path") throw invalidInput("place", '"path" beside a prefix only', place);
        const stringToSign = joinUrl(url, tail);
        return { stringToSign, bound, url: (signature) => `${stringToSign}&Signature=${signature}` };
      }
      const scope = {
        bound: [`URLs below ${prefix}`],
        unbound: ["method", "path below the prefix", "query", "headers", "body"],
      };
      if (place === "path") {
        const stringToSign = `${prefix}${pathComponent}${tail}`;
        const path = `${asked}${pathComponent}${tail}`;
        const rest = url.path.slice(asked?.length);
        const signed = (signature: string): string =>
          joinUrl({ ...url, path: `${path}&Signature=${signature}/${rest}` });
        return { ...scope, stringToSign, url: signed };
      }
      const stringToSign = `${prefixParameter(prefix, product)}&${tail}`;
      return { ...scope, stringToSign, url: (signature) => joinUrl(url, stringToSign, `Signature=${signature}`) };
    },
  };
}

/** What a cookie grants. */
interface CookieRequest extends Lifetime {
  readonly url: string;
  readonly prefix?: string | undefined;
}

/** Builds cookies for everything below a prefix, without their signatures. */
export function googleCookies(
  product: GoogleCdn,
  { keyName, clock }: SignerOptions,
): (request: CookieRequest) => {
  readonly stringToSign: string;
  readonly finish: (signature: string) => SignedCookies;
} {
  const { cookie, cookieName } = product;
  return (given) => {
    const request = given ?? {};
    const url = readUrl(request, { name: cookieName, options: "prefix" });
    if (url.query !== "") throw unsupportedConstraint(cookieName, "a query", "sign a URL");
    const prefix = checkPrefix(url, request.prefix ?? url.path) as string;
    const { expires, expiresAt } = edgeWindow(request, clock);
    const stringToSign = `${prefixParameter(prefix, product)}:Expires=${expires}:KeyName=${keyName}`;
    const bound = [`URLs below ${prefix}`, "end"];
    const unbound = ["method", "path below the prefix", "query", "headers", "body"];
    return {
      stringToSign,
      finish(signature) {
        const cookies = { [cookie]: `${stringToSign}:Signature=${signature}` };
        return signedCookies({ cookies, expiresAt, bound, unbound, warnings: [] }, stringToSign);
      },
    };
  };
}

/** The URL of a requested prefix: a path that ends in `/` and contains the URL's path. */
export function checkPrefix({ origin, path }: EdgeUrl, prefix: string | undefined): string | undefined {
  if (prefix === undefined) return undefined;
  if (/^\/(?:[^?#]*\/)?$/.test(prefix) && path.startsWith(prefix)) return origin + prefix;
  throw invalidInput("prefix", "a beginning of the url's path that ends in /", prefix);
}

function prefixParameter(prefix: string, product: GoogleCdn): string {
  return `URLPrefix=${googleBase64url(utf8(prefix), product)}`;
}

/** base64url, with or without padding. */
export function googleBase64url(bytes: Uint8Array, { padded }: Pick<GoogleCdn, "padded">): string {
  const text = base64(bytes).replaceAll("+", "-").replaceAll("/", "_");
  return padded ? text : text.replaceAll("=", "");
}

/** The bytes of base64 or base64url, with or without padding, as Google's tools print keys and prefixes. */
export function anyBase64(text: unknown): Uint8Array | undefined {
  const plain = String(text).replace(/=*$/, "");
  return fromBase64url(plain.replaceAll("+", "-").replaceAll("/", "_"));
}

/** The 32 bytes of an Ed25519 key. */
export function ed25519Bytes(text: unknown): Uint8Array {
  const bytes = anyBase64(text);
  if (bytes?.length !== 32) throw invalidEd25519("32 bytes in base64url");
  return bytes;
}

/** `INVALID_KEY` without the value, which may be a secret in the wrong place. */
export function invalidEd25519(expected: string): DaypassError {
  return refusal("INVALID_KEY", `the Ed25519 key cannot be used. Pass ${expected}`);
}

/** A parsed signature. */
export interface GoogleToken extends EdgeToken {
  readonly keyId: string;
  /** The URL below which everything is granted; `undefined` for one exact URL. */
  readonly prefix: string | undefined;
}

/** Whether a request has a signature of a product, by names alone. */
export function detectGoogle(request: WireRequest, { cookie, pathComponent }: GoogleCdn): boolean {
  const [path = "", query] = request.target.split(/\?(.*)/s, 2);
  return (
    (query !== undefined && /(?:^|&)(?:URLPrefix|KeyName)=/.test(query)) ||
    (pathComponent !== undefined && path.includes(`/${pathComponent}`)) ||
    hasCookie(request, cookie)
  );
}

/** Reads a signature in the query, in the path or in a cookie. */
export function parseGoogle(
  { request, wire, origin }: ReceivedRequest,
  product: GoogleCdn,
  allowUnsigned: readonly string[] | undefined,
): GoogleToken {
  const { cookie: name, pathComponent, refused } = product;
  const cookie = cookieValue(request.headers, name);
  const inPath = pathComponent === undefined ? undefined : splitPath(wire.path, pathComponent);
  const { own, others } = takeTokens(wire.tokens, GOOGLE_NAMES);
  const inQuery = Object.keys(own).length > 0;
  if (Number(cookie !== undefined) + Number(inPath !== undefined) + Number(inQuery) > 1) {
    throw refusal("AMBIGUOUS_AUTHENTICATION", `query, path and the cookie ${name} have several signatures. Send one`);
  }
  const unknown = others.find((token) => refused.includes(token.name));
  if (unknown !== undefined) {
    throw malformed(unknown.name, "unknown", "a parameter that is understood here: it would bind more");
  }
  // A token for everything below a prefix does not sign the query, and the path must not leave the prefix.
  const below = (fields: Fields, prefix: string, stringToSign: string, path = wire.path): GoogleToken => {
    checkBelow(path);
    if (!isBelow(origin + path, prefix)) {
      throw refusal("SIGNATURE_MISMATCH", "the URL is not below the URLPrefix");
    }
    const unsigned = unsignedParameters(others, allowUnsigned);
    return { ...readCommon(fields, product), stringToSign, prefix, path, target: path, unsigned };
  };
  if (inPath !== undefined) {
    const { before, token, rest } = inPath;
    const fields = readFields(token, "&", ["Expires", "KeyName", "Signature"]);
    const prefix = origin + before;
    return below(fields, prefix, `${prefix}${pathComponent}${fields.text}`, before + rest);
  }
  if (cookie !== undefined) {
    const fields = readFields(cookie, ":", GOOGLE_NAMES);
    return below(fields, readPrefix(fields.URLPrefix), fields.text);
  }
  const { URLPrefix, Expires = "", KeyName = "", Signature = "" } = own;
  const fields = { Expires, KeyName, Signature };
  if (URLPrefix !== undefined) {
    return below(fields, readPrefix(URLPrefix), `URLPrefix=${URLPrefix}&Expires=${Expires}&KeyName=${KeyName}`);
  }
  const last = `&Signature=${Signature}`;
  if (!request.target.endsWith(last)) throw malformed("Signature", "order", "the last parameter");
  return {
    ...readCommon(fields, product),
    stringToSign: origin + request.target.slice(0, -last.length),
    prefix: undefined,
    path: wire.path,
    target: joinTarget(wire.path, joinTokens(others)),
  };
}

interface Fields {
  readonly Expires: string;
  readonly KeyName: string;
  readonly Signature: string;
}

function readCommon(
  { Expires, KeyName, Signature }: Fields,
  { signature }: GoogleCdn,
): Pick<GoogleToken, "keyId" | "signature" | "expiresAt"> {
  const expiresAt = parseEpoch(Expires);
  if (expiresAt === undefined) throw malformed("Expires", "form", "the end in whole seconds since 1970");
  if (!KEY_NAME.test(KeyName)) throw malformed("KeyName", "form", "1 to 63 of A-Z a-z 0-9 _ -");
  if (!signature.test(Signature)) throw malformed("Signature", "form", "a signature in its one spelling");
  return { keyId: KeyName, signature: Signature, expiresAt };
}

/** The URL in a URLPrefix. */
export function readPrefix(text: string): string {
  const prefix = latin1(anyBase64(text) ?? new Uint8Array());
  if (/^https?:\/\/[!$-=@-~]+$/.test(prefix)) return prefix;
  throw malformed("URLPrefix", "form", "http(s)://host/path in base64url");
}

/** Reads `a=1&b=2` or `a=1:b=2` with exactly these names in this order. `text` is everything before the signature. */
function readFields<N extends string>(
  token: string,
  separator: string,
  names: readonly N[],
): Readonly<Record<N, string>> & { readonly text: string } {
  const parts = token.split(separator);
  const values: Partial<Record<N, string>> = {};
  for (const [i, name] of names.entries()) {
    const part = parts[i] ?? "";
    if (parts.length !== names.length || !part.startsWith(`${name}=`)) {
      throw malformed(name, "order", `${names.join(", ")} in this order and nothing else`);
    }
    values[name] = part.slice(name.length + 1);
  }
  return { ...(values as Record<N, string>), text: parts.slice(0, -1).join(separator) };
}

/** Splits `/video/edge-cache-token=…/seg.ts`. */
function splitPath(
  path: string,
  component: string,
): { readonly before: string; readonly token: string; readonly rest: string } | undefined {
  const start = path.indexOf(`/${component}`) + 1;
  if (start === 0) return undefined;
  const end = path.indexOf("/", start);
  if (end < 0 || path.includes(`/${component}`, end))
    throw malformed(component, "order", "one, in front of the file's name");
  return { before: path.slice(0, start), token: path.slice(start + component.length, end), rest: path.slice(end + 1) };
}
