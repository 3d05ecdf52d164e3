import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AFTER_EXPIRY,
  type Applied,
  apply,
  type Command,
  type Delivery,
  LEASE,
  START_WITHIN,
  transitions,
} from "../../src/state/contract/deliveries.ts";
import type { Link } from "../../src/state/contract/fields.ts";
import type { State, Variant } from "../../src/state/contract/state.ts";
import { sqliteState } from "../../src/state/sqlite/index.ts";

const SIZE = 1000;
const OBJECT = { etag: "e1", size: SIZE };
const BEGIN = Date.parse("2026-12-01T00:00:00Z");

const LINK: Link = {
  id: "link",
  public: false,
  kind: "object",
  bucket: "media",
  key: "a",
  owner: "operator",
  createdAt: BEGIN,
  version: 1,
  startsAt: BEGIN,
  expiresAt: BEGIN + 24 * LEASE,
  networks: [],
  preview: true,
  follow: false,
  revokedAt: undefined,
  suspended: undefined,
};

interface Bench {
  state: State;
  now: number;
  /** Continues with what a kill of the owner would have left on the disk at this moment. */
  kill: () => Promise<void>;
  end: () => Promise<void>;
}

async function bench({ max, maxBytes }: Pick<Variant, "max" | "maxBytes">): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), "daypass-state-"));
  const made = { now: BEGIN } as Bench;
  let runs = 0;
  const path = (): string => join(folder, `state-${runs}.db`);
  const open = () => sqliteState({ path: path(), clock: () => new Date(made.now) });
  made.state = await open();
  made.kill = async () => {
    const images = ["", "-wal"].map((end) => path() + end).filter((file) => existsSync(file));
    const copies = images.map((file) => [readFileSync(file), file.slice(path().length)] as const);
    await made.state.close();
    runs += 1;
    for (const [bytes, end] of copies) writeFileSync(path() + end, bytes);
    made.state = await open();
  };
  made.end = async () => {
    await made.state.close();
    rmSync(folder, { recursive: true });
  };
  const counters = { used: 0, givenBack: 0, held: 0, started: 0, completed: 0 };
  await made.state.createLink(LINK, [{ id: "v", link: "link", max, maxBytes, ...counters }]);
  return made;
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant("claim" as const), who: fc.nat(5), start: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("start" as const), who: fc.nat(5), length: fc.nat(SIZE) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("settle" as const),
      at: fc.nat(20),
      sent: fc.nat(SIZE),
      from: fc.nat(SIZE),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("alive" as const), who: fc.nat(5) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("wait" as const),
      ms: fc.constantFrom(1000, START_WITHIN, LEASE / 2, LEASE),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("back" as const), ms: fc.constantFrom(1000, LEASE) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("sweep" as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("kill" as const), who: fc.nat(5), isLate: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("give" as const) }) },
);

