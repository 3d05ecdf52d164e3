import { expect } from "vitest";
import { isDaypassError } from "../../src/core/errors.ts";
import type { FormGrant, FormVerifier } from "../../src/forms/form.ts";
import type { GcsFormGrant } from "../../src/schemes/gcs/form/index.ts";
import type { S3FormGrant } from "../../src/schemes/s3/form/index.ts";
import { changeForm, type FormBase, judgeForm } from "./form-tampering.ts";
import { seeded, tamperSeed } from "./seeded.ts";

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
export async function tamperForms({
  verifier,
  bases,
  count,
}: {
  verifier: FormVerifier;
  bases: readonly FormBase[];
  count: number;
}): Promise<Report> {
  const random = seeded(tamperSeed);
  const wrong: string[] = [];
  let tampered = 0;
  let allowed = 0;
  for (const { form } of bases) expect(judgeForm(form, bases)).toBe(keyOf(await verifier.verify(form)));
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  while (tampered < count) {
    const { form, change } = changeForm(random.pick(bases).form, random, bases);
    const key = judgeForm(form, bases);
    if (key === undefined) tampered += 1;
    else allowed += 1;
    const found = await verifier.verify(form).then(
      (grant) => grant,
      (error: unknown) => error,
    );
    if (found instanceof Error) {
      if (!isDaypassError(found)) wrong.push(`${String(found)} after "${change}": ${JSON.stringify(form)}`);
      else if (key !== undefined) wrong.push(`refused with ${found.code} after "${change}": ${JSON.stringify(form)}`);
    } else if (keyOf(found as FormGrant) !== key || (found as FormGrant).bucket !== form.bucket) {
      wrong.push(`accepted after "${change}", although the judge says ${key}: ${JSON.stringify(form)}`);
    }
  }
  Error.stackTraceLimit = stackTraceLimit;
  return { tampered, allowed, wrong };
}
