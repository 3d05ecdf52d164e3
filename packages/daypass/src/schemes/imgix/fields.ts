import type { SchemeFields } from "../../core/scheme.ts";
import { ENDLESS, edgeFields, SECRET } from "../../edge/fields.ts";
import { type ImgixVerifierOptions, imgixSigner, imgixVerifier } from "./index.ts";

export const fields: SchemeFields = edgeFields({
  scheme: "imgix",
  credentials: SECRET,
  required: ["secret"],
  request: ENDLESS,
  entry: ENDLESS,
  signer: imgixSigner,
  verifier: ({ secret }: { readonly secret: string }, options: Omit<ImgixVerifierOptions, "secrets">) =>
    imgixVerifier({ ...options, secrets: secret }),
});
