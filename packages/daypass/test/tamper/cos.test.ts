import { expect, test } from "vitest";
import type { Grant } from "../../src/core/contracts.ts";
import { type CosGrant, cosVerifier } from "../../src/schemes/cos/index.ts";
import { NOW } from "./bases.ts";
import { COS_CREDENTIALS, COS_ORIGINS, COS_TEMPORARY, cosBases, judgeCos } from "./cos.ts";
import { tamperCount } from "./seeded.ts";
import { tamper } from "./tamper.ts";

test("no tampered COS URL is accepted, and a re-spelled one gives the same grant or none", async () => {
  const verifier = cosVerifier({
    credentials: [COS_CREDENTIALS, COS_TEMPORARY],
    origins: COS_ORIGINS,
    enforces: ["body-checksum", "create-only", "response"],
    clock: () => NOW,
  });
  const count = tamperCount("cos");
  const report = await tamper({ name: "cos", bases: cosBases(), count, verifier, judge: judgeCos, facts });
  expect(report.wrong.slice(0, 5)).toEqual([]);
  expect(report.thrown.slice(0, 5)).toEqual([]);
  expect(report.tampered).toBeGreaterThanOrEqual(count);
}, 600_000);

// The raw target differs by definition, and COS binds no order.
function facts(grant: Grant): unknown {
  const { target: _, limitBody: __, parameters, signedHeaders, obligations, ...rest } = grant as CosGrant;
  const lines = parameters.map((pair) => JSON.stringify(pair)).sort();
  return { ...rest, parameters: lines, signedHeaders: [...signedHeaders].sort(), obligations: obligations.length };
}
