import { expect, test } from "vitest";
import type { Grant, Verifier } from "../../src/core/contracts.ts";
import { type S3Grant, s3Verifier } from "../../src/schemes/s3/index.ts";
import { NOW, S3_CREDENTIALS, S3_ORIGINS, SESSION_CREDENTIALS, s3Bases } from "./bases.ts";
import { judgeS3 } from "./judge.ts";
import { tamperCount } from "./seeded.ts";
import { tamper } from "./tamper.ts";

const clock = () => NOW;
const enforces = ["body-sha256", "body-checksum", "create-only", "response"] as const;

test("no tampered SigV4 URL is accepted, and a re-spelled one gives the same grant or none", async () => {
  const credentials = [S3_CREDENTIALS, SESSION_CREDENTIALS];
  const verifier = s3Verifier({ credentials, origins: S3_ORIGINS, enforces, clock });
  const count = tamperCount("s3");
  const report = await tamper({ name: "s3", bases: s3Bases(), count, verifier, judge: judgeS3, facts: s3Facts });
  expect(report.wrong.slice(0, 5)).toEqual([]);
  expect(report.thrown.slice(0, 5)).toEqual([]);
  expect(report.tampered).toBeGreaterThanOrEqual(count);
}, 600_000);

test("the suite notices a verifier that does not look at one thing", async () => {
  const strict = s3Verifier({
    credentials: [S3_CREDENTIALS, SESSION_CREDENTIALS],
    origins: S3_ORIGINS,
    enforces,
    clock,
  });
  const blind: Verifier = {
    detects: strict.detects,
    // As Appwrite did: a HEAD becomes a GET before the signature is checked.
    verify: (request) => strict.verify(request.method === "HEAD" ? { ...request, method: "GET" } : request),
  };
  const bases = s3Bases().filter(({ method }) => method === "GET");
  const report = await tamper({
    name: "s3, blind to HEAD",
    bases,
    count: 2_000,
    verifier: blind,
    judge: judgeS3,
    facts: s3Facts,
  });
  expect(report.wrong.length).toBeGreaterThan(0);
});

// The raw target differs by definition, and SigV4 binds no order of parameters.
function s3Facts(grant: Grant): unknown {
  const { target: _, limitBody: __, parameters, ...facts } = grant as S3Grant;
  return { ...facts, parameters: parameters.map((pair) => JSON.stringify(pair)).sort() };
}
