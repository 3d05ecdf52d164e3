import { gcsV2HmacSigner, gcsV2HmacVerifier, gcsV2Signer, gcsV2Verifier } from "daypass/gcs/v2";
import { account, foreignKey, hmacKey, publicAccount } from "../gcs/account.ts";
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
  verifier: ({ now, key }) =>
    gcsV2Verifier({
      keys: {
        right: publicAccount,
        foreign: { ...publicAccount, public_key: foreignKey },
        unknown: { ...publicAccount, client_email: "other@example.com" },
      }[key],
      origins: [endpoint],
      clock: () => now,
    }),
});

testScheme({
  ...common,
  sign: ({ at, expiresIn, method }) =>
    gcsV2HmacSigner({ credentials: hmacKey, endpoint, clock: () => at }).sign({ ...request, expiresIn, method }),
  verifier: ({ now, key }) =>
    gcsV2HmacVerifier({
      keys: {
        right: hmacKey,
        foreign: { ...hmacKey, secretAccessKey: "another" },
        unknown: { ...hmacKey, accessKeyId: "GOOG1OTHER" },
      }[key],
      origins: [endpoint],
      clock: () => now,
    }),
});
