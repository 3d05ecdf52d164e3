import type { ReceivedRequest, WireRequest } from "../core/contracts.ts";
import { invalidInput, refusal } from "../core/errors.ts";
import { parseEpoch } from "../core/validity.ts";
import { cookieValue } from "../wire/cookie.ts";
import { base64, fromBase64url, latin1, utf8 } from "../wire/encoding.ts";
import { malformed } from "../wire/parameters.ts";
import { joinTokens, type QueryToken } from "../wire/raw-target.ts";
import { checkBelow, joinTarget, takeTokens, unsignedParameters } from "./query.ts";
import type { EdgeUrl } from "./sign.ts";
import type { EdgeToken } from "./verify.ts";

// What Cloud CDN and Media CDN have in common: the same text is signed, with HMAC-SHA1 there and Ed25519 here.

/** The parameters, which stand in this order wherever they are signed together. */
export const GOOGLE_NAMES = ["URLPrefix", "Expires", "KeyName", "Signature"] as const;

/** Where one of the two products finds its signature. */
export interface GoogleCdn {
  readonly cookie: string;
  /** The name in front of a signature in the path, where the product has that. */
  readonly pathComponent?: string | undefined;
  /** Parameters that would bind more than is understood here. */
  readonly refused: readonly string[];
  /** The one spelling of a signature. */
  readonly signature: RegExp;
  readonly allowUnsigned?: readonly string[] | undefined;
}

/** A signature that has been read. */
export interface GoogleToken extends EdgeToken {
  readonly keyId: string;
  readonly signature: string;
  /** What is signed. */
  readonly signed: string;
  /** The URL up to which everything is granted; `undefined` for one exact URL. */
  readonly prefix: string | undefined;
}

export function parseGoogle(received: ReceivedRequest, product: GoogleCdn): GoogleToken {
  const { request, wire, origin } = received;
  const { cookie: name, pathComponent } = product;
  const cookie = cookieValue(request.headers, name);
  const inPath = pathComponent === undefined ? undefined : splitPath(wire.path, pathComponent);
  const { own, others } = takeTokens(wire.tokens, GOOGLE_NAMES);
  const inQuery = Object.keys(own).length > 0;
  if (Number(cookie !== undefined) + Number(inPath !== undefined) + Number(inQuery) > 1) {
    throw refusal(
      "AMBIGUOUS_AUTHENTICATION",
      `one signature, found several in the query, the path and the cookie ${name}`,
    );
  }
  if (inPath !== undefined) {
    const { before, token, rest } = inPath;
    const fields = readFields(token, "&", ["Expires", "KeyName", "Signature"]);
    const prefix = origin + before;
    const common = { ...fields, signed: `${prefix}${pathComponent}${fields.text}`, prefix };
    return below(received, { ...common, path: before + rest, others }, product);
  }
  if (cookie !== undefined) {
    const { URLPrefix = "", ...fields } = readFields(cookie, ":", GOOGLE_NAMES);
    return below(
      received,
      { ...fields, signed: fields.text, prefix: readPrefix(URLPrefix), path: wire.path, others },
      product,
    );
  }
  const { URLPrefix, Expires = "", KeyName = "", Signature = "" } = own;
  const fields = { Expires, KeyName, Signature, path: wire.path };
  if (URLPrefix !== undefined) {
    const signed = `URLPrefix=${URLPrefix}&Expires=${Expires}&KeyName=${KeyName}`;
    return below(received, { ...fields, signed, prefix: readPrefix(URLPrefix), others }, product);
  }
  const last = `Signature=${Signature}`;
  if (!request.target.endsWith(`&${last}`)) throw malformed("Signature", "order", "the last parameter");
  const refused = others.find((token) => product.refused.includes(token.name));
  if (refused !== undefined) throw unknown(refused.name);
  return {
    ...common(fields, product),
    signed: origin + request.target.slice(0, -last.length - 1),
    prefix: undefined,
    path: wire.path,
    target: joinTarget(wire.path, joinTokens(others)),
  };
}

/** By names alone, as `detect` of a scheme. */
export function detectGoogle({ target, headers }: WireRequest, { cookie, pathComponent }: GoogleCdn): boolean {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  return (
    (mark >= 0 && /(?:^|&)(?:URLPrefix|KeyName)=/.test(target.slice(mark + 1))) ||
    (pathComponent !== undefined && path.includes(`/${pathComponent}`)) ||
    headers.some(([name, value]) => name.toLowerCase() === "cookie" && value.includes(`${cookie}=`))
  );
}

