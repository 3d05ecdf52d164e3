import { expect, it } from "vitest";
import { openLinks, type RevocationSnapshot } from "../../src/links/links.ts";
import type { Revocation } from "../../src/state/contract/revocations.ts";
import { sqliteState } from "../../src/state/sqlite/index.ts";

const BEGIN = Date.parse("2026-12-01T12:00:00Z");
const GRANT = { id: "g", keyId: "k", bucket: "media" };

/** A state that answers nothing any more, and the copy that a gateway made before. */
async function away(hasCopy: boolean) {
  const bench = { now: BEGIN };
  const clock = () => new Date(bench.now);
  let copy: { revocations: readonly Revocation[]; polledAt: number } | undefined;
  const snapshot: RevocationSnapshot = {
    load: () => copy,
    save(revocations) {
      copy = { revocations, polledAt: bench.now };
    },
    confirm() {
      if (copy !== undefined) copy.polledAt = bench.now;
    },
  };
  const state = await sqliteState({ path: ":memory:", clock });
  await state.revoke({ id: "1", selector: { kind: "key", id: "k" } }, "operator");
  if (hasCopy) {
    const links = await openLinks({ state, clock, snapshot });
    bench.now += 1000;
    await links.catchUp();
  }
  await state.close();
  const monotonic = () => bench.now;
  return {
    bench,
    open: (maxRevocationAge?: number) => openLinks({ state, clock, monotonic, snapshot, maxRevocationAge }),
  };
}

it("refuses to open without a state and without a copy of the revocations", async () => {
  await expect((await away(false)).open()).rejects.toThrow();
});

it.each([
  [undefined, 300_000, false],
  [undefined, 300_001, true],
  [60_000, 60_001, true],
  [Number.POSITIVE_INFINITY, 1e12, false],
])(
  "counts the age of a copy from the last answer of the state (at most %j, after %j ms)",
  async (most, ms, isStale) => {
    const { bench, open } = await away(true);
    const links = await open(most);
    expect(links.revocations.find(GRANT)).toMatchObject({ id: "1" });
    bench.now = BEGIN + 1000 + ms;
    await expect(links.catchUp()).rejects.toThrow();
    expect([links.isStale(), links.age()]).toEqual([isStale, ms]);
  },
);

it("opens when the copy cannot be written, and writes it later", async () => {
  const saved: (readonly Revocation[])[] = [];
  const snapshot: RevocationSnapshot = {
    load: () => undefined,
    save(revocations) {
      saved.push(revocations);
      if (saved.length === 1) throw new Error("ENOSPC");
    },
    confirm: () => undefined,
  };
  const state = await sqliteState({ path: ":memory:" });
  const links = await openLinks({ state, clock: () => new Date(), snapshot });
  await links.catchUp();
  expect(saved).toEqual([[], []]);
  await state.close();
});
