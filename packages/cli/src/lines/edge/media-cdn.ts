import {
  type MediaCdnSignRequest,
  type MediaCdnVerifierOptions,
  mediaCdnCookieSigner,
  mediaCdnSigner,
  mediaCdnVerifier,
} from "daypass/media-cdn";
import { flag, missing, oneOf, text } from "../fields.ts";
import type { LineScheme } from "../line-scheme.ts";
import { ed25519Public } from "./ed25519-public.ts";
import { edgeLines, UNSIGNED } from "./edge-lines.ts";

interface Key {
  readonly keyName: string;
  readonly privateKey?: string;
  readonly publicKey?: string;
}
interface Options {
  readonly padded?: boolean;
}

/** Lines of the scheme `media-cdn`: URLs, and cookies with `"as":"cookies"`. */
export const mediaCdnLineScheme: LineScheme = edgeLines<
  Key,
  Options,
  MediaCdnSignRequest,
  Partial<MediaCdnVerifierOptions>
>({
  scheme: "media-cdn",
  credentials: { keyName: text, privateKey: text, publicKey: text },
  required: ["keyName"],
  options: { padded: flag },
  request: { prefix: text, place: oneOf("query", "path"), as: oneOf("url", "cookies") },
  entry: UNSIGNED,
  signer({ privateKey, ...options }, line) {
    if (privateKey === undefined) throw missing("credentials.privateKey", "give it in each media-cdn line");
    const all = { ...options, privateKey };
    return line["as"] === "cookies" ? mediaCdnCookieSigner(all) : mediaCdnSigner(all);
  },
  verifier: (key, options) => mediaCdnVerifier({ ...options, keys: openKey(key) }),
  explainKey: openKey,
});

function openKey({ keyName, privateKey, publicKey }: Key): { readonly keyName: string; readonly publicKey: string } {
  if (publicKey !== undefined) return { keyName, publicKey };
  if (privateKey !== undefined) return { keyName, publicKey: ed25519Public(privateKey) };
  throw missing("credentials.publicKey", "give it in each media-cdn entry");
}
