import { type LaravelSignRequest, type LaravelVerifierOptions, laravelSigner, laravelVerifier } from "daypass/laravel";
import { flag, textList } from "../fields.ts";
import type { LineScheme } from "../line-scheme.ts";
import { ENDLESS, edgeLines, SECRET } from "./edge-lines.ts";

interface Key {
  readonly secret: string;
}
interface Options {
  readonly relative?: boolean;
}

/** Lines of the scheme `laravel`: signed routes. */
export const laravelLineScheme: LineScheme = edgeLines<
  Key,
  Options,
  LaravelSignRequest,
  Partial<LaravelVerifierOptions>
>({
  scheme: "laravel",
  credentials: SECRET,
  required: ["secret"],
  options: { relative: flag },
  request: ENDLESS,
  entry: { ...ENDLESS, ignoreQuery: textList },
  signer: laravelSigner,
  verifier: ({ secret }, options) => laravelVerifier({ ...options, secrets: secret }),
});
