import { expect, test } from "vitest";
import type { Grant } from "../../src/core/contracts.ts";
import { type UrlGrant, urlVerifier } from "../../src/schemes/url/index.ts";
import { AUDIENCE, ED25519_KEY, ed25519Bases, HMAC_KEY, NOW, URL_ORIGINS, urlBases } from "./bases.ts";
import { judgeUrl } from "./judge.ts";
import { tamperCount } from "./seeded.ts";
import { type TamperReport, tamper } from "./tamper.ts";

const { d: _, ...publicKey } = ED25519_KEY;
const verifier = urlVerifier({
  keys: [HMAC_KEY, publicKey],
  origins: URL_ORIGINS,
  audience: AUDIENCE,
  enforces: ["body-length", "body-sha256", "create-only", "uses", "response", "strip"],
  clock: () => NOW,
});

test("no tampered Daypass URL with an HMAC key is accepted", async () => {
  const count = tamperCount("url");
  holds(
    await tamper({ name: "url, HS256", bases: urlBases(), count, verifier, judge: judgeUrl, facts: urlFacts }),
    count,
  );
}, 600_000);

test("no tampered Daypass URL with an Ed25519 key is accepted", async () => {
  const count = tamperCount("url, Ed25519");
  const bases = await ed25519Bases();
  holds(await tamper({ name: "url, Ed25519", bases, count, verifier, judge: judgeUrl, facts: urlFacts }), count);
}, 600_000);

function holds(report: TamperReport, count: number): void {
  expect(report.wrong.slice(0, 5)).toEqual([]);
  expect(report.thrown.slice(0, 5)).toEqual([]);
  expect(report.tampered).toBeGreaterThanOrEqual(count);
}

// Under a prefix the rest of the path is the holder's choice; the target of all others is part of the grant.
function urlFacts(grant: Grant): unknown {
  const { limitBody: _, target, path, ...facts } = grant as UrlGrant;
  return facts.prefix === undefined ? { ...facts, target, path } : facts;
}
