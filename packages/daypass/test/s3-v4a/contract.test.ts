import { s3V4aSigner, s3V4aVerifier } from "../../src/schemes/s3/v4a/index.ts";
import { testScheme } from "../scheme-contract.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };

testScheme({
  scheme: "s3/v4a",
  sign: ({ at, expiresIn, method }) =>
    s3V4aSigner({
      endpoint: "https://s3.example.com",
      regionSet: ["eu-west-1", "us-*"],
      credentials,
      clock: () => at,
    }).sign({ bucket: "media", key: "talks/a b+ü.mp4", method, expiresIn, query: { versionId: "1" } }),
  verifier: ({ now, key }) =>
    s3V4aVerifier({
      credentials: {
        right: credentials,
        foreign: { ...credentials, secretAccessKey: "another" },
        unknown: { ...credentials, accessKeyId: "AKIDOTHER" },
      }[key],
      origins: ["https://s3.example.com"],
      clock: () => now,
    }),
  required: [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Region-Set",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
  ],
  signatureParameter: "X-Amz-Signature",
  timeParameter: "X-Amz-Date",
  futureSkew: 900,
  otherMethod: "PUT",
});
