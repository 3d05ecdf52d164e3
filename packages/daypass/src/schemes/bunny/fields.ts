import { flag, number, oneOf, textList } from "../../core/fields.ts";
import type { SchemeFields } from "../../core/scheme.ts";
import { type EdgeOptions, edgeFields, SECRET, UNSIGNED } from "../../edge/fields.ts";
import { bunnySigner, bunnyVerifier } from "./index.ts";

/** Lines of Bunny's CDN. The caller applies a speed limit, which is in the grant. */
export const fields: SchemeFields = edgeFields({
  scheme: "bunny",
  credentials: SECRET,
  required: ["secret"],
  request: {
    place: oneOf("query", "path"),
    countries: textList,
    countriesBlocked: textList,
    speedLimit: number,
  },
  entry: { ...UNSIGNED, requireIp: flag },
  signer: bunnySigner,
  verifier: ({ secret }: { readonly secret: string }, options: EdgeOptions) =>
    bunnyVerifier({ ...options, secrets: secret, enforcesSpeedLimit: true }),
});
