import { flag, textList } from "../../core/fields.ts";
import type { SchemeFields } from "../../core/scheme.ts";
import { type EdgeOptions, ENDLESS, edgeFields, SECRET } from "../../edge/fields.ts";
import { laravelSigner, laravelVerifier } from "./index.ts";

/** Lines of Laravel's signed routes. */
export const fields: SchemeFields = edgeFields({
  scheme: "laravel",
  credentials: SECRET,
  required: ["secret"],
  options: { relative: flag },
  request: ENDLESS,
  entry: { ...ENDLESS, ignoreQuery: textList },
  signer: laravelSigner,
  verifier: ({ secret }: { readonly secret: string }, options: EdgeOptions) =>
    laravelVerifier({ ...options, secrets: secret }),
});
