import { md5 } from "#crypto/digests";
import { joinTarget } from "../../edge/query.ts";
import { hex } from "../../wire/encoding.ts";

/** The weaknesses of imgix's signature. */
export type ImgixWeakness = "plain-md5" | "no-expiry";
export const IMGIX_WEAK: readonly ImgixWeakness[] = ["plain-md5", "no-expiry"];

/** Path and query as they stand on the wire, the parameter `s` left out. */
export function imgixStringToSign(path: string, query: string): string {
  return joinTarget(path, query);
}

/**
 * The MD5 of token and text. The token stands in front, where MD5 can be continued (length extension); the continuation
 * has a byte 0x80 and zeros in it, which is why the text is held to visible ASCII.
 */
export function imgixHash(token: string, stringToSign: string): string {
  return hex(md5(token + stringToSign));
}