/** What a key may be named. */
export const KEY_NAME: RegExp = /^[A-Za-z0-9_-]{1,63}$/;

interface Fields {
  readonly Expires: string;
  readonly KeyName: string;
  readonly Signature: string;
}

function common(
  { Expires, KeyName, Signature }: Fields,
  { signature }: GoogleCdn,
): Pick<GoogleToken, "keyId" | "signature" | "expiresAt"> {
  const expiresAt = parseEpoch(Expires);
  if (expiresAt === undefined) throw malformed("Expires", "form", "the end in whole seconds since 1970");
  if (!KEY_NAME.test(KeyName)) throw malformed("KeyName", "form", "1 to 63 of A-Z a-z 0-9 _ -");
  if (!signature.test(Signature)) throw malformed("Signature", "form", "a signature in its one spelling");
  return { keyId: KeyName, signature: Signature, expiresAt };
}

/** A token that is for everything below a prefix: the query is nobody's, and the path must not climb out. */
function below(
  { origin }: ReceivedRequest,
  token: Fields & {
    readonly signed: string;
    readonly prefix: string;
    readonly path: string;
    readonly others: readonly QueryToken[];
  },
  product: GoogleCdn,
): GoogleToken {
  const { signed, prefix, path, others } = token;
  const refused = others.find(({ name }) => product.refused.includes(name));
  if (refused !== undefined) throw unknown(refused.name);
  checkBelow(path);
  if (!isBelowPrefix(origin + path, prefix))
    throw refusal("SIGNATURE_MISMATCH", "a URL below the URLPrefix, found another");
  return {
    ...common(token, product),
    signed,
    prefix,
    path,
    target: path,
    unsigned: unsignedParameters(others, product.allowUnsigned),
  };
}

function unknown(name: string): Error {
  return malformed(name, "unknown", "a parameter that is understood here: it would bind more");
}

/** Whether a URL is the prefix or below it. Google compares texts, by which `/a` would open `/ab`. */
export function isBelowPrefix(url: string, prefix: string): boolean {
  return url === prefix || url.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
}

const PREFIX = /^https?:\/\/[!$-=@-~]+$/;

/** The bytes of base64 or base64url, with or without its padding, as Google's tools give keys and prefixes. */
export function anyBase64(text: unknown): Uint8Array | undefined {
  const plain = String(text).replace(/=*$/, "");
  return fromBase64url(plain.replaceAll("+", "-").replaceAll("/", "_"));
}

/** The URL in a URLPrefix. */
export function readPrefix(text: string): string {
  const prefix = latin1(anyBase64(text) ?? new Uint8Array());
  if (PREFIX.test(prefix)) return prefix;
  throw malformed("URLPrefix", "form", "http(s)://host/path in base64url");
}

/** base64url, padded or not: each product has its way. */
export function base64urlOf(bytes: Uint8Array, { padded }: { readonly padded: boolean }): string {
  const text = base64(bytes).replaceAll("+", "-").replaceAll("/", "_");
  return padded ? text : text.replaceAll("=", "");
}

/** A URLPrefix as it stands in a token. */
export function prefixParameter(prefix: string, form: { readonly padded: boolean }): string {
  return `URLPrefix=${base64urlOf(utf8(prefix), form)}`;
}

/** Reads `a=1&b=2` or `a=1:b=2` with exactly these names in this order; `text` is all but the last, which is the signature. */
function readFields<N extends string>(
  text: string,
  separator: string,
  names: readonly N[],
): Readonly<Record<N, string>> & { readonly text: string } {
  const parts = text.split(separator);
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

/** `/video/edge-cache-token=…/seg.ts`: what is before, the token, and what is after. */
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

/** The URL of a prefix that was asked for: a path that ends in `/` and has the URL's path below it. */
export function checkPrefix({ origin, path }: EdgeUrl, prefix: string | undefined): string | undefined {
  if (prefix === undefined) return undefined;
  if (/^\/(?:[^?#]*\/)?$/.test(prefix) && path.startsWith(prefix)) return origin + prefix;
  throw invalidInput("prefix", "a beginning of the url's path that ends in /", prefix);
}
