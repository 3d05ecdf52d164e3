import { expect, test } from "vitest";
import type { Grant, Verifier, WireRequest } from "../../src/core/contracts.ts";
import { type S3Grant, s3V4aSigner, s3V4aVerifier } from "../../src/schemes/s3/v4a/index.ts";
import { NOW, S3_CREDENTIALS, S3_ORIGINS, SESSION_CREDENTIALS, s3Wishes, wireRequest } from "./bases.ts";
import { judgeS3 } from "./judge.ts";
import { tamperCount } from "./seeded.ts";
import { tamper } from "./tamper.ts";

const clock = () => NOW;
const endpoint = "https://s3.example.com";
const verifier = s3V4aVerifier({
  credentials: [S3_CREDENTIALS, SESSION_CREDENTIALS],
  origins: S3_ORIGINS,
  regions: ["eu-west-1"],
  enforces: ["body-sha256", "body-checksum", "create-only", "response"],
  clock,
});

/** Each wish once: two signatures of one request would be the same request in two spellings, and both right. */
async function bases(): Promise<readonly WireRequest[]> {
  const signers = (["path", "virtual"] as const).flatMap((addressing) =>
    [S3_CREDENTIALS, SESSION_CREDENTIALS].map((credentials) =>
      s3V4aSigner({ endpoint, addressing, credentials, clock, regionSet: ["us-east-1", "eu-*"] }),
    ),
  );
  const links = signers.flatMap(({ sign }) =>
    s3Wishes().map((wish) => sign({ ...wish, expiresIn: 900, dotSegments: "sign" })),
  );
  return (await Promise.all(links)).map(wireRequest);
}

test("no tampered SigV4A URL is accepted, and a re-spelled one gives the same grant or none", async () => {
  const count = tamperCount("s3/v4a");
  const suite = { name: "s3/v4a", bases: await bases(), verifier, judge: judgeS3, facts };
  const report = await tamper({ ...suite, count });
  expect(report.wrong.slice(0, 5)).toEqual([]);
  expect(report.thrown.slice(0, 5)).toEqual([]);
  expect(report.tampered).toBeGreaterThanOrEqual(count);
}, 600_000);

test("the suite notices a verifier that does not look at the regions", async () => {
  const blind: Verifier = {
    detects: verifier.detects,
    verify: (request) =>
      verifier.verify({
        ...request,
        target: request.target.replace(/X-Amz-Region-Set=[^&]*/, "X-Amz-Region-Set=us-east-1%2Ceu-%2A"),
      }),
  };
  const report = await tamper({
    name: "s3/v4a, blind",
    bases: await bases(),
    count: 2_000,
    verifier: blind,
    judge: judgeS3,
    facts,
  });
  expect(report.wrong.length).toBeGreaterThan(0);
});

// The raw target differs by definition, and no version binds the order of parameters.
function facts(grant: Grant): unknown {
  const { target: _, limitBody: __, parameters, ...rest } = grant as S3Grant;
  return { ...rest, id: grant.id, parameters: parameters.map((pair) => JSON.stringify(pair)).sort() };
}
