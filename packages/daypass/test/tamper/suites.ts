import type { SchemeRow } from "daypass/schemes";
import { expect, test } from "vitest";
import type { Verifier, WireRequest } from "../../src/core/contracts.ts";
import { EXAMPLE_ORIGINS } from "../../src/core/example.ts";
import type { Subject } from "../registry.ts";
import { judgeOf } from "./judges/judges.ts";
import { tamperCount, tamperSeed } from "./seeded.ts";
import { type TamperOptions, tamper } from "./tamper.ts";
import { basesOf } from "./wishes.ts";

/** Examples with the same verifier, which is made with the keys and origins of all of them. */
export interface TamperSuite {
  /** The name of the first example. */
  readonly name: string;
  readonly row: SchemeRow;
  readonly members: readonly Subject[];
  readonly verifier: Verifier;
}

/** The suites of these examples. An example for all paths below a prefix has a separate suite. */
export function tamperSuites(subjects: readonly Subject[]): readonly TamperSuite[] {
  const groups: Subject[][] = [];
  for (const subject of subjects) {
    const { verifier, anyPathBelow } = subject.example;
    const group = anyPathBelow ? undefined : groups.find(([first]) => isSame(first, verifier));
    if (group === undefined) groups.push([subject]);
    else group.push(subject);
  }
  return groups.map((members) => {
    const [first] = members as [Subject];
    const keys = [...new Set(members.map(({ example }) => example.keys.right))];
    const origins = [...new Set(members.flatMap(({ example }) => example.origins ?? EXAMPLE_ORIGINS))];
    return { name: first.name, row: first.row, members, verifier: first.verifier(keys, { origins }) };
  });
}

function isSame(first: Subject | undefined, verifier: Subject["example"]["verifier"]): boolean {
  return first !== undefined && !first.example.anyPathBelow && first.example.verifier === verifier;
}

/** The valid requests of a suite, with their judge. */
export async function tamperOptions({
  name,
  row,
  members,
  verifier,
}: TamperSuite): Promise<Omit<TamperOptions, "count">> {
  const judgeFor = judgeOf(name, row.id);
  const { sent } = judgeFor([]);
  const bases: readonly WireRequest[] = (
    await Promise.all(members.map((subject) => basesOf(subject, verifier, sent)))
  ).flat();
  const { judge, facts } = judgeFor(bases);
  return { name, bases, verifier, judge, facts };
}

/** Tampers with requests of every suite. */
export function testTampering(suites: readonly TamperSuite[]): void {
  test.each(suites)(
    "$name: accepts no tampered request, and a respelled one with the same grant or none",
    async (suite) => {
      const count = tamperCount(suite.name);
      const report = await tamper({ ...(await tamperOptions(suite)), count });
      // The message names the mutations: a comparison of lists shortens its texts.
      expect(report.wrong.length, `seed ${tamperSeed}: ${report.wrong.slice(0, 5).join("\n")}`).toBe(0);
      expect(report.thrown.slice(0, 5), `seed ${tamperSeed}`).toEqual([]);
      expect(report.tampered).toBeGreaterThanOrEqual(count);
    },
    600_000,
  );
}
