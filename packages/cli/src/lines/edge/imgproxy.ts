import {
  type ImgproxyKey,
  type ImgproxyOptions,
  type ImgproxySignRequest,
  type ImgproxyVerifierOptions,
  imgproxySigner,
  imgproxyVerifier,
} from "daypass/imgproxy";
import { number, text } from "../fields.ts";
import type { LineScheme } from "../line-scheme.ts";
import { ENDLESS, edgeLines, UNSIGNED } from "./edge-lines.ts";

/** Lines of the scheme `imgproxy`. */
export const imgproxyLineScheme: LineScheme = edgeLines<
  ImgproxyKey,
  ImgproxyOptions,
  ImgproxySignRequest,
  Partial<ImgproxyVerifierOptions>
>({
  scheme: "imgproxy",
  credentials: { key: text, salt: text },
  required: ["key", "salt"],
  options: { signatureSize: number, pathPrefix: text },
  request: ENDLESS,
  entry: { ...ENDLESS, ...UNSIGNED },
  signer: imgproxySigner,
  verifier: (key, options) => imgproxyVerifier({ ...options, keys: key }),
});
