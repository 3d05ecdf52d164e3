/**
 * The contract of every state engine, as one suite. It works with any test framework: pass its three functions.
 * @module
 */
import { COUNTED, OPENING } from "../state/contract/counts.ts";
import type { Command, Millis } from "../state/contract/deliveries.ts";
import { CLAIM_WINDOW } from "../state/contract/deliveries.ts";
import { methods } from "../state/contract/methods.ts";
import type { RevocationSelector } from "../state/contract/revocations.ts";
import type { State, Variant } from "../state/contract/state.ts";
import type { TestFunctions } from "./contract-tools.ts";
import { BEGIN, claim, LINK, lives, outcome, variantOf } from "./delivery-lives.ts";

/** Options of {@link stateContract}. */
export interface StateContractOptions {
  /** The engine's name, for the report. */
  readonly name: string;
  /** Opens an empty state that decides by `clock`. Called for each test; `close` also removes what was stored. */
  open(clock: () => Date): Promise<{ readonly state: State; close(): Promise<void> }>;
}

/** A state with a clock that the test sets. */
interface Bench {
  readonly state: State;
  /** Milliseconds since 1970. */
  now: number;
}

/**
 * Registers the suite.
 *
 * @example
 * ```ts
 * import { sqliteState } from "@daypass/gateway/state";
 * import { stateContract } from "@daypass/gateway/testing";
 * import { describe, expect, it } from "vitest";
 *
 * stateContract({ describe, it, expect }, {
 *   name: "SQLite",
 *   async open(clock) {
 *     const state = await sqliteState({ path: ":memory:", clock });
 *     return { state, close: () => state.close() };
 *   },
 * });
 * ```
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a suite is a list of tests
export function stateContract({ describe, it, expect }: TestFunctions, { name, open }: StateContractOptions): void {
  // biome-ignore lint/complexity/noExcessiveLinesPerFunction: as above
  describe(`the state contract: ${name}`, () => {
    const called = new Set<string>();
    const test = (title: string, body: (bench: Bench) => Promise<void>): void =>
      it(title, async () => {
        const bench = { now: BEGIN } as { -readonly [key in keyof Bench]: Bench[key] };
        const { state, close } = await open(() => new Date(bench.now));
        bench.state = new Proxy(state, {
          get(target, member: keyof State) {
            called.add(member);
            return target[member];
          },
        });
        try {
          await body(bench);
        } finally {
          await close();
        }
      });

    for (const [title, limits, steps, end] of lives) {
      test(title, async (bench) => {
        await bench.state.createLink(LINK, [variantOf("v", limits)]);
        for (const [step, expected] of steps) {
          if (step === "sweep") await bench.state.sweep();
          else if ("wait" in step) bench.now += step.wait;
          else expect(outcome(await bench.state.deliver("v", step))).toBe(expected);
        }
        const [variant] = (await bench.state.getLink("link"))?.variants ?? [];
        expect({ ...variant, ...end }).toEqual(variant);
      });
    }

    test("starts one of a thousand concurrent claims", async ({ state }) => {
      await state.createLink(LINK, [variantOf("v", { max: 1, maxBytes: undefined })]);
      const names = Array.from({ length: 1000 }, (_, at) => String(at));
      const results = await Promise.all(names.map((at) => state.deliver("v", claim(at, `s${at}`))));
      expect(results.filter(({ ok }) => ok).length).toBe(1);
    });

    test("refuses an address that claims too often", async (bench) => {
      await bench.state.createLink(LINK, [variantOf("v", { max: 100, maxBytes: undefined })]);
      const claims = Array.from({ length: 6 }, (_, at) => ({ ...claim(String(at)), address: "192.0.2.1" }) as Command);
      const results = await Promise.all(claims.map((one) => bench.state.deliver("v", one)));
      expect(results.map(outcome)).toEqual([...Array(5).fill("claimed"), "too-many-claims"]);
      bench.now += CLAIM_WINDOW;
      expect(outcome(await bench.state.deliver("v", claims[5] as Command))).toBe("claimed");
    });

    test("stores, finds, lists and edits links", async ({ state }) => {
      const [one, two] = ["v", "w"].map((id) => variantOf(id, { max: 3, maxBytes: undefined })) as [Variant, Variant];
      expect(await state.createLink(LINK, [one, two], "key")).toEqual({ link: LINK, variant: one });
      const again = await state.createLink({ ...LINK, id: "other", slug: "other" }, [one], "key");
      expect(again.link.id).toBe("link");
      const third = { ...one, id: "third", link: "third" };
      const taken = state.createLink({ ...LINK, id: "third" }, [third], "other key").catch(({ code }) => code);
      expect(await taken).toBe("SLUG_TAKEN");
      expect((await state.findLink("w"))?.variant).toEqual(two);
      expect((await state.findLink("a-slug"))?.link).toEqual(LINK);
      expect(await state.findLink("unknown")).toBe(undefined);
      const targets = [{ key: "a/b", etag: "e", size: 1 }, { key: "a/c/" }];
      const set = { kind: "set", key: "a/", targets } as const;
      const later = { ...LINK, ...set, id: "later", slug: undefined, owner: "key:1", createdAt: BEGIN + 1 };
      const ordered = ["later", "b", "c", "a"];
      const variants = ordered.map((id) => ({ ...one, id, link: "later" }));
      await state.createLink(later, variants);
      expect((await state.getLink("later"))?.variants).toEqual(variants);
      const { items, next } = await state.listLinks({ limit: 1 });
      expect(items).toEqual([{ link: later, variants }]);
      const rest = await state.listLinks({ limit: 1, cursor: next });
      expect([rest.items.map(({ link }) => link.id), rest.next]).toEqual([["link"], undefined]);
      expect((await state.listLinks({ limit: 9, owner: "key:1" })).items.length).toBe(1);
      expect(await state.updateLink("link", 2, { label: "b" }, "operator")).toBe(undefined);
      const edited = await state.updateLink("link", 1, { label: null, maxDeliveries: 5, revokedAt: BEGIN }, "operator");
      expect([edited?.label, edited?.revokedAt, edited?.version]).toEqual([undefined, BEGIN, 2]);
      expect((await state.getLink("link"))?.variants.map(({ max }) => max)).toEqual([5, 5]);
      expect((await state.giveBack("v", 2, "operator"))?.givenBack).toBe(2);
      expect(outcome(await state.deliver("v", claim("1")))).toBe("revoked");
    });

    test("revokes a link of any version, and the operator takes over the revocation of a token", async ({ state }) => {
      await state.createLink(LINK, [variantOf("v", { max: 1, maxBytes: undefined })]);
      await state.updateLink("link", 1, { label: "b" }, "operator");
      const by = ["token:1", "token:2", "operator", "token:1"];
      const revoked = [];
      for (const one of by) revoked.push(await state.revokeLink("link", one));
      expect(revoked.map((link) => link?.revokedBy)).toEqual(["token:1", "token:1", "operator", "operator"]);
      expect(revoked.map((link) => link?.version)).toEqual([3, 3, 4, 4]);
      expect(await state.revokeLink("unknown", "operator")).toBe(undefined);
      expect(outcome(await state.deliver("v", claim("1")))).toBe("revoked");
      const restored = await state.updateLink("link", 4, { revokedAt: null, revokedBy: null }, "operator");
      expect([restored?.revokedAt, (await state.getLink("link"))?.link.revokedBy]).toEqual([undefined, undefined]);
    });

    test("removes the webhooks of a revoked token, also those that are added afterwards", async ({ state }) => {
      await state.addToken({ id: "t", hash: "h", scopes: [], createdAt: BEGIN }, "operator");
      const events = ["delivery.started"] as const;
      const webhook = (id: string, owner: string) =>
        state.addWebhook({ id, url: "https://example.com/", events, owner, createdAt: BEGIN }, owner);
      await Promise.all([webhook("w", "token:t"), webhook("x", "token:u"), webhook("y", "operator")]);
      await state.createLink({ ...LINK, owner: "token:t" }, [variantOf("v", { max: 1, maxBytes: undefined })]);
      await state.deliver("v", claim("1", "s"));
      expect((await state.outboxDepth()).waiting).toBe(2);
      await state.revokeToken("t", "operator");
      const left = async () => (await state.listWebhooks()).map(({ id }) => id).sort();
      expect([await left(), (await state.outboxDepth()).waiting]).toEqual([["x", "y"], 1]);
      await webhook("z", "token:t");
      await state.sweep();
      expect(await left()).toEqual(["x", "y"]);
    });

    test("rejects a cursor that no page returned", async ({ state }) => {
      await state.createLink(LINK, [variantOf("v", { max: 1, maxBytes: undefined })]);
      const refused = (call: Promise<unknown>): Promise<unknown> => call.catch((error: Error) => error.name);
      for (const cursor of ["garbage", "!", Buffer.from("1 ").toString("base64url")]) {
        const page = { limit: 1, cursor };
        const calls = [state.listLinks(page), state.listRevocations(page), state.listDeliveries("link", page)];
        expect(await Promise.all(calls.map(refused))).toEqual(Array(3).fill("RangeError"));
      }
    });

    test("returns one link to requests that share an idempotency key and arrive together", async ({ state }) => {
      const ids = Array.from({ length: 8 }, (_, at) => `link${at}`);
      const created = await Promise.all(
        ids.map((id) => {
          const variant = { ...variantOf(id, { max: 1, maxBytes: undefined }), link: id };
          return state.createLink({ ...LINK, id, slug: undefined }, [variant], "key");
        }),
      );
      expect(new Set(created.map(({ link }) => link.id)).size).toBe(1);
      expect((await state.listLinks({ limit: 9 })).items.length).toBe(1);
    });

    test("finds and lists deliveries", async (bench) => {
      await bench.state.createLink(LINK, [variantOf("v", { max: 5, maxBytes: undefined })]);
      for (const at of ["1", "2", "3"]) {
        await bench.state.deliver("v", claim(at, `s${at}`));
        bench.now += 1;
      }
      expect((await bench.state.findDelivery("t2"))?.delivery.claimedAt).toBe(BEGIN + 1);
      expect(await bench.state.findDelivery("t9")).toBe(undefined);
      const { items, next } = await bench.state.listDeliveries("link", { limit: 2 });
      expect(items.map(({ token, variant }) => [token, variant])).toEqual([
        ["t3", "v"],
        ["t2", "v"],
      ]);
      expect((await bench.state.listDeliveries("link", { limit: 2, cursor: next })).items.length).toBe(1);
    });

    test("counts uses", async (bench) => {
      const use = { kid: "k", grantId: "g", uses: 2, until: BEGIN + 10 };
      const results = [];
      for (let at = 0; at < 3; at += 1) results.push(await bench.state.claimUse(use));
      expect(results).toEqual([true, true, false]);
      bench.now += 10;
      await bench.state.sweep();
      expect(await bench.state.claimUse(use)).toBe(true);
    });

    test("adds counts, a batch once, and an opening of a network once in ten minutes", async (bench) => {
      const { state } = bench;
      await state.createLink(
        LINK,
        ["v", "w"].map((id) => variantOf(id, { max: 9, maxBytes: undefined })),
      );
      const use = (variant: string, network: string, at: Millis, downloaded = 0) =>
        ({ variant, network, openedAt: BEGIN + at, downloaded, lastAt: BEGIN + at }) as const;
      const counts = async () =>
        (await state.getLink("link"))?.variants.map((one) => [one.opened, one.downloaded, one.lastOpened]);
      const none = [undefined, undefined, undefined];
      expect(await counts()).toEqual([none, none]);
      const first = { id: "1", uses: [use("v", "a", 0, 2), use("v", "b", 7, 1), use("unknown", "a", 0)] };
      await Promise.all([state.addCounts(first), state.deliver("v", claim("1", "s1"))]);
      await state.addCounts(first);
      expect(await counts()).toEqual([[2, 3, BEGIN + 7], none]);
      const other = { ...use("w", "a", 0), openedAt: undefined, downloaded: 1 };
      await Promise.all([
        state.addCounts({ id: "2", uses: [use("v", "a", OPENING - 1), other] }),
        state.addCounts({ id: "3", uses: [other, use("v", "b", OPENING + 6, 1)] }),
      ]);
      expect(await counts()).toEqual([
        [2, 4, BEGIN + OPENING + 6],
        [0, 2, BEGIN],
      ]);
      await state.addCounts({ id: "4", uses: [use("v", "a", OPENING)] });
      expect((await counts())?.[0]).toEqual([3, 4, BEGIN + OPENING + 6]);
      bench.now += 3 * OPENING + COUNTED;
      await state.sweep();
      await state.addCounts({ id: "1", uses: [use("v", "b", 3 * OPENING)] });
      expect([(await counts())?.[0], (await state.findLink("v"))?.variant.used]).toEqual([
        [4, 4, BEGIN + 3 * OPENING],
        1,
      ]);
    });

    test("refuses uses of URLs that were valid before a restore, until that is lifted", async (bench) => {
      const { state } = bench;
      const claim = (grantId: string, validFrom?: number) =>
        state.claimUse({ kid: "k", grantId, uses: 9, until: BEGIN + 1000, validFrom });
      const claims = () => Promise.all([claim("old", BEGIN - 1), claim("unknown"), claim("new", bench.now)]);
      expect((await state.beginRun(undefined)).restored).toBe(false);
      expect(await claims()).toEqual([true, true, true]);
      const { revision } = await state.revocationsAfter(0, 1);
      const { restored, suspended } = await state.beginRun("another run");
      expect([restored, suspended]).toEqual([true, 0]);
      expect(await claims()).toEqual([false, false, true]);
      // A process may know revocations that the restore lost.
      expect((await state.revocationsAfter(0, 1)).revision > revision + 1000).toBe(true);
      const { items } = await state.listRevocations({ limit: 9 });
      expect(items.map(({ id, selector, createdAt }) => [id, selector.kind, createdAt])).toEqual([
        ["lost-uses", "uses-before", BEGIN],
      ]);
      await state.lift("lost-uses", "operator");
      expect(await claims()).toEqual([true, true, true]);
      bench.now += 10;
      await state.beginRun("another run");
      expect(await Promise.all([claim("new", BEGIN), claim("later", BEGIN + 10)])).toEqual([false, true]);
    });

    test("numbers revocations in their order", async ({ state }) => {
      const selector = { kind: "key", id: "k" } as const;
      const first = await state.revoke({ id: "1", selector, reason: "lost", until: undefined }, "operator");
      expect((await state.revoke({ id: "2", selector, reason: undefined, until: undefined }, "operator")).id).toBe("1");
      const second = await state.revoke(
        { id: "3", selector: { kind: "grant", id: "g" }, reason: undefined, until: 1 },
        "operator",
      );
      const lifted = await state.lift("1", "operator");
      expect(await state.lift("9", "operator")).toBe(undefined);
      const revisions = [first.revision, second.revision, lifted?.revision ?? 0];
      expect([...revisions].sort((a, b) => a - b)).toEqual(revisions);
      const page = async (after: number, limit: number) => {
        const { revocations, revision } = await state.revocationsAfter(after, limit);
        return { ids: revocations.map(({ selector }) => selector.id), revision };
      };
      const { revision } = await page(0, 9);
      expect(await page(second.revision - 1, 2)).toEqual({ ids: ["g", "k"], revision });
      expect(await page(second.revision - 1, 1)).toEqual({ ids: ["g"], revision });
      expect(await page(lifted?.revision ?? 0, 9)).toEqual({ ids: [], revision });
      expect(revision >= (lifted?.revision ?? 0)).toBe(true);
      expect((await state.listRevocations({ limit: 9 })).items.length).toBe(2);
      await state.sweep();
      expect((await state.listRevocations({ limit: 9 })).items.map(({ reason }) => reason)).toEqual(["lost"]);
    });

    test("drops a revocation a day after its end if it names a URL or visits, and keeps every other", async (bench) => {
      const [id, until] = ["x", BEGIN + 1000];
      const ends: [selector: RevocationSelector, until?: Millis][] = [
        [{ kind: "grant", id }, until],
        [{ kind: "visits-before", id, before: BEGIN }, until],
        [{ kind: "grant", id: "recipient" }],
        [{ kind: "link", id }, until],
        [{ kind: "link", id, by: "token:1" }, until],
        [{ kind: "key", id }, until],
        [{ kind: "subject", id }, until],
        [{ kind: "prefix", id }, until],
        [{ kind: "signed-before", id, before: BEGIN }, until],
      ];
      for (const [at, [selector, end]] of ends.entries()) {
        await bench.state.revoke({ id: String(at), selector, until: end }, "operator");
      }
      const kept = async () => {
        await bench.state.sweep();
        return (await bench.state.revocationsAfter(0, 99)).revocations.map(({ selector }) => selector);
      };
      const all = ends.map(([selector]) => selector);
      bench.now = until + 24 * 60 * 60_000 - 1;
      expect(await kept()).toEqual(all);
      bench.now += 1;
      expect(await kept()).toEqual(all.slice(2));
      bench.now *= 2;
      expect(await kept()).toEqual(all.slice(2));
    });

    test("stores tokens and failures", async ({ state }) => {
      const token = { id: "t", hash: "h", label: "a", scopes: ["links:read"], createdAt: BEGIN };
      await state.addToken(token, "operator");
      expect((await state.findToken("h"))?.scopes).toEqual(["links:read"]);
      expect([await state.revokeToken("t", "operator"), await state.revokeToken("t", "operator")]).toEqual([
        true,
        false,
      ]);
      expect(await state.findToken("h")).toBe(undefined);
      expect((await state.listTokens()).length).toBe(1);
      const failure = { address: "a", link: "l", windowMs: 1000, most: 2 };
      await state.recordFailure(failure);
      expect((await state.recordFailure({ ...failure, address: "b" })).byLink).toBe(2);
      const counts = () => state.recordFailure({ ...failure, most: 0 });
      expect(await counts()).toEqual({ byAddress: 1, byLink: 2, lastByLink: BEGIN });
      const atOnce = await Promise.all(Array.from({ length: 4 }, () => state.recordFailure(failure)));
      expect(atOnce.map(({ at }) => at).sort()).toEqual([BEGIN, undefined, undefined, undefined]);
      await state.forgetFailure({ address: "a", link: "l", at: BEGIN });
      expect((await counts()).byAddress).toBe(1);
      for (let at = 0; at < 8; at++) await state.recordFailure({ ...failure, address: `c${at}` });
      const paced: unknown[] = [];
      for (const address of ["d", "d", "e"]) paced.push((await state.recordFailure({ ...failure, address })).at);
      expect(paced).toEqual([BEGIN + 1000, undefined, BEGIN + 2000]);
    });

    test("records decisions without a gap, and queues notifications of webhooks", async (bench) => {
      const { state } = bench;
      const webhook = { id: "w", url: "https://example.com/", owner: "operator", createdAt: BEGIN };
      await state.addWebhook({ ...webhook, events: ["delivery.started", "link.limit_reached"] }, "operator");
      await state.createLink(LINK, [variantOf("v", { max: 1, maxBytes: undefined })]);
      await Promise.all(["1", "2"].map((at) => state.deliver("v", claim(at, `s${at}`))));
      await state.deliver("v", claim("1", "s1"));
      await state.claimUse({ kid: "k", grantId: "g", uses: 1, until: BEGIN + 10 });
      const [writer] = await state.auditWriters();
      const name = writer?.writer ?? "";
      const rows = await state.auditRecords({ writer: name, after: 0, limit: 99 });
      expect(rows.map(({ sequence }) => sequence)).toEqual(rows.map((_, at) => at + 1));
      const actions = rows.map(({ record }) => JSON.parse(record)).map(({ action, result }) => `${action} ${result}`);
      const started = ["delivery.started ok", "delivery.started used-up"];
      expect(actions).toEqual(["webhook.created ok", "link.created ok", ...started, "use.claimed ok"]);
      const head = { writer: name, first: 1, last: 5, head: "{}", signature: "s", leaves: "l" };
      expect([await state.addHead(head), await state.addHead({ ...head, last: 4 })]).toEqual([true, false]);
      const [{ leaves: _leaves, ...latest }] = [head];
      expect((await state.auditWriters())[0]).toEqual({ writer: name, last: 5, head: latest });
      expect(await state.auditHeads({ writer: name, after: 0, limit: 9 })).toEqual([head]);
      await state.cutAudit(name, 4, "operator");
      expect((await state.auditRecords({ writer: name, after: 0, limit: 9 })).map(({ sequence }) => sequence)).toEqual([
        5, 6,
      ]);

      const [first, ...others] = await state.takeNotifications(9, 1000);
      expect([first?.body.includes("delivery.started"), others.length]).toEqual([true, 0]);
      expect(await state.takeNotifications(9, 1000)).toEqual([]);
      await state.settleNotification(first?.id ?? 0, { sent: true });
      const [second] = await state.takeNotifications(9, 1000);
      await state.settleNotification(second?.id ?? 0, { sent: false, error: "refused", retryInMs: 10 });
      bench.now += 10;
      const [again] = await state.takeNotifications(9, 1000);
      expect([again?.id, again?.failures, again?.error, again?.url]).toEqual([second?.id, 1, "refused", webhook.url]);
      await state.settleNotification(second?.id ?? 0, { sent: false, error: "gone" });
      expect(await state.outboxDepth()).toEqual({ waiting: 0, dead: 1 });
      expect((await state.listDeadLetters(0, 9)).map(({ error }) => error)).toEqual(["gone"]);
      expect(await state.resendDeadLetters({ webhook: "w" })).toBe(1);
      expect([await state.removeWebhook("w", "operator"), await state.removeWebhook("w", "operator")]).toEqual([
        true,
        false,
      ]);
      expect(await state.outboxDepth()).toEqual({ waiting: 0, dead: 0 });
      const [before] = await state.auditWriters();
      await state.record({ action: "admin.call", by: "operator", result: "ok" });
      expect((await state.auditWriters())[0]?.last).toBe((before?.last ?? 0) + 1);
    });

    test("keeps secrets, and suspends counted links if it does not know the last run", async ({ state }) => {
      const [one, two] = await Promise.all([state.secret("links"), state.secret("links")]);
      expect([one.length, two]).toEqual([32, one]);
      await state.createLink(LINK, [variantOf("v", { max: 1, maxBytes: undefined })]);
      const { run } = await state.beginRun(undefined);
      const next = await state.beginRun(run);
      expect(next.suspended).toBe(0);
      expect((await state.beginRun(run)).suspended).toBe(1);
      expect(outcome(await state.deliver("v", claim("1")))).toBe("suspended");
    });

    it("calls each method that every engine has", async () => {
      // Where a backup is written to, each engine decides.
      const expected = Object.entries(methods).filter(([method, { of }]) => of === "engines" && method !== "backup");
      expect(expected.filter(([method]) => !called.has(method))).toEqual([]);
    });
  });
}
