import { sha1Hmac, sha256Hmac } from "#crypto/digests";
import { refusal } from "../../core/errors.ts";
import { checkOneOf } from "../../core/validate-options.ts";
import { fromBase64, hex } from "../../wire/encoding.ts";

/** The hash of `digest.hmac_sha1` or `digest.hmac_sha256` in the service's VCL. */
export type FastlyHash = "sha1" | "sha256";

/** The weakness of the token in Fastly's examples. */
export type FastlyWeakness = "unseparated-fields";
export const FASTLY_WEAK: readonly FastlyWeakness[] = ["unseparated-fields"];

/** Hexadecimal digits of a signature. */
export const DIGITS: Readonly<Record<FastlyHash, number>> = { sha1: 40, sha256: 64 };

/**
 * "req.url.path var.token_exp": the raw path, and the end, with nothing between. The end has ten digits here, no more and
 * no less, so that one text stands for one request.
 */
export function fastlyStringToSign(path: string, expires: string): string {
  return path + expires;
}

/** The MAC of a text in hexadecimal, with the secret as `digest.base64_decode` reads it. */
export function fastlyMac(secret: string, hash: FastlyHash): (text: string) => string {
  const key = fromBase64(secret);
  if (key === undefined || key.length === 0) throw refusal("INVALID_KEY", "a secret in base64, found something else");
  checkOneOf("hash", hash, "sha1", "sha256");
  const mac = hash === "sha1" ? sha1Hmac(key) : sha256Hmac(key);
  return (text) => hex(mac(text));
}
