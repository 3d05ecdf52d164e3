import { expect, test } from "vitest";
import type { Grant, Verifier } from "../../src/core/contracts.ts";
import { s3ExpressSigner, s3ExpressVerifier } from "../../src/schemes/s3/express/index.ts";
import type { S3Grant } from "../../src/schemes/s3/index.ts";
import { NOW, SESSION_CREDENTIALS, s3Wishes, wireRequest } from "./bases.ts";
import { judgeS3 } from "./judge.ts";
import { tamperCount } from "./seeded.ts";
import { tamper } from "./tamper.ts";

const clock = () => NOW;
const second = { ...SESSION_CREDENTIALS, accessKeyId: "ASIDSECOND", sessionToken: "another" };
const signers = [SESSION_CREDENTIALS, second].map((credentials) =>
  s3ExpressSigner({ region: "us-east-1", endpoint: "https://s3.example.com", credentials, clock }),
);
const bases = signers.flatMap(({ sign }) =>
  s3Wishes().map((wish) =>
    wireRequest(sign({ ...wish, bucket: "media--use1-az4--x-s3", expiresIn: 900, dotSegments: "sign" })),
  ),
);
const verifier = s3ExpressVerifier({
  credentials: [SESSION_CREDENTIALS, second],
  origins: ["https://*.s3.example.com"],
  enforces: ["body-sha256", "body-checksum", "create-only", "response"],
  clock,
});

test("no tampered URL of S3 Express is accepted, and a re-spelled one gives the same grant or none", async () => {
  const count = tamperCount("s3/express");
  const report = await tamper({ name: "s3/express", bases, count, verifier, judge: judgeS3, facts });
  expect(report.wrong.slice(0, 5)).toEqual([]);
  expect(report.thrown.slice(0, 5)).toEqual([]);
  expect(report.tampered).toBeGreaterThanOrEqual(count);
}, 600_000);

test("the suite notices a verifier that does not look at the session", async () => {
  const blind: Verifier = {
    detects: verifier.detects,
    verify: (request) =>
      verifier.verify({ ...request, target: request.target.replace(/(S3session-Token=another)[^&]*/, "$1") }),
  };
  const report = await tamper({
    name: "s3/express, blind",
    bases,
    count: 5_000,
    verifier: blind,
    judge: judgeS3,
    facts,
  });
  expect(report.wrong.length).toBeGreaterThan(0);
});

// The raw target differs by definition, and nothing binds the order of parameters.
function facts(grant: Grant): unknown {
  const { target: _, limitBody: __, parameters, ...rest } = grant as S3Grant;
  return { ...rest, id: grant.id, parameters: parameters.map((pair) => JSON.stringify(pair)).sort() };
}
