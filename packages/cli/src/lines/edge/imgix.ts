import { type ImgixSignRequest, type ImgixVerifierOptions, imgixSigner, imgixVerifier } from "daypass/imgix";
import type { LineScheme } from "../line-scheme.ts";
import { ENDLESS, edgeLines, SECRET } from "./edge-lines.ts";

interface Key {
  readonly secret: string;
}

/** Lines of the scheme `imgix`. */
export const imgixLineScheme: LineScheme = edgeLines<Key, object, ImgixSignRequest, Partial<ImgixVerifierOptions>>({
  scheme: "imgix",
  credentials: SECRET,
  required: ["secret"],
  request: ENDLESS,
  entry: ENDLESS,
  signer: imgixSigner,
  verifier: ({ secret }, options) => imgixVerifier({ ...options, secrets: secret }),
});
