import { expect, test } from "vitest";
import type { Grant } from "../../src/core/contracts.ts";
import { type SwiftGrant, swiftVerifier } from "../../src/schemes/swift/index.ts";
import { NOW } from "./bases.ts";
import { tamperCount } from "./seeded.ts";
import { judgeSwift, SWIFT_KEYS, SWIFT_ORIGINS, swiftBases } from "./swift.ts";
import { tamper } from "./tamper.ts";

test("no tampered TempURL is accepted, and a re-spelled one gives the same grant or none", async () => {
  const bases = await swiftBases();
  const verifier = swiftVerifier({ keys: SWIFT_KEYS, origins: SWIFT_ORIGINS, clock: () => NOW });
  const count = tamperCount("swift");
  const report = await tamper({ name: "swift", bases, count, verifier, judge: judgeSwift(bases), facts });
  expect(report.wrong.slice(0, 5)).toEqual([]);
  expect(report.thrown.slice(0, 5)).toEqual([]);
  expect(report.tampered).toBeGreaterThanOrEqual(count);
}, 600_000);

// Below a prefix the rest of the name is the holder's choice.
function facts(grant: Grant): unknown {
  const { target: _, limitBody: __, object, ...rest } = grant as SwiftGrant;
  return rest.prefix === undefined ? { ...rest, object } : rest;
}
