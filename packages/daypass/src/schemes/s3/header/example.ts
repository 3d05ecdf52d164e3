import type { SchemeExample } from "../../../core/scheme.ts";
import { S3_KEYS } from "../example.ts";
import { s3HeaderVerifier } from "./index.ts";

// Signed by hand from AWS's page, because the library signs URLs only.
const SIGNED = {
  method: "GET",
  target: "/media/talks/keynote.mp4",
  authority: "media.example.com",
  headers: [
    ["x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["x-amz-date", "20260102T030405Z"],
    [
      "authorization",
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/eu-west-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=b7122ac0122f09132aaac86bef492f54c4e22534354f4490aff6aa73ea59f7aa",
    ],
  ],
} as const;

export const examples: readonly SchemeExample[] = [
  {
    name: "s3/header",
    keys: S3_KEYS,
    signature: /Signature=([^&]+)/,
    request: {},
    obliged: {},
    futureSkew: 900,
    signer: () => ({ sign: () => SIGNED }),
    verifier: (credentials, options) => s3HeaderVerifier({ credentials, ...options }),
  },
];
