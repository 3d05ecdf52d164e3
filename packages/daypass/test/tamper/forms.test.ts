import { expect, test } from "vitest";
import type { FormVerifier } from "../../src/forms/form.ts";
import { AT, ENFORCES, subjects } from "../registry.ts";
import { formBases } from "./form-tampering.ts";
import { tamperCount, tamperSeed } from "./seeded.ts";
import { tamperSuites } from "./suites.ts";
import { tamperForms } from "./tamper-forms.ts";

const suites = await Promise.all(
  tamperSuites(subjects.filter(({ isForm }) => isForm)).map(async ({ name, members }) => {
    const keys = members.map(({ example }) => example.keys.right);
    const options = { origins: [], clock: () => AT, enforces: ENFORCES };
    const verifier = members[0]?.example.verifier(keys as never, options) as unknown as FormVerifier;
    return { name, verifier, bases: (await Promise.all(members.map(formBases))).flat() };
  }),
);

test.each(suites)(
  "$name: accepts a form that its policy allows, and refuses every other with a DaypassError",
  async ({ name, verifier, bases }) => {
    const count = tamperCount(name);
    const { wrong, tampered, allowed } = await tamperForms({ verifier, bases, count });
    expect(wrong.length, `seed ${tamperSeed}: ${wrong.slice(0, 5).join("\n")}`).toBe(0);
    expect(tampered).toBeGreaterThanOrEqual(count);
    expect(allowed).toBeGreaterThan(count / 20);
  },
  600_000,
);

test("notices a verifier that takes the bucket from a field", async () => {
  const [suite] = suites as unknown as [(typeof suites)[number]];
  const verifier: FormVerifier = {
    detects: suite.verifier.detects,
    verify: (form) =>
      suite.verifier.verify({ ...form, bucket: form.fields.find(([name]) => name === "bucket")?.[1] ?? form.bucket }),
  };
  expect((await tamperForms({ ...suite, verifier, count: 5_000 })).wrong.length).toBeGreaterThan(10);
});
