import { missing, oneOf, text, textList } from "../../../core/fields.ts";
import type { KeyTools, SchemeFields } from "../../../core/scheme.ts";
import { type EdgeOptions, edgeFields, UNSIGNED } from "../../../edge/fields.ts";
import {
  mediaCdnEd25519TokenSigner,
  mediaCdnPublicKey,
  mediaCdnSha1Key,
  mediaCdnTokenSigner,
  mediaCdnTokenVerifier,
} from "./index.ts";

/** `secret` with the hash of its HMAC, or the halves of an Ed25519 key. */
interface Key {
  readonly secret?: string;
  readonly hash?: "sha1" | "sha256";
  readonly privateKey?: string;
  readonly publicKey?: string;
}

interface Options extends Key {
  readonly parameter?: string;
  readonly clock: () => Date;
}

/** Lines of Media CDN's tokens. */
export const fields: SchemeFields = edgeFields({
  scheme: "media-cdn/token",
  credentials: { secret: text, hash: oneOf("sha1", "sha256"), privateKey: text, publicKey: text },
  required: [],
  options: { parameter: text },
  request: { pathGlobs: textList, sessionId: text, data: text },
  entry: { ...UNSIGNED, cookie: text },
  signer({ secret, hash, privateKey, parameter, clock }: Options) {
    if (secret !== undefined) return mediaCdnTokenSigner({ key: hmacKey(secret, hash), parameter, clock });
    if (privateKey !== undefined) return mediaCdnEd25519TokenSigner({ privateKey, parameter, clock });
    throw missing("credentials", "give secret or privateKey in each media-cdn/token line");
  },
  verifier: (key: Key, options: EdgeOptions, tools) =>
    mediaCdnTokenVerifier({ ...options, keys: verifyingKey(key, tools) }),
  explainKey: (key: Key, tools) => ({ key: verifyingKey(key, tools) }),
});

function verifyingKey({ secret, hash, privateKey, publicKey }: Key, tools: KeyTools) {
  if (secret !== undefined) return hmacKey(secret, hash);
  if (publicKey !== undefined) return mediaCdnPublicKey(publicKey);
  if (privateKey !== undefined) return mediaCdnPublicKey(tools.ed25519Public(privateKey));
  throw missing("credentials", "give secret or publicKey in each media-cdn/token entry");
}

function hmacKey(secret: string, hash?: "sha1" | "sha256") {
  return hash === "sha1" ? mediaCdnSha1Key({ secret }) : { secret };
}