describe("deliveries, in random order, with lost answers, kills and clocks that jump", () => {
  it("never start more often than allowed, never send more than reserved, and answer a repeated command alike", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          max: fc.integer({ min: 1, max: 3 }),
          maxBytes: fc.option(fc.integer({ min: 500, max: 5000 }), { nil: undefined }),
        }),
        fc.array(fc.tuple(step, fc.boolean()), { maxLength: 40 }),
        async (limits, steps) => play(limits, steps),
      ),
      { numRuns: 60 },
    );
  }, 120_000);
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function play(
  limits: { max: number; maxBytes: number | undefined },
  steps: readonly (readonly [Step, boolean])[],
): Promise<void> {
  const made = await bench(limits);
  let allowed = limits.max;
  const started = new Set<string>();
  const attempts: { id: string; token: string; length: number; settled: boolean }[] = [];
  try {
    for (const [index, [one, isLost]] of steps.entries()) {
      // A lost answer is replayed by its claim key or attempt id.
      const send = async (command: Command): Promise<Applied> => {
        const first = await made.state.deliver("v", command);
        if (!isLost || !first.ok || command.type === "settle") return first;
        const again = await made.state.deliver("v", command);
        expect(again).toMatchObject({ ok: true, delivery: { token: first.delivery.token, held: first.delivery.held } });
        return first;
      };
      const note = (result: Applied, attempt?: { id: string; length: number }): void => {
        if (!result.ok) return;
        const { token, state: at } = result.delivery;
        if (at === "started") started.add(token);
        if (attempt !== undefined) attempts.push({ ...attempt, token, settled: false });
      };
      switch (one.type) {
        case "claim": {
          const who = String(one.who);
          const attempt = { id: `a${index}`, length: SIZE };
          const begin = one.start ? { attempt: attempt.id, length: SIZE, object: OBJECT } : undefined;
          const result = await send({ type: "claim", claim: `c${who}`, token: `t${who}`, address: who, start: begin });
          note(result, one.start ? attempt : undefined);
          break;
        }
        case "start": {
          const attempt = { id: `a${index}`, length: one.length };
          note(
            await send({
              type: "start",
              token: `t${one.who}`,
              attempt: attempt.id,
              length: one.length,
              object: OBJECT,
            }),
            attempt,
          );
          break;
        }
        case "settle": {
          const attempt = attempts[one.at % Math.max(1, attempts.length)];
          if (attempt === undefined || attempt.settled) break;
          attempt.settled = true;
          await send({
            type: "settle",
            token: attempt.token,
            attempt: attempt.id,
            sent: Math.min(one.sent, attempt.length),
            from: one.from,
          });
          break;
        }
        case "alive":
          await send({ type: "alive", token: `t${one.who}` });
          break;
        case "wait":
          made.now += one.ms;
          break;
        case "back":
          made.now -= one.ms;
          break;
        case "sweep":
          await made.state.sweep();
          break;
        case "kill": {
          // The owner dies before or after the commit, its client never learns which, and sends the command again.
          const attempt = { id: `a${index}`, length: SIZE };
          const [who, start] = [String(one.who), { attempt: attempt.id, length: SIZE, object: OBJECT }];
          const command = { type: "claim" as const, claim: `c${who}`, token: `t${who}`, address: who, start };
          const lost = made.state.deliver("v", command);
          if (one.isLate) await lost;
          await made.kill();
          note(await send(command), attempt);
          break;
        }
        case "give":
          await made.state.giveBack("v", 1, "operator");
          allowed += 1;
      }
      const found = await made.state.getLink("link");
      const [variant] = found?.variants ?? [];
      expect(started.size).toBeLessThanOrEqual(allowed);
      expect(variant?.started).toBe(started.size);
      expect(variant?.used).toBeGreaterThanOrEqual(started.size);
      expect(variant?.used).toBeLessThanOrEqual(allowed);
      expect(variant?.held).toBeGreaterThanOrEqual(0);
      if (limits.maxBytes !== undefined) expect(variant?.held).toBeLessThanOrEqual(limits.maxBytes);
    }
    // All that is left can be had: unstarted claims lapse, then new clients claim until nothing is left.
    made.now = Math.max(made.now, BEGIN + 10 * LEASE);
    await made.state.sweep();
    const left = allowed - started.size;
    const results: boolean[] = [];
    for (let at = 0; at <= left; at++) {
      const claim = { type: "claim", claim: `late${at}`, token: `late${at}`, address: `late${at}` } as const;
      results.push((await made.state.deliver("v", claim)).ok);
    }
    expect(results).toEqual([...Array.from({ length: left }, () => true), false]);
  } finally {
    await made.end();
  }
}

