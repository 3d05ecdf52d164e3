import { expect, it } from "vitest";
import { openLinks, type RevocationSnapshot } from "../../src/links/links.ts";
import { revocationPages } from "../../src/state/contract/revocation-pages.ts";
import type { RevocationChange } from "../../src/state/contract/revocations.ts";
import { sqliteState } from "../../src/state/sqlite/index.ts";

const BEGIN = Date.parse("2026-12-01T12:00:00Z");
const GRANT = { id: "g", keyId: "k", bucket: "media" };

/** A state that answers nothing any more, and the copy that was made a second after its last change. */
async function away(hasCopy: boolean) {
  const bench = { now: BEGIN };
  const clock = () => new Date(bench.now);
  const copy: [readonly RevocationChange[], number][] = [];
  const snapshot: RevocationSnapshot = {
    load(reader) {
      for (const [changes, complete] of copy) reader.apply(changes, complete);
      return hasCopy ? BEGIN + 1000 : undefined;
    },
  };
  const state = await sqliteState({ path: ":memory:", clock });
  await state.revoke({ id: "1", selector: { kind: "key", id: "k" } }, "operator");
  await revocationPages(state)({ revision: 0, apply: (...page) => copy.push(page), restart: () => undefined });
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
    bench.now = BEGIN + 1000;
    const links = await open(most);
    expect(links.revocations.isRevoked(GRANT)).toBe(true);
    bench.now += ms;
    await expect(links.catchUp()).rejects.toThrow();
    expect([links.isStale(), links.age()]).toEqual([isStale, ms]);
  },
);

it.each([
  ["300 seconds old", 300_000, undefined, true],
  ["older than 300 seconds", 300_001, undefined, false],
  ["older than the setting", 60_001, 60_000, false],
  ["10 seconds in the future, by a clock that differs", -10_000, undefined, true],
  ["a day in the future, so that its age is unknown", -86_400_000, undefined, false],
  ["of any age, if the gateway serves on", 1e12, Number.POSITIVE_INFINITY, true],
])("opens by a copy only if it is young enough: %s", async (_, age, most, opens) => {
  const { bench, open } = await away(true);
  bench.now = BEGIN + 1000 + age;
  const opened = open(most).then(
    (links) => links.revocations.isRevoked(GRANT),
    () => false,
  );
  expect(await opened).toBe(opens);
});

it("opens without any copy if it serves on, and shows a finite age", async () => {
  const links = await (await away(false)).open(Number.POSITIVE_INFINITY);
  expect([links.isStale(), Number.isFinite(links.age())]).toEqual([false, true]);
});
