import { number, text } from "../../core/fields.ts";
import type { SchemeFields } from "../../core/scheme.ts";
import { type EdgeOptions, ENDLESS, edgeFields, UNSIGNED } from "../../edge/fields.ts";
import { type ImgproxyKey, imgproxySigner, imgproxyVerifier } from "./index.ts";

/** Lines of imgproxy. */
export const fields: SchemeFields = edgeFields({
  scheme: "imgproxy",
  credentials: { key: text, salt: text },
  required: ["key", "salt"],
  options: { signatureSize: number, pathPrefix: text },
  request: ENDLESS,
  entry: { ...ENDLESS, ...UNSIGNED },
  signer: imgproxySigner,
  verifier: (key: ImgproxyKey, options: EdgeOptions) => imgproxyVerifier({ ...options, keys: key }),
});
