import { once } from "node:events";
import { mkdirSync, renameSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sqliteState } from "@daypass/gateway/state";
import { expect, onTestFinished, test } from "vitest";
import { CommandError } from "../src/command.ts";
import { restartDelay, untilOpen } from "../src/state-owner/until-open.ts";
import { children } from "./serving.ts";
import {
  expectEnd,
  expectRecovery,
  expectServed,
  expectUnread,
  LATE,
  preparedGateway,
  untilWaiting,
  type Wanted,
} from "./start-without-state.ts";

/** Takes the database away. Each returns what gives it back. */
const ways = {
  open: async () => async () => undefined,
  /** No second process can open it. */
  locked: async (state: string) => {
    const other = await sqliteState({ path: join(state, "state.db") });
    let isOpen = true;
    const close = async (): Promise<void> => {
      if (isOpen) await other.close();
      isOpen = false;
    };
    onTestFinished(close);
    return close;
  },
  unreadable: async (state: string) => {
    const [path, aside] = [join(state, "state.db"), join(state, "aside")];
    renameSync(path, aside);
    mkdirSync(path);
    return async () => {
      rmdirSync(path);
      renameSync(aside, path);
    };
  },
} as const;

interface Case extends Wanted {
  readonly database: keyof typeof ways;
  /** Whether it reads no request until the database is back. */
  readonly waits: boolean;
}

const CASES: readonly Case[] = [
  { database: "open", copies: "none", workers: "0", waits: false },
  { database: "open", copies: "none", workers: "2", waits: false },
  { database: "locked", copies: "young", workers: "2", waits: false },
  { database: "unreadable", copies: "old", workers: "0", waits: true },
  { database: "locked", copies: "none", workers: "0", links: { onStale: "serve" }, waits: false },
];

test("serves no revoked URL and knows its links from its first request on, whether or not SQLite opens", async () => {
  const prepared = [];
  for (const one of CASES) {
    const gateway = await preparedGateway(one);
    prepared.push({ one, gateway, giveBack: await ways[one.database](gateway.state) });
  }
  // At once, because most of the time they wait.
  await Promise.all(
    prepared.map(async ({ one, gateway, giveBack }) => {
      const begun = gateway.begin();
      if (one.waits) await untilWaiting(begun).then(() => expectUnread(begun));
      else if (one.database !== "open") await expectServed(begun, one);
      await giveBack();
      await expectRecovery(begun, one);
    }),
  );
}, 300_000);

test.each(["0", "2"])(
  "ends at SIGTERM while it waits for SQLite (%s workers)",
  async (workers) => {
    const { state, begin } = await preparedGateway({ copies: "none", workers });
    await ways.locked(state);
    const begun = begin();
    await expect.poll(begun.log, LATE).toContain("is tried again");
    await expectEnd(begun.child);
    expectUnread(begun);
  },
  60_000,
);

test.each(["0", "2"])(
  "exits if the key of the audit is damaged, which only the operator can correct (%s workers)",
  async (workers) => {
    const { state, begin } = await preparedGateway({ copies: "young", workers });
    writeFileSync(join(state, "audit.mac"), "damaged");
    const begun = begin();
    expect(await once(begun.child, "close")).toEqual([1, null]);
    expect(begun.log()).toContain("audit.mac is missing or damaged");
    expectUnread(begun);
  },
  60_000,
);

test("tries to open a state each second, and reports each minute why it does not", async () => {
  let now = 0;
  let tries = 0;
  const reports: (readonly [number, string])[] = [];
  const opened = await untilOpen(
    async () => {
      tries += 1;
      if (tries <= 150) throw new Error(`failed ${tries}`);
      return "open";
    },
    {
      onFault: (error) => void reports.push([now, error]),
      monotonic: () => now,
      pause: async (ms) => {
        now += ms;
      },
    },
  );
  expect([opened, now]).toEqual(["open", 150_000]);
  expect(reports).toEqual([
    [0, "failed 1"],
    [60_000, "failed 61"],
    [120_000, "failed 121"],
  ]);
});

test("starts an owner that cannot open its state again after longer and longer pauses", async () => {
  const { state, begin } = await preparedGateway({ copies: "young", workers: "0" });
  const begun = begin();
  await expect.poll(begun.log, LATE).toContain('"listening"');
  writeFileSync(join(state, "audit.mac"), "damaged");
  process.kill(children(begun.child.pid).owner, "SIGKILL");
  const exits = () => begun.log().match(/^.*another replaces it.*$/gm) ?? [];
  await expect.poll(() => exits().length, LATE).toBeGreaterThan(4);
  const [fourth = 0, fifth = 0] = exits()
    .slice(3, 5)
    .map((line) => JSON.parse(line).time);
  expect(fifth - fourth).toBeGreaterThan(1500);
  await expectEnd(begun.child);
}, 60_000);

test("doubles the pause before each restart of an owner that does not open its state, to ten seconds at most", () => {
  const delays = Array.from({ length: 8 }, (_, failures) => restartDelay(failures));
  expect(delays).toEqual([200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  expect(restartDelay(5000)).toBe(10_000);
});

test.each([new CommandError("another master key"), new TypeError("a newer release wrote the state")])(
  "does not try again after an error that the operator must correct: %s",
  async (error) => {
    const onFault = (): never => expect.fail();
    await expect(untilOpen(() => Promise.reject(error), { onFault })).rejects.toBe(error);
  },
);
