import { expect, test } from "vitest";
import type { Grant } from "../../src/core/contracts.ts";
import { type OssGrant, ossVerifier } from "../../src/schemes/oss/index.ts";
import { ossV1Verifier } from "../../src/schemes/oss/v1/index.ts";
import { NOW } from "./bases.ts";
import { judgeOss, judgeOssV1, OSS_CREDENTIALS, OSS_ORIGINS, ossBases, ossV1Bases, STS_CREDENTIALS } from "./oss.ts";
import { tamperCount } from "./seeded.ts";
import { tamper } from "./tamper.ts";

const options = {
  credentials: [OSS_CREDENTIALS, STS_CREDENTIALS],
  origins: OSS_ORIGINS,
  enforces: ["body-checksum", "create-only", "response"],
  clock: () => NOW,
} as const;

test.each([
  { name: "oss", bases: ossBases(), verifier: ossVerifier(options), judge: judgeOss },
  { name: "oss/v1", bases: ossV1Bases(), verifier: ossV1Verifier(options), judge: judgeOssV1 },
] as const)(
  "no tampered URL of $name is accepted, and a re-spelled one gives the same grant or none",
  async (suite) => {
    const count = tamperCount(suite.name);
    const report = await tamper({ ...suite, count, facts });
    expect(report.wrong.slice(0, 5)).toEqual([]);
    expect(report.thrown.slice(0, 5)).toEqual([]);
    expect(report.tampered).toBeGreaterThanOrEqual(count);
  },
  600_000,
);

// The raw target differs by definition, and no version binds the order of parameters or headers.
function facts(grant: Grant): unknown {
  const { target: _, limitBody: __, parameters, signedHeaders, obligations, ...rest } = grant as OssGrant;
  const lines = parameters.map((pair) => JSON.stringify(pair)).sort();
  return { ...rest, parameters: lines, signedHeaders: [...signedHeaders].sort(), obligations: obligations.length };
}
