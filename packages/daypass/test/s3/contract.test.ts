import { s3Signer, s3Verifier } from "../../src/schemes/s3/index.ts";
import { testScheme } from "../scheme-contract.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };

testScheme({
  scheme: "s3",
  sign: ({ at, expiresIn, method }) =>
    s3Signer({ region: "eu-west-1", endpoint: "https://s3.example.com", credentials, clock: () => at }).sign({
      bucket: "media",
      key: "talks/a b+ü.mp4",
      method,
      expiresIn,
      query: { versionId: "1" },
    }),
  verifier: ({ now, key }) =>
    s3Verifier({
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
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
  ],
  signatureParameter: "X-Amz-Signature",
  timeParameter: "X-Amz-Date",
  futureSkew: 900,
  otherMethod: "PUT",
});
