import { expect, test } from "vitest";
import type { Grant } from "../../src/core/contracts.ts";
import type { S3Grant } from "../../src/schemes/s3/index.ts";
import { s3V2Verifier } from "../../src/schemes/s3/v2/index.ts";
import { NOW, S3_CREDENTIALS, S3_ORIGINS, SESSION_CREDENTIALS, s3V2Bases } from "./bases.ts";
import { judgeS3V2 } from "./judge.ts";
import { tamperCount } from "./seeded.ts";
import { tamper } from "./tamper.ts";

test("no SigV2 URL is accepted after a change of what SigV2 covers", async () => {
  const verifier = s3V2Verifier({
    credentials: [S3_CREDENTIALS, SESSION_CREDENTIALS],
    origins: S3_ORIGINS,
    enforces: ["body-sha256", "body-checksum", "create-only", "response"],
    clock: () => NOW,
  });
  const count = tamperCount("s3/v2");
  const report = await tamper({ name: "s3/v2", bases: s3V2Bases(), count, verifier, judge: judgeS3V2, facts: v2Facts });
  expect(report.wrong.slice(0, 5)).toEqual([]);
  expect(report.thrown.slice(0, 5)).toEqual([]);
  expect(report.tampered).toBeGreaterThanOrEqual(count);
}, 600_000);

function v2Facts(grant: Grant): unknown {
  const { target: _, limitBody: __, parameters, ...facts } = grant as S3Grant;
  return { ...facts, parameters: parameters.map((pair) => JSON.stringify(pair)).sort() };
}
