import { expect, test } from "vitest";
import type { Grant } from "../../src/core/contracts.ts";
import { type CloudfrontGrant, cloudfrontVerifier } from "../../src/schemes/cloudfront/index.ts";
import { EC, RSA } from "../cloudfront/keys.ts";
import { NOW } from "./bases.ts";
import { CLOUDFRONT_ORIGINS, cloudfrontBases, judgeCloudfront } from "./cloudfront.ts";
import { tamperCount } from "./seeded.ts";
import { tamper } from "./tamper.ts";

test("no tampered CloudFront URL or cookie is accepted, and a re-spelled one gives the same grant or none", async () => {
  const bases = [
    ...(await cloudfrontBases("KRSA", RSA.privateKey, "sha1")),
    ...(await cloudfrontBases("KEC", EC.privateKey, "sha256")),
  ];
  const verifier = cloudfrontVerifier({
    keys: [
      { keyPairId: "KRSA", publicKey: RSA.publicKey, hashes: ["sha1"] },
      { keyPairId: "KEC", publicKey: EC.publicKey, hashes: ["sha256"] },
    ],
    origins: CLOUDFRONT_ORIGINS,
    clock: () => NOW,
  });
  const count = tamperCount("cloudfront");
  const report = await tamper({ name: "cloudfront", bases, count, verifier, judge: judgeCloudfront, facts });
  expect(report.wrong.slice(0, 5)).toEqual([]);
  expect(report.thrown.slice(0, 5)).toEqual([]);
  expect(report.tampered).toBeGreaterThanOrEqual(count);
}, 600_000);

// What wildcards stand for is the holder's choice; under a canned policy URL and target are part of the grant.
function facts(grant: Grant): unknown {
  const { limitBody: _, target, url, ...rest } = grant as CloudfrontGrant;
  return rest.policy === "canned" ? { ...rest, target, url } : rest;
}
