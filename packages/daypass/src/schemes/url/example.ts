import { EXAMPLE_ORIGINS, EXAMPLE_TIME } from "../../core/example.ts";
import type { ExampleKeys, ExampleOptions, ExampleProbe, SchemeExample } from "../../core/scheme.ts";
import { unchecked } from "../../core/unchecked.ts";
import { type UrlEd25519PrivateKey, type UrlHmacKey, urlSigner, urlVerifier } from "./index.ts";

const KEY: UrlHmacKey = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" };
// RFC 8032, section 7.1, test 1.
const X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const ED25519: UrlEd25519PrivateKey = {
  kty: "OKP",
  crv: "Ed25519",
  alg: "Ed25519",
  kid: "edge-1",
  x: X,
  d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
};
const { d: _, ...ED25519_PUBLIC } = ED25519;
const HMAC_KEYS: ExampleKeys = {
  right: KEY,
  wrong: { ...KEY, k: "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI" },
  invalid: [
    { ...KEY, k: "" },
    { ...KEY, k: "AQEBAQEBAQE" },
    { ...KEY, kid: "" },
  ],
  id: KEY.kid,
  oneForEachId: true,
};
const ED25519_KEYS: ExampleKeys = {
  right: ED25519_PUBLIC,
  wrong: { ...ED25519_PUBLIC, x: "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw" },
  invalid: [
    { ...ED25519_PUBLIC, x: "" },
    { ...ED25519_PUBLIC, kid: "" },
  ],
  id: ED25519.kid,
  oneForEachId: true,
};

const [origin] = EXAMPLE_ORIGINS;
const URL_7 = `${origin}/talks/2026/keynote.mp4`;
const probe: ExampleProbe = {
  request: ({ method = "GET", ...constraints }) => ({ ...constraints, methods: [method] }),
  prefix: { value: "/talks/2026/", elsewhere: (url) => url.replace("keynote", "another") },
};
const common = {
  signature: /dp-signature=([^&]+)/,
  request: { url: URL_7, audience: "invoice" },
  obliged: { uses: 1 },
  variants: [
    { methods: ["PUT", "DELETE"], createOnly: true, bind: { contentLength: { max: 1_048_576 } } },
    { methods: ["PUT"], bind: { contentType: "image/png", sha256: "0".repeat(64) } },
    { bind: { headers: { "x-tenant": "acme", "x-shard": "eu 1" } } },
    { bind: { ip: ["203.0.113.0/24", "2001:db8::/32"] } },
    { subject: "cus_42", nonce: "AAAAAAAAAAAAAAAAAAAAAA" },
    { uses: 3, nonce: "BBBBBBBBBBBBBBBBBBBBBB" },
    { response: { contentDisposition: 'attachment; filename="a.pdf"', cacheControl: "private" } },
    { url: `${URL_7}?lang=de&utm_source=mail`, vary: ["utm_source", "fbclid"] },
    { prefix: "/talks/2026/" },
    { url: `${origin}/talks/2026/`, prefix: 1, vary: ["fbclid"] },
    { notBefore: EXAMPLE_TIME, stableWindow: 300 },
  ],
  verifier(keys: never, options: ExampleOptions) {
    const given: unknown = keys;
    return urlVerifier({
      ...options,
      audience: "invoice",
      keys: typeof given === "function" ? keys : unchecked([given].flat()),
    });
  },
};

export const examples: readonly SchemeExample[] = [
  { name: "url", keys: HMAC_KEYS, probe, ...common, signer: (clock) => urlSigner({ key: KEY, clock }) },
  {
    name: "url, Ed25519",
    keys: ED25519_KEYS,
    probe: { ...probe, sameAs: "url" },
    ...common,
    signer: (clock) => urlSigner({ key: ED25519, clock }),
  },
];