describe("a delivery of an expired link", () => {
  const offset = fc.nat(9);
  const request = fc.record({
    ms: fc.integer({ min: 1, max: LEASE }),
    range: fc.option(fc.tuple(offset, offset), { nil: undefined }),
    type: fc.constantFrom("start" as const, "alive" as const),
    isSettled: fc.boolean(),
  });

  it("is renewed only by bytes that were not sent, and never for more than a day", () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 60 }), (requests) => {
        const variant = { max: 1, used: 1, givenBack: 0, maxBytes: undefined, held: 0 };
        let now = LINK.expiresAt;
        let delivery: Delivery = {
          ...{ token: "t", claim: "c", state: "started", claimedAt: BEGIN, address: "a", startBy: BEGIN, etag: "e1" },
          ...{ leaseUntil: now + LEASE, size: SIZE, held: 0, covered: [], completedAt: undefined },
        };
        const send = (command: Command): Applied => {
          const attempt = command.type === "settle" ? { id: "a", reserved: SIZE } : undefined;
          const view = { link: LINK, variant, delivery, claimed: [], recentClaims: 0, attempt };
          const { result, deliveries } = apply(view, command, now);
          [delivery = delivery] = deliveries;
          return result;
        };
        const sent = new Set<number>();
        for (const { ms, range, type, isSettled } of requests) {
          now += ms;
          const { leaseUntil } = delivery;
          const bytes = Array.from({ length: SIZE }, (_, at) => at).filter(
            (at) => range && at >= range[0] && at < range[1],
          );
          const isNew = bytes.some((at) => !sent.has(at));
          const ids = { token: "t", attempt: "a", length: bytes.length, range, object: OBJECT };
          const { ok } = send(type === "start" ? { type, ...ids } : { type, ...ids });
          expect([now, ok ? delivery.leaseUntil > now : leaseUntil <= now]).toEqual([now, true]);
          if (delivery.leaseUntil !== leaseUntil) expect([isNew, ok]).toEqual([true, true]);
          expect(delivery.leaseUntil).toBeLessThanOrEqual(LINK.expiresAt + AFTER_EXPIRY);
          if (!ok || !isSettled || range === undefined || bytes.length === 0) continue;
          send({ type: "settle", token: "t", attempt: "a", sent: bytes.length, from: range[0] });
          for (const at of bytes) sent.add(at);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("the table of a delivery's life", () => {
  it.each([
    ["claimed", ["start", "lapse", "revoke"]],
    ["started", ["start", "alive", "settle", "end", "revoke"]],
    ["lapsed", []],
    ["ended", ["settle"]],
  ] as const)("a %s delivery allows %j", (state, events) => {
    expect(Object.keys(transitions[state])).toEqual(events);
  });
});

describe("a claim", () => {
  it("is refused to an address that claimed five times in ten minutes", async () => {
    const made = await bench({ max: 100, maxBytes: undefined });
    const claim = (at: number, address: string) =>
      made.state.deliver("v", { type: "claim", claim: `c${at}`, token: `t${at}`, address });
    for (let at = 0; at < 5; at++) expect((await claim(at, "192.0.2.1")).ok).toBe(true);
    expect(await claim(5, "192.0.2.1")).toMatchObject({ ok: false, reason: "too-many-claims" });
    expect((await claim(6, "192.0.2.2")).ok).toBe(true);
    await made.end();
  });

  it("gets one of a thousand concurrent claims on a link of one delivery", async () => {
    const made = await bench({ max: 1, maxBytes: undefined });
    const claims = Array.from({ length: 1000 }, (_, at) =>
      made.state.deliver("v", {
        ...{ type: "claim" as const, claim: `c${at}`, token: `t${at}`, address: `a${at}` },
        start: { attempt: `s${at}`, length: SIZE, object: OBJECT },
      }),
    );
    const results = await Promise.all(claims);
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    await made.end();
  });

  it("may lapse, and its link has the delivery again", async () => {
    const made = await bench({ max: 1, maxBytes: undefined });
    await made.state.deliver("v", { type: "claim", claim: "c1", token: "t1", address: "a" });
    made.now += START_WITHIN;
    expect(
      await made.state.deliver("v", { type: "start", token: "t1", attempt: "s", length: 1, object: OBJECT }),
    ).toMatchObject({ ok: false, reason: "lapsed" });
    expect((await made.state.deliver("v", { type: "claim", claim: "c2", token: "t2", address: "b" })).ok).toBe(true);
    await made.end();
  });
});
