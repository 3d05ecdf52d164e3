import type { ExampleOptions, SchemeExample } from "../../core/scheme.ts";
import { BELOW_PREFIX, EDGE_PREFIX, EDGE_REQUEST, SECRETS } from "../../edge/example.ts";
import { bunnySigner, bunnyVerifier } from "./index.ts";

const common = {
  keys: SECRETS,
  signature: /[?&_]token=([^&]+)/,
  signer: (clock: () => Date) => bunnySigner({ secret: SECRETS.right, clock }),
  verifier: (secrets: never, options: ExampleOptions) => bunnyVerifier({ secrets, ...options }),
};

export const examples: readonly SchemeExample[] = [
  { name: "bunny", ...common, request: EDGE_REQUEST, probe: EDGE_PREFIX },
  { name: "bunny, prefix", ...common, request: { ...EDGE_REQUEST, ...BELOW_PREFIX }, anyPathBelow: true },
  {
    name: "bunny, in the path",
    ...common,
    request: { ...EDGE_REQUEST, place: "path" },
    probe: { ...EDGE_PREFIX, sameAs: "bunny" },
  },
];
