import { type Mac, sha256Hmac } from "#crypto/digests";
import { refusal } from "../../core/errors.ts";
import type { Weakness } from "../../core/weakness.ts";
import { base64url, fromHex, utf8 } from "../../wire/encoding.ts";

/** The possible weaknesses of imgproxy's signature. */
export type ImgproxyWeakness = "no-expiry" | "short-signature";

/** One of imgproxy's pairs of key and salt, both in hexadecimal. */
export interface ImgproxyKey {
  /** IMGPROXY_KEY, hexadecimal. */
  readonly key: string;
  /** IMGPROXY_SALT, hexadecimal. */
  readonly salt: string;
}

/** Options that signer and verifier must share with the server. */
export interface ImgproxyOptions {
  /** IMGPROXY_SIGNATURE_SIZE: number of bytes of the MAC in the URL, 32 by default. */
  readonly signatureSize?: number | undefined;
  /** IMGPROXY_PATH_PREFIX, without a trailing slash; none by default. */
  readonly pathPrefix?: string | undefined;
}

/** "The HMAC of salt and path with SHA-256", cut to its size, in base64url without padding. */
export function imgproxyMac({ key, salt }: ImgproxyKey, size: number): (path: string) => string {
  const [keyBytes, saltBytes] = [key, salt].map((text) => (typeof text === "string" ? fromHex(text) : undefined));
  if (!keyBytes?.length || saltBytes === undefined) {
    throw refusal("INVALID_KEY", "key and salt in hexadecimal, found something else");
  }
  const mac: Mac = sha256Hmac(keyBytes);
  return (path) => base64url(mac(Uint8Array.from([...saltBytes, ...utf8(path)])).subarray(0, size));
}

/** The options, checked, and what is weak about them. */
export function imgproxyFormat({ signatureSize = 32, pathPrefix = "" }: ImgproxyOptions): {
  readonly size: number;
  readonly prefix: string;
  readonly weak: readonly (ImgproxyWeakness & Weakness)[];
} {
  const isSize = Number.isInteger(signatureSize) && signatureSize > 0 && signatureSize <= 32;
  if (!isSize || !/^(?:\/[A-Za-z0-9._~-]+)*$/.test(pathPrefix)) {
    throw refusal("INVALID_INPUT", "signatureSize as 1 to 32 bytes, and pathPrefix as /a without a slash at its end");
  }
  return {
    size: signatureSize,
    prefix: pathPrefix,
    weak: signatureSize < 16 ? ["no-expiry", "short-signature"] : ["no-expiry"],
  };
}

/**
 * The values of the `expires` options of a path. Options are the segments with a `:` in front of the first without one,
 * which is `plain` or the source in base64.
 */
export function expiryOptions(path: string): readonly string[] {
  const segments = path.slice(1).split("/");
  const end = segments.findIndex((segment) => !segment.includes(":"));
  return segments.slice(0, end < 0 ? segments.length : end).flatMap((segment) => {
    const [, value] = /^(?:expires|exp):(.*)$/.exec(segment) ?? [];
    return value === undefined ? [] : [value];
  });
}
