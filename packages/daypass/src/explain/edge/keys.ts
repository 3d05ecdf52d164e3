import type { AkamaiOptions } from "../../schemes/akamai/index.ts";
import type { CloudCdnKey } from "../../schemes/cloud-cdn/index.ts";
import type { CloudflareOptions } from "../../schemes/cloudflare/index.ts";
import type { FastlyOptions } from "../../schemes/fastly/index.ts";
import type { ImgproxyKey, ImgproxyOptions } from "../../schemes/imgproxy/index.ts";
import type { MediaCdnKey } from "../../schemes/media-cdn/index.ts";
import type { MediaCdnTokenSecret, MediaCdnTokenVerifyKey } from "../../schemes/media-cdn/token/index.ts";
import type { NginxOptions } from "../../schemes/nginx/index.ts";
import type { SymfonyOptions } from "../../schemes/symfony/index.ts";
import type { UriSigningKey, UriSigningSecret } from "../../schemes/uri-signing/keys.ts";

interface Of<S extends string> {
  readonly scheme: S;
}
interface Secret<S extends string> extends Of<S> {
  readonly secret: string;
}

/** A link of nginx' `secure_link`, with the options that its signer has. */
export interface NginxExplainKey extends Secret<"nginx">, NginxOptions {}
/** A token of Bunny. */
export interface BunnyExplainKey extends Secret<"bunny"> {}
/** A token of Akamai's edge, with the options of its signer. */
export interface AkamaiExplainKey extends Secret<"akamai">, AkamaiOptions {}
/** A token of a Cloudflare rule, with the options of its signer. */
export interface CloudflareExplainKey extends Secret<"cloudflare">, CloudflareOptions {}
/** A token of Fastly, with the options of its verifier. */
export interface FastlyExplainKey extends Secret<"fastly">, FastlyOptions {}
/** A URL of imgix. */
export interface ImgixExplainKey extends Secret<"imgix"> {}
/** A URL of imgproxy: key and salt in hexadecimal, and the options of its signer. */
export interface ImgproxyExplainKey extends Of<"imgproxy">, ImgproxyKey, ImgproxyOptions {}
/** A URL or a cookie of Google's Cloud CDN, with the key of that name. */
export interface CloudCdnExplainKey extends Of<"cloud-cdn">, CloudCdnKey {}
/** A URL or a cookie of Google's Media CDN, with the key of that name. */
export interface MediaCdnExplainKey extends Of<"media-cdn">, MediaCdnKey {
  /** `true` if base64url is padded with `=`, `false` by default. */
  readonly padded?: boolean | undefined;
}
/** A token of Google's Media CDN: its secret or public key, and the name of its parameter. */
export interface MediaCdnTokenExplainKey extends Of<"media-cdn/token"> {
  readonly key: MediaCdnTokenSecret | MediaCdnTokenVerifyKey;
  /** Name of the query parameter, `"edge-cache-token"` by default. */
  readonly parameter?: string | undefined;
}
/** A signed URL of Laravel, with the application's key; `relative` if the host was not signed. */
export interface LaravelExplainKey extends Secret<"laravel"> {
  /** `true` if scheme and host were not signed, `false` by default. */
  readonly relative?: boolean | undefined;
}
/** A URL of Symfony's `UriSigner`, with the options of its signer. */
export interface SymfonyExplainKey extends Secret<"symfony">, SymfonyOptions {}
/** A URI of RFC 9246: its key, and the issuer and the attribute that its verifier was given. */
export interface UriSigningExplainKey extends Of<"uri-signing"> {
  readonly key: UriSigningSecret | UriSigningKey;
  readonly issuer?: string | undefined;
  /** Name of the attribute and the cookie, `"URISigningPackage"` by default. */
  readonly attribute?: string | undefined;
}

/** A key of an edge token, which names its scheme: `{ scheme: "nginx", secret: "…" }`, with the options of its signer. */
export type EdgeExplainKey =
  | NginxExplainKey
  | BunnyExplainKey
  | AkamaiExplainKey
  | CloudflareExplainKey
  | FastlyExplainKey
  | ImgixExplainKey
  | ImgproxyExplainKey
  | CloudCdnExplainKey
  | MediaCdnExplainKey
  | MediaCdnTokenExplainKey
  | LaravelExplainKey
  | SymfonyExplainKey
  | UriSigningExplainKey;

/** The secrets of a key, which no text may show. */
export function edgeSecrets(key: EdgeExplainKey): readonly string[] {
  const found: string[] = [];
  if ("secret" in key) found.push(key.secret);
  if ("salt" in key && key.salt !== undefined) found.push(key.salt);
  if ("key" in key) {
    const inner = key.key;
    if (typeof inner === "string") found.push(inner);
    else if ("secret" in inner) found.push(inner.secret);
    else if ("k" in inner) found.push(inner.k);
  }
  return found;
}
