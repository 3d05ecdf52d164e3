import { constantTimeEqual } from "#crypto";
import { sha1Hmac } from "#crypto/digests";
import { hex } from "../../../wire/encoding.ts";
import {
  type MediaCdnTokenMac,
  type MediaCdnTokenSecret,
  type MediaCdnTokenVerifyKey,
  secretBytes,
} from "./canonical.ts";

/**
 * A shared secret for keysets that are set up for HMAC-SHA1, for the signer as well as for the verifier.
 *
 * Source: https://cloud.google.com/media-cdn/docs/use-dual-token-authentication
 *
 * @throws {DaypassError} `INVALID_KEY`
 * @example
 * ```ts
 * import { mediaCdnSha1Key, mediaCdnTokenSigner } from "daypass/media-cdn/token";
 *
 * export const signer = mediaCdnTokenSigner({ key: mediaCdnSha1Key({ secret: "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8" }) });
 * ```
 */
export function mediaCdnSha1Key(secret: MediaCdnTokenSecret): MediaCdnTokenMac & MediaCdnTokenVerifyKey {
  const mac = sha1Hmac(secretBytes(secret));
  const prove = (text: string): string => `hmac=${hex(mac(text))}`;
  return { prove, matches: async (text, proof) => constantTimeEqual(prove(text), proof) };
}
