import { expect, it } from "vitest";
import type { AuditEntry } from "../../src/state/contract/audit.ts";
import { entryLimits } from "../../src/state/contract/entry-limits.ts";

const MINUTE = 60_000;

it("records at most 6,000 refusals of all clients in a minute, and everything that is no refusal", () => {
  const { toRecord } = entryLimits();
  const refusal = (n: number): AuditEntry => {
    return { action: "link.opened", by: "holder", result: "unknown", address: `192.0.2.${n}` };
  };
  const refuse = (count: number, at: number) =>
    Array.from({ length: count }, (_, n) => toRecord(refusal(n % 200), at)).filter((entry) => entry !== undefined);
  expect(refuse(7000, MINUTE)).toHaveLength(6000);
  const call: AuditEntry = { action: "admin.call", by: "operator", result: "ok" };
  expect(toRecord(call, MINUTE)).toBe(call);

  const later = refuse(2, 10 * MINUTE);
  expect(later.map(({ detail }) => detail)).toEqual([
    "1000 more refusals before this minute were not recorded",
    undefined,
  ]);
});

it("keeps the detail of the refusal that says how many were dropped", () => {
  const { toRecord } = entryLimits();
  const refused: AuditEntry = { action: "admin.call", by: "unknown", result: "TOKEN_SCOPE", detail: "GET /tokens" };
  for (let n = 0; n < 61; n++) toRecord(refused, MINUTE);
  expect(toRecord(refused, 2 * MINUTE)?.detail).toBe(
    "GET /tokens; 1 more refusals before this minute were not recorded",
  );
});
