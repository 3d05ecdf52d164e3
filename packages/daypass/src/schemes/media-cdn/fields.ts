import { flag, missing, oneOf, text } from "../../core/fields.ts";
import type { KeyTools, SchemeFields } from "../../core/scheme.ts";
import { type EdgeOptions, edgeFields, UNSIGNED } from "../../edge/fields.ts";
import { mediaCdnCookieSigner, mediaCdnSigner, mediaCdnVerifier } from "./index.ts";

interface Key {
  readonly keyName: string;
  readonly privateKey?: string;
  readonly publicKey?: string;
}

/** Lines of Google's Media CDN: URLs, and cookies with `"as":"cookies"`. */
export const fields: SchemeFields = edgeFields({
  scheme: "media-cdn",
  credentials: { keyName: text, privateKey: text, publicKey: text },
  required: ["keyName"],
  options: { padded: flag },
  signing: { as: oneOf("url", "cookies") },
  request: { place: oneOf("query", "path") },
  entry: UNSIGNED,
  signer({ as, privateKey, publicKey: _, ...options }: Key & { readonly as?: string }) {
    if (privateKey === undefined) throw missing("credentials.privateKey", "give it in each media-cdn line");
    const make = as === "cookies" ? mediaCdnCookieSigner : mediaCdnSigner;
    return make({ ...options, privateKey });
  },
  verifier: (key: Key, options: EdgeOptions, tools) => mediaCdnVerifier({ ...options, keys: publicHalf(key, tools) }),
  explainKey: publicHalf,
});

function publicHalf({ keyName, privateKey, publicKey }: Key, tools: KeyTools) {
  if (publicKey !== undefined) return { keyName, publicKey };
  if (privateKey !== undefined) return { keyName, publicKey: tools.ed25519Public(privateKey) };
  throw missing("credentials.publicKey", "give it in each media-cdn entry");
}
