import { s3ExpressSigner, s3ExpressVerifier } from "../../src/schemes/s3/express/index.ts";
import { testScheme } from "../scheme-contract.ts";

const session = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: "AgV4dG9rZW4+/=",
};

testScheme({
  scheme: "s3/express",
  sign: ({ at, expiresIn, method }) =>
    s3ExpressSigner({ region: "us-east-1", credentials: session, clock: () => at }).sign({
      ...{ bucket: "media--use1-az4--x-s3", key: "talks/a b+ü.mp4", method, expiresIn },
      query: { versionId: "1" },
    }),
  verifier: ({ now, key }) =>
    s3ExpressVerifier({
      credentials: {
        right: session,
        foreign: { ...session, secretAccessKey: "another" },
        unknown: { ...session, accessKeyId: "AKIDOTHER" },
      }[key],
      origins: ["https://*.s3express-use1-az4.us-east-1.amazonaws.com"],
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
