import { createHmac, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { sessions } from "../../src/pipeline/sessions.ts";

const parent = { accessKeyId: "AKIDPARENT", secretAccessKey: "the secret of the parent" };
const expiration = new Date("2026-01-02T03:04:05Z");

function counted() {
  let macs = 0;
  const mac = (text: string): Uint8Array => {
    macs += 1;
    return createHmac("sha256", "the gateway's own").update(text).digest();
  };
  return { ...sessions(mac, (length) => randomBytes(length)), macs: () => macs };
}

describe("sessions", () => {
  it("hides that two sessions have the same parent", () => {
    const { issue, isBound } = counted();
    const [one, two] = [issue({ parent, scope: {}, expiration }), issue({ parent, scope: {}, expiration })] as const;
    expect(one.bond).not.toBe(two.bond);
    // The bond of one session does not fit another.
    expect(isBound(one, parent.secretAccessKey)).toBe(true);
    expect(isBound({ ...one, bond: two.bond }, parent.secretAccessKey)).toBe(false);
  });

  it("does not contain the secret, which differs from the parent's", () => {
    const { issue } = counted();
    const { sessionToken, secretAccessKey, bond } = issue({ parent, scope: {}, expiration });
    const shown = [
      sessionToken,
      ...sessionToken.split(".").map((part) => Buffer.from(part, "base64url").toString("latin1")),
    ];
    for (const text of shown) expect(text).not.toContain(secretAccessKey);
    expect(bond.slice(0, 40)).not.toBe(secretAccessKey);
  });

  it("does not decode a token over the limit", () => {
    const { open, issue, macs } = counted();
    // Bytes that use each letter of base64url.
    const own = issue({ parent, scope: { prefix: "???>>>~~~\u{3ffff}" }, expiration });
    expect(own.sessionToken).toMatch(/-.*_|_.*-/);
    expect(open(own.sessionToken)).toEqual(own);
    const before = macs();
    expect(open(`${"A".repeat(4097)}.${"A".repeat(43)}`)).toBeUndefined();
    expect(macs() - before).toBe(0);
  });

  it("refuses a scope that does not fit into a token", () => {
    const { issue, open } = counted();
    const ofTeams = (count: number) =>
      issue({ parent, scope: { buckets: Array.from({ length: count }, (_, i) => `bucket-of-team-${i}`) }, expiration });
    expect(open(ofTeams(100).sessionToken)?.scope.buckets).toHaveLength(100);
    expect(() => ofTeams(250)).toThrow(
      /^the scope makes a token of \d{4} characters, and at most 4096 are allowed\. Name fewer buckets$/,
    );
  });
});
