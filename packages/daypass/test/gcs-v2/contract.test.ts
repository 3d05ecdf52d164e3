import { gcsV2HmacSigner, gcsV2HmacVerifier, gcsV2Signer, gcsV2Verifier } from "daypass/gcs/v2";
import { account, accounts, hmacKey, hmacKeys } from "../gcs/account.ts";
import { testScheme } from "../scheme-contract.ts";

const endpoint = "https://storage.example.com";
const request = { bucket: "media", object: "talks/a b+ü.mp4" };
const common = {
  scheme: "gcs/v2",
  required: ["GoogleAccessId", "Expires", "Signature"],
  signatureParameter: "Signature",
  timeParameter: "Expires",
  futureSkew: undefined,
  otherMethod: "PUT",
} as const;

testScheme({
  ...common,
  sign: ({ at, expiresIn, method }) =>
    gcsV2Signer({ credentials: account, endpoint, clock: () => at }).sign({ ...request, expiresIn, method }),
  verifier: ({ now, key }) => gcsV2Verifier({ keys: accounts[key], origins: [endpoint], clock: () => now }),
});

testScheme({
  ...common,
  sign: ({ at, expiresIn, method }) =>
    gcsV2HmacSigner({ credentials: hmacKey, endpoint, clock: () => at }).sign({ ...request, expiresIn, method }),
  verifier: ({ now, key }) => gcsV2HmacVerifier({ keys: hmacKeys[key], origins: [endpoint], clock: () => now }),
});
