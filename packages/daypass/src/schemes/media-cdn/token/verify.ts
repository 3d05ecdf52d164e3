import { constantTimeEqual } from "#crypto";
import type { Verifier } from "../../../core/contracts.ts";
import { refusal } from "../../../core/errors.ts";
import { type Keys, keyResolver } from "../../../core/key-resolver.ts";
import { hasMember } from "../../../core/secrets.ts";
import { hasToken } from "../../../edge/query.ts";
import {
  type EdgeFormat,
  type EdgeGrant,
  type EdgeVerifierOptions,
  edgeVerifier,
  type UnsignedOptions,
} from "../../../edge/verify.ts";
import { isInside } from "../../../wire/ip.ts";
import { type MediaCdnTokenSecret, type MediaCdnTokenVerifyKey, proofOf } from "./canonical.ts";
import { checkTokenPath, type MediaCdnToken, type MediaCdnTokenFacts, parseMediaCdnToken } from "./parse.ts";

/** What a verified token allows. */
export interface MediaCdnTokenGrant extends EdgeGrant, MediaCdnTokenFacts {}

/** Options of {@link mediaCdnTokenVerifier}. */
export interface MediaCdnTokenVerifierOptions extends EdgeVerifierOptions, UnsignedOptions {
  /**
   * One key, several during rotation, or a function that fetches them; tokens name no key. A key is a shared secret for
   * HMAC-SHA256, or the result of `mediaCdnSha1Key` or `mediaCdnPublicKey`.
   */
  readonly keys: Keys<MediaCdnTokenSecret | MediaCdnTokenVerifyKey>;
  /** Who signed, for `grant.keyId`. `"media-cdn/token"` by default. */
  readonly keyId?: string | undefined;
  /** Name of the query parameter, `"edge-cache-token"` by default. */
  readonly parameter?: string | undefined;
  /** Name of the cookie, `"Edge-Cache-Cookie"` by default. */
  readonly cookie?: string | undefined;
}

type Check = (signed: string, proof: string) => Promise<boolean>;

/**
 * Verifies the tokens of Google's Media CDN (`URLPrefix=…~Expires=…~hmac=…`) with Ed25519 or HMAC, whichever the key is
 * for: path, prefix or path patterns, start and end, client addresses and request headers.
 *
 * Does not bind method and query, nor the host unless there is a URLPrefix. Session and data are in the grant, but are
 * not checked. You must create the second token of a dual-token setup yourself. Values that could be mistaken for
 * another field are refused.
 *
 * Source: https://cloud.google.com/media-cdn/docs/generate-tokens
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNSIGNED_PARAMETER`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`,
 * `NOT_YET_VALID`, `METHOD_NOT_GRANTED`, `IP_NOT_GRANTED`, `KEY_SCOPE`
 * @example
 * ```ts
 * import { mediaCdnTokenVerifier } from "daypass/media-cdn/token";
 *
 * const verifier = mediaCdnTokenVerifier({
 *   keys: { secret: "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8" },
 *   origins: ["http://10.20.30.40"],
 *   clock: () => new Date("2022-09-13T00:00:00Z"),
 * });
 * const token = "PathGlobs=/*~Expires=1663070400~hmac=9439ecdd5c4919f76f915dea72afa85a045579794e63d8cda664f5a1140c8d93";
 * const target = `/a.m3u8?edge-cache-token=${token}`;
 * const grant = await verifier.verify({ method: "GET", target, authority: "10.20.30.40", headers: [] });
 * console.log(grant.pathGlobs); // [ "/*" ]
 * ```
 */
export function mediaCdnTokenVerifier(options: MediaCdnTokenVerifierOptions): Verifier<MediaCdnTokenGrant> {
  const { parameter = "edge-cache-token", cookie = "Edge-Cache-Cookie", allowUnsigned } = options;
  const format: EdgeFormat<MediaCdnToken, Check, never, MediaCdnTokenFacts> = {
    id: "media-cdn/token",
    weak: [],
    detect: ({ target, headers }) =>
      hasToken(target, [parameter]) ||
      headers.some(([name, value]) => name.toLowerCase() === "cookie" && value.includes(`${cookie}=`)),
    parse: (received) => parseMediaCdnToken(received, { parameter, cookie }, allowUnsigned),
    check: async (_received, { signed, proof }, matches) => ({
      matches: await matches(signed, proof),
      stringToSign: signed,
    }),
    dummyKey: checkWith({ secret: "AAAAAAAAAAAAAAAAAAAAAA" }),
    facts(received, token) {
      checkTokenPath(received, token);
      if (isInside(received.request.remoteAddress, token.networks)) return token.facts;
      throw refusal("IP_NOT_GRANTED", "a client in a granted network");
    },
  };
  const keys = keyResolver(options.keys, () => options.keyId ?? format.id, checkWith);
  return edgeVerifier(format, keys, options);
}

/** The algorithm is the key's: a proof of another kind is none. */
function checkWith(key: MediaCdnTokenSecret | MediaCdnTokenVerifyKey): Check {
  if (hasMember(key, "matches")) return key.matches;
  const prove = proofOf(key);
  return async (signed, proof) => constantTimeEqual(prove(signed), proof);
}
