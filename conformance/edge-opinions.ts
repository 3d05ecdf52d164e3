import { createHmac, createPrivateKey, sign as signBytes } from "node:crypto";

// The second opinion on edge tokens for which there is no client to ask: written from the vendors' pages, with node:crypto, and
// from nothing of ours. Each takes decoded parts and gives the token, or the URL.

type Pairs = readonly (readonly [name: string, value: string])[];

const mac = (hash: string, key: Buffer | string, ...parts: readonly (string | Buffer)[]): Buffer => {
  const hmac = createHmac(hash, key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
};

/** docs.bunny.net, "Advanced token authentication": path, end, address and sorted parameters in a row. */
export function bunnyOpinion(
  key: string,
  {
    path,
    expires,
    ip,
    parameters,
  }: { readonly path: string; readonly expires: number; readonly ip?: string; readonly parameters: Pairs },
): string {
  const text = [...parameters]
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map((pair) => pair.join("="))
    .join("&");
  const address = ip === undefined ? Buffer.alloc(0) : Buffer.from(ip.split(".").map(Number));
  const digest = mac("sha256", key, path, String(expires), address, text).toString("base64url");
  return `HS256-${ip === undefined ? "" : "1-"}${digest}`;
}

/** developers.cloudflare.com, "Configure token authentication": message and timestamp in a row. */
export function cloudflareOpinion(secret: string, target: string, timestamp: number, urlSafe: boolean): string {
  const digest = mac("sha256", secret, target, String(timestamp));
  return `${timestamp}-${urlSafe ? digest.toString("base64url") : encodeURIComponent(digest.toString("base64"))}`;
}

/** Fastly's token functions: `digest.hmac_sha1(digest.base64_decode(key), path expiration)`. */
export function fastlyOpinion(secret: string, path: string, expires: number, hash: "sha1" | "sha256"): string {
  return `${expires}_${mac(hash, Buffer.from(secret, "base64"), path, String(expires)).toString("hex")}`;
}

const padded = (bytes: Buffer): string => bytes.toString("base64").replaceAll("+", "-").replaceAll("/", "_");

/** How Cloud CDN (HMAC-SHA1) and Media CDN (Ed25519) sign one text. */
export type GoogleSign = (text: string) => string;

export function cloudCdnSign(key: string): GoogleSign {
  const bytes = Buffer.from(key, "base64");
  return (text) => padded(mac("sha1", bytes, text));
}

export function mediaCdnSign(privateKey: string, isPadded: boolean): GoogleSign {
  // PKCS #8 around the 32 bytes (RFC 8410).
  const head = Buffer.from("302e020100300506032b657004220420", "hex");
  const der = Buffer.concat([head, Buffer.from(privateKey, "base64url")]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return (text) => {
    const signature = padded(signBytes(null, Buffer.from(text), key));
    return isPadded ? signature : signature.replaceAll("=", "");
  };
}

export interface GoogleWish {
  readonly url: string;
  readonly expires: number;
  readonly keyName: string;
  /** The URL up to which everything is opened. */
  readonly prefix?: string | undefined;
  readonly isPadded: boolean;
}

const prefixText = (prefix: string, isPadded: boolean): string => {
  const text = padded(Buffer.from(prefix));
  return `URLPrefix=${isPadded ? text : text.replaceAll("=", "")}`;
};

/** "Using signed URLs": the whole URL with its parameters, or only the parameters if it has a prefix. */
export function googleUrl(sign: GoogleSign, { url, expires, keyName, prefix, isPadded }: GoogleWish): string {
  const mark = url.includes("?") ? "&" : "?";
  const tail = `Expires=${expires}&KeyName=${keyName}`;
  if (prefix === undefined) return `${url}${mark}${tail}&Signature=${sign(`${url}${mark}${tail}`)}`;
  const policy = `${prefixText(prefix, isPadded)}&${tail}`;
  return `${url}${mark}${policy}&Signature=${sign(policy)}`;
}

/** "Using signed cookies": the same with colons. */
export function googleCookie(sign: GoogleSign, { expires, keyName, prefix = "", isPadded }: GoogleWish): string {
  const policy = `${prefixText(prefix, isPadded)}:Expires=${expires}:KeyName=${keyName}`;
  return `${policy}:Signature=${sign(policy)}`;
}

/** Media CDN, "Path component": the path contains the signature, after what it opens. */
export function mediaCdnPath(sign: GoogleSign, { url, expires, keyName, prefix = "" }: GoogleWish): string {
  const token = `edge-cache-token=Expires=${expires}&KeyName=${keyName}`;
  return `${prefix}${token}&Signature=${sign(prefix + token)}/${url.slice(prefix.length)}`;
}

/** Media CDN, "Generate tokens": fields joined by `~`; path and headers are signed with values that are not sent. */
export function mediaCdnTokenOpinion(
  prove: (text: string) => string,
  fields: readonly (readonly [name: string, sent: string | undefined, signed: string])[],
): string {
  const sent = fields.map(([name, value]) => (value === undefined ? name : `${name}=${value}`));
  const signed = fields.map(([name, , value]) => `${name}=${value}`);
  return [...sent, prove(signed.join("~"))].join("~");
}

export const hmacProof = (hash: "sha1" | "sha256", secret: string) => (text: string) =>
  `hmac=${mac(hash, Buffer.from(secret, "base64url"), text).toString("hex")}`;
