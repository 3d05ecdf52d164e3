import type { SchemeExample } from "../../../../core/scheme.ts";
import { S3_KEYS } from "../../example.ts";
import { s3V2HeaderVerifier } from "./index.ts";

// Signed by hand from AWS's page, because the library signs URLs only.
const SIGNED = {
  method: "GET",
  target: "/media/talks/keynote.mp4",
  authority: "media.example.com",
  headers: [
    ["date", "Fri, 02 Jan 2026 03:04:05 GMT"],
    ["authorization", "AWS AKIDEXAMPLE:H0t/ssSNx1zi21jU7eIeYh0CVuA="],
  ],
} as const;

export const examples: readonly SchemeExample[] = [
  {
    name: "s3/v2/header",
    keys: S3_KEYS,
    signature: /^AWS AKIDEXAMPLE:(.+)$/,
    request: {},
    signer: () => ({ sign: () => SIGNED }),
    verifier: (credentials, options) => s3V2HeaderVerifier({ credentials, ...options }),
  },
];
