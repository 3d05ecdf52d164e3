import { s3FormSigner, s3FormVerifier } from "daypass/s3/form";
import { s3FormV2Signer, s3FormV2Verifier } from "daypass/s3/form/v2";
import { afterEach, describe, expect, test, vi } from "vitest";
import { needs } from "../../tools/needs.ts";
import {
  awsSdkForm,
  boto3Forms,
  type Form,
  fieldCondition,
  formSignature,
  otherFields,
  policyOf,
  signatureOf,
  spelling,
} from "../oracles/forms.ts";
import { FILE_NAME, type FormWish, randomForm } from "../random/forms.ts";
import { runCount, runSeed, seeded } from "../random/seeded.ts";

const COUNT = Math.ceil(runCount() / 2);
const wishes = (seed: number): readonly FormWish[] => {
  const random = seeded(seed);
  return Array.from({ length: COUNT }, () => randomForm(random));
};

function ours(wish: FormWish, version: "v2" | "v4", signedAt: Date): Form {
  const { endpoint, region, addressing, credentials, bucket, key, fields, conditions, expiresIn } = wish;
  const make = version === "v4" ? s3FormSigner : s3FormV2Signer;
  const signer = make({ endpoint, region, addressing, credentials, clock: () => signedAt });
  return signer.sign({ bucket, key, fields, conditions, expiresIn, dotSegments: "sign" });
}

/** Whether our verifier gives another client's form the grant of ours. */
async function expectAccepted(theirs: Form, wish: FormWish, version: "v2" | "v4", signedAt: Date): Promise<void> {
  const make = version === "v4" ? s3FormVerifier : s3FormV2Verifier;
  const verifier = make({ credentials: wish.credentials, enforces: ["body-length"], clock: () => signedAt });
  // What the policy leaves to the holder, filled in as its conditions ask.
  const free = wish.conditions.flatMap((condition) => {
    const [operator, field = "", value = ""] = JSON.parse(spelling(condition)) as [string, string, string];
    const name = String(field).slice(1);
    const isFixed = operator === "content-length-range" || name === "key" || name === "content-type";
    return isFixed ? [] : [[name, value] as const];
  });
  const fields = [...Object.entries(theirs.fields), ...free];
  const stored = wish.key.replaceAll(FILE_NAME, "file.bin");
  const verified = verifier.verify({ bucket: wish.bucket, fields, fileName: "file.bin" });
  // Only its beginning is bound, so the holder could have put the dot segment there, and the verifier cannot tell.
  if (stored !== wish.key && /(?:^|[/\\])\.\.?(?:[/\\]|$)/.test(stored)) {
    const refused: unknown = await verified.catch((error: unknown) => error);
    if ((refused as { code?: unknown }).code === "POLICY_NOT_MET") throw refused;
    expect(refused).toMatchObject({ code: "MALFORMED", details: { problem: "dot-segments" } });
    return;
  }
  expect((await verified).key).toBe(stored);
}

describe("@aws-sdk/s3-presigned-post 3.1164.0", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test(`agrees with s3FormSigner on ${COUNT} random forms but for the client's known errors`, async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    let equal = 0;
    let unmet = 0;
    for (const wish of wishes(runSeed())) {
      const context = JSON.stringify(wish);
      vi.setSystemTime(wish.signedAt);
      const theirs = await awsSdkForm(wish);
      const form = ours(wish, "v4", wish.signedAt);
      expect(form.url, context).toBe(theirs.url);
      expect({ bucket: wish.bucket, ...otherFields(form) }, context).toEqual(otherFields(theirs));
      expect(signatureOf(theirs), context).toBe(formSignature(theirs, wish, "v4"));
      expect(signatureOf(form), context).toBe(formSignature(form, wish, "v4"));

      // It binds `${filename}` as it stands, anywhere but at the end of the key. Every server puts the file's name in first,
      // so no request can meet such a form.
      const literal = Object.entries({ ...wish.fields, key: wish.key }).filter(
        ([name, value]) => value.includes(FILE_NAME) && !(name === "key" && value.endsWith(FILE_NAME)),
      );
      const expected = new Set(policyOf(form).conditions);
      const asked = wish.conditions.map(spelling);
      for (const [name, value] of literal) {
        const bound = spelling(fieldCondition(name, value));
        if (!asked.includes(bound)) expected.delete(bound);
        expected.add(spelling({ [name]: value }));
      }
      expect(policyOf(theirs), context).toEqual({
        expiration: policyOf(form).expiration,
        conditions: [...expected].sort(),
      });
      if (literal.length === 0) {
        equal += 1;
        await expectAccepted(theirs, wish, "v4", wish.signedAt);
      } else {
        unmet += 1;
        await expect(expectAccepted(theirs, wish, "v4", wish.signedAt)).rejects.toMatchObject({
          code: "POLICY_NOT_MET",
        });
      }
    }
    console.log(`@aws-sdk/s3-presigned-post 3.1164.0, seed ${runSeed()}: ${equal} of ${COUNT} equal`);
    console.log(
      `  ${unmet} × \`\${filename}\` that is not the end of the key: bound as it stands, so met by no upload`,
    );
    expect([equal, unmet].every((count) => count > 0)).toBe(true);
  });
});

const reason = needs("python3");

describe.skipIf(reason).each(["v4", "v2"] as const)(`boto3's generate_presigned_post, %s${reason ?? ""}`, (version) => {
  test(`agrees with ours on ${COUNT} random forms`, async () => {
    const asked = wishes(runSeed() + 1);
    const forms = boto3Forms(asked, version);
    let suffixes = 0;
    for (const [i, wish] of asked.entries()) {
      const theirs = forms[i] as Form;
      const context = JSON.stringify(wish);
      // The time is Python's; the policy's expiration contains it.
      const signedAt = new Date(Date.parse(policyOf(theirs).expiration) - wish.expiresIn * 1000);
      const form = ours(wish, version, signedAt);
      expect(form.url, context).toBe(theirs.url);
      expect(otherFields(form), context).toEqual(otherFields(theirs));
      expect(signatureOf(theirs), context).toBe(formSignature(theirs, wish, version));
      expect(signatureOf(form), context).toBe(formSignature(form, wish, version));
      const isSuffixed = wish.key.includes(FILE_NAME) && !wish.key.endsWith(FILE_NAME);
      const expected = new Set(policyOf(form).conditions);
      if (isSuffixed) {
        suffixes += 1;
        expected.delete(spelling(fieldCondition("key", wish.key)));
        expected.add(spelling({ key: wish.key }));
      }
      expect(policyOf(theirs), context).toEqual({
        expiration: policyOf(form).expiration,
        conditions: [...expected].sort(),
      });
      if (!isSuffixed) await expectAccepted(theirs, wish, version, signedAt);
    }
    console.log(
      `boto3 ${version}, seed ${runSeed() + 1}: ${COUNT - suffixes} of ${COUNT} equal, ${suffixes} × a key that goes on after \`\${filename}\``,
    );
    expect(suffixes).toBeGreaterThan(0);
  });
});
