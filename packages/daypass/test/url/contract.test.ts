import { urlSigner, urlVerifier } from "../../src/schemes/url/index.ts";
import { testScheme } from "../scheme-contract.ts";

const hmac = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
// RFC 8032 section 7.1, tests 1 and 2.
const edge = {
  kty: "OKP",
  crv: "Ed25519",
  alg: "Ed25519",
  kid: "edge-1",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
} as const;

const url = "https://api.example.com/invoices/a%20b+%C3%BC.pdf?lang=de&page=1";
const origins = ["https://api.example.com"];
const common = {
  scheme: "url",
  required: ["dp-date", "dp-expires", "dp-key", "dp-methods", "dp-signature", "dp-v"],
  signatureParameter: "dp-signature",
  timeParameter: "dp-date",
  futureSkew: 60,
  otherMethod: "PUT",
} as const;

testScheme({
  ...common,
  sign: ({ at, expiresIn, method }) =>
    urlSigner({ key: hmac, clock: () => at }).sign({ url, methods: [method], expiresIn }),
  verifier: ({ now, key }) =>
    urlVerifier({
      keys: [
        { right: hmac, foreign: { ...hmac, k: "_".repeat(43).replace(/.$/, "8") }, unknown: { ...hmac, kid: "k2" } }[
          key
        ],
      ],
      origins,
      clock: () => now,
    }),
});

testScheme({
  ...common,
  scheme: "url",
  sign: ({ at, expiresIn, method }) =>
    urlSigner({ key: edge, clock: () => at }).sign({ url, methods: [method], expiresIn }),
  verifier: ({ now, key }) =>
    urlVerifier({
      keys: [
        {
          right: edge,
          foreign: { ...edge, x: "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw" },
          unknown: { ...edge, kid: "edge-2" },
        }[key],
      ],
      origins,
      clock: () => now,
    }),
});
