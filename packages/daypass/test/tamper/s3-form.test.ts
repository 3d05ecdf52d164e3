import { expect, test } from "vitest";
import { isDaypassError } from "../../src/errors.ts";
import type { FormGrant, FormVerifier } from "../../src/form.ts";
import { type GcsFormGrant, gcsFormVerifier, gcsHmacFormVerifier } from "../../src/gcs/form/index.ts";
import { type S3FormGrant, s3FormVerifier } from "../../src/s3/form/index.ts";
import { s3FormV2Verifier } from "../../src/s3/form/v2/index.ts";
import { hmacKey, publicAccount } from "../gcs/account.ts";
import { NOW, S3_CREDENTIALS, SESSION_CREDENTIALS } from "./bases.ts";
import { changeForm, type FormBase, formBases, gcsFormBases, judgeForm } from "./s3-form.ts";
import { seeded, tamperCount, tamperSeed } from "./seeded.ts";

const options = {
  credentials: [S3_CREDENTIALS, SESSION_CREDENTIALS],
  enforces: ["body-length", "body-checksum"],
  clock: () => NOW,
} as const;

/** Cloud Storage has another word for a key. */
function keyOf(grant: FormGrant): string {
  return "object" in grant ? (grant as GcsFormGrant).object : (grant as S3FormGrant).key;
}

interface Report {
  readonly tampered: number;
  readonly allowed: number;
  readonly wrong: readonly string[];
}

/** Changes forms until enough of them have to be refused, and holds the verifier to what the judge says of each. */
async function tamperForms(
  name: string,
  { verifier, bases, count }: { verifier: FormVerifier; bases: readonly FormBase[]; count: number },
): Promise<Report> {
  const random = seeded(tamperSeed);
  const wrong: string[] = [];
  let tampered = 0;
  let allowed = 0;
  for (const { form } of bases) expect(judgeForm(form, bases)).toBe(keyOf(await verifier.verify(form)));
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
    } else if (keyOf(found as FormGrant) !== key || (found as FormGrant).bucket !== form.bucket) {
      wrong.push(`accepted, where the judge says ${key}: ${JSON.stringify(form)}`);
    }
  }
  Error.stackTraceLimit = stackTraceLimit;
  process.stdout.write(
    `${name}, seed ${tamperSeed}: ${tampered} tampered, ${allowed} allowed, ${wrong.length} wrong\n`,
  );
  return { tampered, allowed, wrong };
}

const gcsOptions = { enforces: options.enforces, clock: options.clock };

test.each([
  { name: "s3/form", verifier: s3FormVerifier(options), basesOf: async () => formBases("v4") },
  { name: "s3/form/v2", verifier: s3FormV2Verifier(options), basesOf: async () => formBases("v2") },
  {
    name: "gcs/form, HMAC",
    verifier: gcsHmacFormVerifier({ keys: hmacKey, ...gcsOptions }),
    basesOf: () => gcsFormBases("HMAC"),
  },
  {
    name: "gcs/form, account",
    verifier: gcsFormVerifier({ keys: publicAccount, ...gcsOptions }),
    basesOf: () => gcsFormBases("account"),
  },
] as const)(
  "a form of $name gives a grant where its policy allows it, and a DaypassError where it does not",
  async ({ name, verifier, basesOf }) => {
    const count = tamperCount(name);
    const { wrong, tampered, allowed } = await tamperForms(name, { verifier, bases: await basesOf(), count });
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
  const suite = { verifier: blind, bases: formBases("v4"), count: 5_000 };
  expect((await tamperForms("s3/form, blind", suite)).wrong.length).toBeGreaterThan(10);
});
