import { expect, test } from "vitest";
import { edgeSubjects } from "./edge.ts";
import { tamperCount } from "./seeded.ts";
import { tamper } from "./tamper.ts";

test.each(edgeSubjects)(
  "$name: nothing is accepted after a change of what it covers",
  async ({ name, bases, verifier, judge, facts }) => {
    const count = tamperCount(name);
    const report = await tamper({ name, bases: await bases(), count, verifier, judge, facts });
    expect(report.wrong.slice(0, 5)).toEqual([]);
    expect(report.thrown.slice(0, 5)).toEqual([]);
    expect(report.tampered).toBeGreaterThanOrEqual(count);
  },
  300_000,
);
