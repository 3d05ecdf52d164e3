import { expect, test } from "vitest";
import type { Grant, Verifier } from "../../src/core/contracts.ts";
import { type GcsGrant, gcsHmacVerifier, gcsVerifier } from "../../src/schemes/gcs/index.ts";
import { gcsV2HmacVerifier, gcsV2Verifier } from "../../src/schemes/gcs/v2/index.ts";
import { hmacKey, publicAccount } from "../gcs/account.ts";
import { NOW } from "./bases.ts";
import {
  GCS_ORIGINS,
  gcsAccountBases,
  gcsHmacBases,
  gcsV2AccountBases,
  gcsV2HmacBases,
  judgeGcs,
  judgeGcsV2,
} from "./gcs.ts";
import { tamperCount } from "./seeded.ts";
import { tamper } from "./tamper.ts";

const enforces = ["body-sha256", "body-checksum", "body-length", "create-only", "response"] as const;
const options = { origins: GCS_ORIGINS, enforces, clock: () => NOW };
const v4 = { judge: judgeGcs, facts };
const v2 = { judge: judgeGcsV2, facts };

test.each([
  {
    ...v4,
    name: "gcs, HMAC",
    bases: gcsHmacBases,
    verifier: gcsHmacVerifier({ keys: hmacKey, ...options }),
  },
  {
    ...v4,
    name: "gcs, account",
    bases: gcsAccountBases,
    verifier: gcsVerifier({ keys: publicAccount, ...options }),
  },
  {
    ...v2,
    name: "gcs/v2, HMAC",
    bases: gcsV2HmacBases,
    verifier: gcsV2HmacVerifier({ keys: hmacKey, ...options }),
  },
  {
    ...v2,
    name: "gcs/v2, account",
    bases: gcsV2AccountBases,
    verifier: gcsV2Verifier({ keys: publicAccount, ...options }),
  },
] as const)(
  "no tampered URL of $name is accepted, and a re-spelled one gives the same grant or none",
  async ({ bases, ...suite }) => {
    const count = tamperCount(suite.name);
    const report = await tamper({ ...suite, bases: await bases(), count });
    expect(report.wrong.slice(0, 5)).toEqual([]);
    expect(report.thrown.slice(0, 5)).toEqual([]);
    expect(report.tampered).toBeGreaterThanOrEqual(count);
  },
  600_000,
);

test("the suite notices a verifier that does not look at one header", async () => {
  const strict = gcsHmacVerifier({ keys: hmacKey, ...options });
  const blind: Verifier = {
    detects: strict.detects,
    verify: (request) =>
      strict.verify({ ...request, headers: request.headers.filter(([name]) => name.toLowerCase() !== "x-goog-acl") }),
  };
  const bases = (await gcsHmacBases()).filter(({ headers }) => headers.length === 0);
  const report = await tamper({ ...v4, name: "gcs, blind to x-goog-acl", bases, count: 5_000, verifier: blind });
  expect(report.wrong.length).toBeGreaterThan(0);
});

// The raw target differs by definition; V4 binds no order of parameters, and V2 no host.
function facts(grant: Grant): unknown {
  const { target: _, limitBody: __, parameters, ...rest } = grant as GcsGrant;
  return { ...rest, id: grant.id, parameters: parameters.map((pair) => JSON.stringify(pair)).sort() };
}
