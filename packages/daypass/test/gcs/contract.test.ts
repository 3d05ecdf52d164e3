import { gcsHmacSigner, gcsHmacVerifier, gcsSigner, gcsVerifier } from "daypass/gcs";
import { testScheme } from "../scheme-contract.ts";
import { account, accounts, hmacKey, hmacKeys } from "./account.ts";

const endpoint = "https://storage.example.com";
const request = { bucket: "media", object: "talks/a b+ü.mp4", query: { generation: "1" } };
const common = {
  scheme: "gcs",
  required: [
    "X-Goog-Algorithm",
    "X-Goog-Credential",
    "X-Goog-Date",
    "X-Goog-Expires",
    "X-Goog-SignedHeaders",
    "X-Goog-Signature",
  ],
  signatureParameter: "X-Goog-Signature",
  timeParameter: "X-Goog-Date",
  futureSkew: 900,
  otherMethod: "PUT",
} as const;

testScheme({
  ...common,
  sign: ({ at, expiresIn, method }) =>
    gcsSigner({ credentials: account, endpoint, clock: () => at }).sign({ ...request, expiresIn, method }),
  verifier: ({ now, key }) => gcsVerifier({ keys: accounts[key], origins: [endpoint], clock: () => now }),
});

testScheme({
  ...common,
  sign: ({ at, expiresIn, method }) =>
    gcsHmacSigner({ credentials: hmacKey, endpoint, clock: () => at }).sign({ ...request, expiresIn, method }),
  verifier: ({ now, key }) => gcsHmacVerifier({ keys: hmacKeys[key], origins: [endpoint], clock: () => now }),
});
