import { EXAMPLE_ORIGINS, EXAMPLE_PATH } from "../core/example.ts";
import type { ExampleKeys, ExampleProbe } from "../core/scheme.ts";

/** Secrets of the edge tokens whose secret is any text. */
export const SECRETS: ExampleKeys & { readonly right: string } = {
  right: "SecurityKey",
  wrong: "another",
  invalid: ["", undefined],
};
/** A key in hexadecimal. */
export const HEX = "52a152a152a152a152a152a152a152a1";
/** The halves of an Ed25519 key, of RFC 8032, section 7.1, test 1, and the public half of test 2. */
export const ED25519 = {
  privateKey: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
  publicKey: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  otherPublicKey: "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
};
/** The request of an example without a query. */
export const EDGE_REQUEST: { readonly url: string } = { url: EXAMPLE_ORIGINS[0] + EXAMPLE_PATH };
/** The probe of an edge token that can be for a prefix. */
export const EDGE_PREFIX: ExampleProbe = {
  prefix: { value: "/talks/", elsewhere: (url) => url.replace("keynote", "another") },
};
/** Added to the request: the variant for a prefix. */
export const BELOW_PREFIX: { readonly prefix: string } = { prefix: "/talks/" };
/** The request of a cookie that opens a folder. */
export const COOKIE_REQUEST: { readonly url: string } = { url: `${EXAMPLE_ORIGINS[0]}/talks/` };
