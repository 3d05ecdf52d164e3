import { expect, test } from "vitest";
import type { FormVerifier } from "../../src/forms/form.ts";
import { type S3FormGrant, s3FormVerifier } from "../../src/schemes/s3/form/index.ts";
import { s3FormV2Verifier } from "../../src/schemes/s3/form/v2/index.ts";
import { NOW, S3_CREDENTIALS, SESSION_CREDENTIALS } from "./bases.ts";
import { formBases } from "./s3-form.ts";
import { tamperForms, testForms } from "./tamper-forms.ts";

const options = {
  credentials: [S3_CREDENTIALS, SESSION_CREDENTIALS],
  enforces: ["body-length", "body-checksum"],
  clock: () => NOW,
} as const;

testForms("s3/form", s3FormVerifier(options), async () => formBases("v4"));
testForms("s3/form/v2", s3FormV2Verifier(options), async () => formBases("v2"));

test("the suite notices a verifier that takes the bucket from a field", async () => {
  const strict = s3FormVerifier(options);
  const blind: FormVerifier<S3FormGrant> = {
    detects: strict.detects,
    verify: (form) =>
      strict.verify({ ...form, bucket: form.fields.find(([name]) => name === "bucket")?.[1] ?? form.bucket }),
  };
  const suite = { verifier: blind, bases: formBases("v4"), count: 5_000 };
  expect((await tamperForms("s3/form, blind", suite)).wrong.length).toBeGreaterThan(10);
});
