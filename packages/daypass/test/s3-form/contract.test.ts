import { type S3FormGrant, s3FormSigner, s3FormVerifier } from "../../src/schemes/s3/form/index.ts";
import { s3FormV2Signer, s3FormV2Verifier } from "../../src/schemes/s3/form/v2/index.ts";
import { testForms } from "../form-contract.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const known = {
  right: credentials,
  foreign: { ...credentials, secretAccessKey: "another" },
  unknown: { ...credentials, accessKeyId: "AKIDOTHER" },
};

testForms({
  scheme: "s3/form",
  sign: ({ at, ...request }) =>
    s3FormSigner({ region: "eu-west-1", credentials, clock: () => at }).sign({
      ...request,
      contentLength: { min: 1, max: 1000 },
    }),
  verifier: ({ now, key, enforces }) => s3FormVerifier({ credentials: known[key], enforces, clock: () => now }),
  required: ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature"],
  signatureField: "X-Amz-Signature",
  policyField: "Policy",
  keyOf: (grant) => (grant as S3FormGrant).key,
});

testForms({
  scheme: "s3/form/v2",
  sign: ({ at, ...request }) =>
    s3FormV2Signer({ region: "eu-west-1", credentials, clock: () => at }).sign({
      ...request,
      contentLength: { min: 1, max: 1000 },
    }),
  verifier: ({ now, key, enforces }) => s3FormV2Verifier({ credentials: known[key], enforces, clock: () => now }),
  required: ["AWSAccessKeyId", "signature"],
  signatureField: "signature",
  keyOf: (grant) => (grant as S3FormGrant).key,
});
