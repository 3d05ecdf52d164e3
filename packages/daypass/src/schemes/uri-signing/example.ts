import type { ExampleOptions, SchemeExample } from "../../core/scheme.ts";
import { unchecked } from "../../core/unchecked.ts";
import { EDGE_PREFIX, EDGE_REQUEST } from "../../edge/example.ts";
import {
  type UriSigningKey,
  type UriSigningSecret,
  uriSigningRegex,
  uriSigningSigner,
  uriSigningVerifier,
} from "./index.ts";

const key: UriSigningSecret = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODw" };
const common = {
  keys: {
    right: key,
    wrong: { ...key, k: "AgICAgICAgICAgICAgICAg" },
    invalid: [
      { ...key, k: "" },
      { ...key, k: "AQEBAQEBAQE" },
      { ...key, kid: "" },
    ],
  },
  signature: /URISigningPackage=[^.]+\.[^.]+\.([\w-]+)/,
  obliged: { nonce: true },
  signer: (clock: () => Date) => uriSigningSigner({ key, clock }),
  verifier(keys: never, options: ExampleOptions) {
    const given: unknown = keys;
    // A kid names one key of its set, so each candidate has a separate set.
    const setsOf = (found: unknown) => [found].flat().map((one) => ({ keys: [unchecked<UriSigningKey>(one)] }));
    const keySets = typeof given === "function" ? async () => setsOf(await given()) : setsOf(given);
    return uriSigningVerifier({ keySets, regex: uriSigningRegex, ...options });
  },
};

export const examples: readonly SchemeExample[] = [
  { name: "uri-signing", ...common, request: EDGE_REQUEST, probe: EDGE_PREFIX },
  {
    name: "uri-signing, in the path",
    ...common,
    request: { ...EDGE_REQUEST, place: "path" },
    probe: { ...EDGE_PREFIX, sameAs: "uri-signing" },
  },
];
