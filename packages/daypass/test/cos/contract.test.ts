import { cosSigner, cosVerifier } from "daypass/cos";
import { testScheme } from "../scheme-contract.ts";

const credentials = { secretId: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCY" };

testScheme({
  scheme: "cos",
  sign: ({ at, expiresIn, method }) =>
    cosSigner({ region: "ap-guangzhou", credentials, clock: () => at }).sign({
      bucket: "media-1250000000",
      key: "talks/a b+ü.mp4",
      method,
      expiresIn,
      query: { versionId: "1" },
    }),
  verifier: ({ now, key }) =>
    cosVerifier({
      credentials: {
        right: credentials,
        foreign: { ...credentials, secretKey: "another" },
        unknown: { ...credentials, secretId: "AKIDOTHER" },
      }[key],
      origins: ["https://*.cos.ap-guangzhou.myqcloud.com"],
      clock: () => now,
    }),
  required: [
    "q-sign-algorithm",
    "q-ak",
    "q-sign-time",
    "q-key-time",
    "q-header-list",
    "q-url-param-list",
    "q-signature",
  ],
  signatureParameter: "q-signature",
  timeParameter: "q-sign-time",
  futureSkew: 0,
  otherMethod: "PUT",
});
