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

describe("the token of a session", () => {
  it("shows of no two sessions that one key asked for both", () => {
    const { issue, isBound } = counted();
    const [one, two] = [issue({ parent, scope: {}, expiration }), issue({ parent, scope: {}, expiration })] as const;
    expect(one.bond).not.toBe(two.bond);
    // Nor is the bond of one session good for another.
    expect(isBound(one, parent.secretAccessKey)).toBe(true);
    expect(isBound({ ...one, bond: two.bond }, parent.secretAccessKey)).toBe(false);
  });

  it("does not show the secret, which is one of its own", () => {
    const { issue } = counted();
    const { sessionToken, secretAccessKey, bond } = issue({ parent, scope: {}, expiration });
    const shown = [
      sessionToken,
      ...sessionToken.split(".").map((part) => Buffer.from(part, "base64url").toString("latin1")),
    ];
    for (const text of shown) expect(text).not.toContain(secretAccessKey);
    expect(bond.slice(0, 40)).not.toBe(secretAccessKey);
  });

  it("costs nothing where it is longer than any that is issued", () => {
    const { open, issue, macs } = counted();
    // Whose bytes are written by each letter of base64url.
    const own = issue({ parent, scope: { prefix: "???>>>~~~\u{3ffff}" }, expiration });
    expect(own.sessionToken).toMatch(/-.*_|_.*-/);
    expect(open(own.sessionToken)).toEqual(own);
    const before = macs();
    expect(open(`${"A".repeat(4097)}.${"A".repeat(43)}`)).toBeUndefined();
    expect(macs() - before).toBe(0);
  });

  it("is not issued where it would be too long to be opened", () => {
    const { issue, open } = counted();
    const ofTeams = (count: number) =>
      issue({ parent, scope: { buckets: Array.from({ length: count }, (_, i) => `bucket-of-team-${i}`) }, expiration });
    expect(open(ofTeams(100).sessionToken)?.scope.buckets).toHaveLength(100);
    expect(() => ofTeams(250)).toThrow(
      /^expected a scope that fits into a token of 4096 characters, found one that takes \d{4}: name fewer buckets$/,
    );
  });
});
