import { ed25519PrivateKey } from "#crypto";
import type { AsyncSigner } from "../../../core/contracts.ts";
import { strictPublicKey } from "../../../core/ed25519.ts";
import { asyncSigner } from "../../../core/signed-request.ts";
import { base64url, fromBase64url } from "../../../wire/encoding.ts";
import { invalidKey, keyBytes } from "../canonical.ts";
import type { MediaCdnTokenVerifyKey } from "./canonical.ts";
import { type MediaCdnTokenOptions, type MediaCdnTokenRequest, prepareToken } from "./sign.ts";

/** Options of {@link mediaCdnEd25519TokenSigner}. */
export interface MediaCdnEd25519TokenSignerOptions extends MediaCdnTokenOptions {
  /** The 32 bytes of an Ed25519 private key in base64url. */
  readonly privateKey: string;
}

/**
 * Signs URLs with a token of Google's Media CDN by an Ed25519 key. Requests and what they bind are those of
 * `mediaCdnTokenSigner`.
 *
 * Source: https://cloud.google.com/media-cdn/docs/generate-tokens
 *
 * @throws {DaypassError} as `mediaCdnTokenSigner`
 * @example
 * ```ts
 * import { mediaCdnEd25519TokenSigner } from "daypass/media-cdn/token";
 *
 * const signer = mediaCdnEd25519TokenSigner({ privateKey: "DJUcnLguVFKmVCFnWGubG1MZg7fWAnxacMjKDhVZMGI" });
 * export const { url } = await signer.sign({ url: "https://media.example.com/a.m3u8", expiresIn: 900 });
 * ```
 */
export function mediaCdnEd25519TokenSigner(
  options: MediaCdnEd25519TokenSignerOptions,
): AsyncSigner<MediaCdnTokenRequest> {
  const { privateKey, parameter, clock } = options;
  const key = ed25519PrivateKey(keyBytes(privateKey));
  return asyncSigner(async (request) => {
    const { stringToSign, finish } = prepareToken(request, { parameter, clock });
    return finish(`Signature=${base64url(await key.sign(stringToSign))}`);
  });
}

/**
 * The key that `mediaCdnTokenVerifier` verifies Ed25519 tokens with: the 32 bytes of a public key in base64url.
 *
 * @param publicKey base64url or base64, padded or not
 * @throws {DaypassError} `INVALID_KEY`
 * @example
 * ```ts
 * import { mediaCdnPublicKey, mediaCdnTokenVerifier } from "daypass/media-cdn/token";
 *
 * export const verifier = mediaCdnTokenVerifier({
 *   keys: mediaCdnPublicKey("n7nwvhza11C0SuU9ay1uWjDSfzH-CpIBgXxqIz-Yd9Q"),
 *   origins: ["https://media.example.com"],
 * });
 * ```
 */
export function mediaCdnPublicKey(publicKey: string): MediaCdnTokenVerifyKey {
  const key = strictPublicKey(keyBytes(publicKey), invalidKey);
  return {
    async matches(text, proof) {
      const bytes = proof.startsWith("Signature=") ? fromBase64url(proof.slice(10)) : undefined;
      return bytes !== undefined && key.verify(text, bytes);
    },
  };
}
