import {
  type MediaCdnTokenRequest,
  type MediaCdnTokenVerifierOptions,
  mediaCdnEd25519TokenSigner,
  mediaCdnPublicKey,
  mediaCdnSha1Key,
  mediaCdnTokenSigner,
  mediaCdnTokenVerifier,
} from "daypass/media-cdn/token";
import { missing, oneOf, text, textList } from "../fields.ts";
import type { LineScheme } from "../line-scheme.ts";
import { ed25519Public } from "./ed25519-public.ts";
import { edgeLines, UNSIGNED } from "./edge-lines.ts";

/** One of `secret`, with the hash of its HMAC, and the halves of an Ed25519 key. */
interface Key {
  readonly secret?: string;
  readonly hash?: "sha1" | "sha256";
  readonly privateKey?: string;
  readonly publicKey?: string;
}
interface Options {
  readonly parameter?: string;
}

/** Lines of the scheme `media-cdn/token`. */
export const mediaCdnTokenLineScheme: LineScheme = edgeLines<
  Key,
  Options,
  MediaCdnTokenRequest,
  Partial<MediaCdnTokenVerifierOptions>
>({
  scheme: "media-cdn/token",
  credentials: { secret: text, hash: oneOf("sha1", "sha256"), privateKey: text, publicKey: text },
  required: [],
  options: { parameter: text },
  request: { prefix: text, pathGlobs: textList, sessionId: text, data: text },
  entry: { ...UNSIGNED, cookie: text },
  signer({ secret, hash, privateKey, parameter, clock }) {
    if (secret !== undefined) return mediaCdnTokenSigner({ key: hmacKey(secret, hash), parameter, clock });
    if (privateKey !== undefined) return mediaCdnEd25519TokenSigner({ privateKey, parameter, clock });
    throw missing("credentials", "give secret or privateKey in each media-cdn/token line");
  },
  verifier: (key, options) => mediaCdnTokenVerifier({ ...options, keys: verifyKey(key) }),
  explainKey: (key) => ({ key: verifyKey(key) }),
});

function verifyKey({ secret, hash, privateKey, publicKey }: Key) {
  if (secret !== undefined) return hmacKey(secret, hash);
  if (publicKey !== undefined) return mediaCdnPublicKey(publicKey);
  if (privateKey !== undefined) return mediaCdnPublicKey(ed25519Public(privateKey));
  throw missing("credentials", "give secret or publicKey in each media-cdn/token entry");
}

function hmacKey(secret: string, hash: "sha1" | "sha256" = "sha256") {
  return hash === "sha1" ? mediaCdnSha1Key({ secret }) : { secret };
}
