import { s3V2Signer, s3V2Verifier } from "daypass/s3/v2";
import { testScheme } from "../scheme-contract.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };

testScheme({
  scheme: "s3/v2",
  sign: ({ at, expiresIn, method }) =>
    s3V2Signer({ region: "eu-west-1", credentials, clock: () => at }).sign({
      bucket: "media",
      key: "talks/keynote.mp4",
      method,
      expiresIn,
    }),
  verifier: ({ now, key }) =>
    s3V2Verifier({
      credentials:
        key === "unknown"
          ? []
          : { ...credentials, ...(key === "foreign" ? { secretAccessKey: "not the secret of this key" } : {}) },
      origins: ["https://*.s3.eu-west-1.amazonaws.com"],
      clock: () => now,
    }),
  required: ["AWSAccessKeyId", "Expires", "Signature"],
  signatureParameter: "Signature",
  timeParameter: "Expires",
  futureSkew: undefined,
  otherMethod: "PUT",
});
