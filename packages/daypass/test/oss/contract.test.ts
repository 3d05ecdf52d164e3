import { type OssCredentials, ossSigner, ossVerifier } from "daypass/oss";
import { ossV1Signer, ossV1Verifier } from "daypass/oss/v1";
import { testScheme } from "../scheme-contract.ts";

const credentials: OssCredentials = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCY" };
const keys = {
  right: credentials,
  foreign: { ...credentials, accessKeySecret: "another" },
  unknown: { ...credentials, accessKeyId: "LTAIOTHER" },
};
const region = "cn-hangzhou";
const origins = ["https://*.oss-cn-hangzhou.aliyuncs.com"];

testScheme({
  scheme: "oss",
  sign: ({ at, expiresIn, method }) =>
    ossSigner({ region, credentials, clock: () => at }).sign({
      bucket: "media",
      key: "talks/a b+ü.mp4",
      method,
      expiresIn,
      query: { versionId: "1" },
      bindHost: true,
    }),
  verifier: ({ now, key }) => ossVerifier({ credentials: keys[key], origins, clock: () => now }),
  required: ["x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-expires", "x-oss-signature"],
  signatureParameter: "x-oss-signature",
  timeParameter: "x-oss-date",
  futureSkew: 900,
  otherMethod: "PUT",
});

testScheme({
  scheme: "oss/v1",
  sign: ({ at, expiresIn, method }) =>
    ossV1Signer({ region, credentials, clock: () => at }).sign({
      bucket: "media",
      key: "talks/a b+ü.mp4",
      method,
      expiresIn,
      query: { versionId: "1" },
    }),
  verifier: ({ now, key }) => ossV1Verifier({ credentials: keys[key], origins, clock: () => now }),
  required: ["OSSAccessKeyId", "Expires", "Signature"],
  signatureParameter: "Signature",
  timeParameter: "Expires",
  futureSkew: undefined,
  otherMethod: "PUT",
});
