import { type BunnySignRequest, type BunnyVerifierOptions, bunnySigner, bunnyVerifier } from "daypass/bunny";
import { flag, number, oneOf, text, textList } from "../fields.ts";
import type { LineScheme } from "../line-scheme.ts";
import { edgeLines, SECRET, UNSIGNED } from "./edge-lines.ts";

interface Key {
  readonly secret: string;
}

/** Lines of the scheme `bunny`: tokens of Bunny's CDN. A speed limit is in the grant, for whoever acts on it. */
export const bunnyLineScheme: LineScheme = edgeLines<Key, object, BunnySignRequest, Partial<BunnyVerifierOptions>>({
  scheme: "bunny",
  credentials: SECRET,
  required: ["secret"],
  request: {
    ...{ prefix: text, place: oneOf("query", "path"), countries: textList, countriesBlocked: textList },
    speedLimit: number,
  },
  entry: { ...UNSIGNED, requireIp: flag },
  signer: bunnySigner,
  verifier: ({ secret }, options) => bunnyVerifier({ ...options, secrets: secret, enforcesSpeedLimit: true }),
});
