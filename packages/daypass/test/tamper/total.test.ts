import { expect, test } from "vitest";
import { everyVerifier } from "../every-verifier.ts";
import { tamperCounts, tamperTotal } from "./seeded.ts";

test("a million tampered requests and more are made by default, of every verifier that there is", () => {
  const suites = Object.keys(tamperCounts);
  process.stdout.write(`${tamperTotal} tampered requests in ${suites.length} suites\n`);
  expect(tamperTotal).toBeGreaterThanOrEqual(1_000_000);
  const named = (name: string): boolean => suites.includes(name) || suites.includes(name.split(",", 1)[0] as string);
  expect(everyVerifier.filter(({ name }) => !named(name)).map(({ name }) => name)).toEqual([]);
});
