import { expect, test } from "vitest";
import { isDaypassError } from "../../src/errors.ts";
import type { FormVerifier } from "../../src/form.ts";
import { type S3FormGrant, s3FormVerifier } from "../../src/s3/form/index.ts";
import { s3FormV2Verifier } from "../../src/s3/form/v2/index.ts";
import { NOW, S3_CREDENTIALS, SESSION_CREDENTIALS } from "./bases.ts";
import { changeForm, formBases, judgeForm } from "./s3-form.ts";
import { seeded, tamperCount, tamperSeed } from "./seeded.ts";

const options = {
  credentials: [S3_CREDENTIALS, SESSION_CREDENTIALS],
  enforces: ["body-length", "body-checksum"],
  clock: () => NOW,
} as const;

interface Report {
  readonly tampered: number;
  readonly allowed: number;
  readonly wrong: readonly string[];
}

/** Changes forms until enough of them have to be refused, and holds the verifier to what the judge says of each. */
async function tamperForms(version: "v4" | "v2", verifier: FormVerifier<S3FormGrant>, count: number): Promise<Report> {
  const random = seeded(tamperSeed);
  const bases = formBases(version);
  const wrong: string[] = [];
  let tampered = 0;
  let allowed = 0;
  for (const { form } of bases) expect(judgeForm(form, bases)).toBe((await verifier.verify(form)).key);
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  while (tampered < count) {
    const form = changeForm(random.pick(bases).form, random, bases);
    const key = judgeForm(form, bases);
    if (key === undefined) tampered += 1;
    else allowed += 1;
    const found = await verifier.verify(form).then(
      (grant) => grant,
      (error: unknown) => error,
    );
    if (found instanceof Error) {
      if (!isDaypassError(found)) wrong.push(`${String(found)}: ${JSON.stringify(form)}`);
      else if (key !== undefined) wrong.push(`refused with ${found.code}: ${JSON.stringify(form)}`);
    } else if ((found as S3FormGrant).key !== key || (found as S3FormGrant).bucket !== form.bucket) {
      wrong.push(`accepted, where the judge says ${key}: ${JSON.stringify(form)}`);
    }
  }
  Error.stackTraceLimit = stackTraceLimit;
  process.stdout.write(
    `s3/form ${version}, seed ${tamperSeed}: ${tampered} tampered, ${allowed} allowed, ${wrong.length} wrong\n`,
  );
  return { tampered, allowed, wrong };
}

test.each([
  { version: "v4", verifier: s3FormVerifier(options), share: 30_000 },
  { version: "v2", verifier: s3FormV2Verifier(options), share: 20_000 },
] as const)(
  "a form ($version) gives a grant where its policy allows it, and a DaypassError where it does not",
  async ({ version, verifier, share }) => {
    const count = tamperCount(share);
    const { wrong, tampered, allowed } = await tamperForms(version, verifier, count);
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(tampered).toBeGreaterThanOrEqual(count);
    expect(allowed).toBeGreaterThan(count / 20);
  },
  600_000,
);

test("the suite notices a verifier that takes the bucket from a field", async () => {
  const strict = s3FormVerifier(options);
  const blind: FormVerifier<S3FormGrant> = {
    detects: strict.detects,
    verify: (form) =>
      strict.verify({ ...form, bucket: form.fields.find(([name]) => name === "bucket")?.[1] ?? form.bucket }),
  };
  expect((await tamperForms("v4", blind, 5_000)).wrong.length).toBeGreaterThan(10);
});
