import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { AuditEntry } from "../../src/state/contract/audit.ts";
import { macChecker } from "../../src/state/contract/commit-mac.ts";
import { type Command, LEASE, START_WITHIN } from "../../src/state/contract/deliveries.ts";
import type { NotificationType } from "../../src/state/contract/events.ts";
import type { Link } from "../../src/state/contract/fields.ts";
import type { Notification, Webhook } from "../../src/state/contract/outbox.ts";
import type { State } from "../../src/state/contract/state.ts";

export const BEGIN = Date.parse("2026-12-01T00:00:00Z");
const DAY = 24 * LEASE;
const SIZE = 1000;
const OBJECT = { etag: "e1", size: SIZE };
export const COUNTERS = { used: 0, givenBack: 0, held: 0, started: 0, completed: 0, maxBytes: undefined };

export const LINK: Link = {
  id: "link1",
  public: false,
  kind: "object",
  bucket: "media",
  key: "a",
  label: "a label",
  owner: "operator",
  createdAt: BEGIN,
  version: 1,
  startsAt: BEGIN,
  expiresAt: BEGIN + 7 * DAY,
  networks: [],
  preview: true,
  follow: false,
  revokedAt: undefined,
  suspended: undefined,
};

const HOOK = { id: "w", url: "https://w.example/", owner: "operator", createdAt: BEGIN, link: undefined };

/** The key of the MACs that every engine of this contract is opened with. */
export const MAC_KEY: Uint8Array = randomBytes(32);

/** A state for one test, with the clock that the test sets. */
export interface OpenedState {
  readonly state: State;
  readonly writer: string;
  now: number;
  close(): Promise<void>;
}

type Facts = Omit<AuditEntry, "by" | "action"> & { action: string; time: string; salt: string };

/** What every engine must do with records, heads and notifications. */
export function auditContract(engine: string, open: (begin: number) => Promise<OpenedState>): void {
  async function withState(work: (opened: OpenedState) => Promise<void>): Promise<void> {
    const opened = await open(BEGIN);
    await opened.state.createLink(LINK, [{ id: "v1", link: "link1", name: "Ann", max: 2, ...COUNTERS }]);
    await work(opened).finally(() => opened.close());
  }
  const recordsOf = async ({ state, writer }: OpenedState, after = 0): Promise<readonly Facts[]> =>
    (await state.auditRecords({ writer, after, limit: 1000 })).map(({ record }) => JSON.parse(record));
  const claim = (n: number, isStarted = false): Command => {
    const start = isStarted ? { attempt: `s${n}`, length: SIZE, object: OBJECT, target: "media/a" } : undefined;
    return { type: "claim", claim: `c${n}`, token: `t${n}`, address: `192.0.2.${n}`, start };
  };

  describe(`the records of ${engine}`, () => {
    it("have one entry for each decision, with its facts and its own salt", () =>
      withState(async (opened) => {
        const { state } = opened;
        await state.deliver("v1", claim(1));
        await state.deliver("v1", { type: "start", token: "t1", attempt: "s1", length: SIZE, object: OBJECT });
        await state.deliver("v1", { type: "settle", token: "t1", attempt: "s1", sent: SIZE, from: 0 });
        await state.deliver("v1", claim(2, true));
        await state.deliver("v1", { type: "settle", token: "t2", attempt: "s2", sent: 10, from: 0 });
        await state.deliver("v1", claim(2, true));
        await state.deliver("v1", claim(3));
        await state.giveBack("v1", 1, "token:x");
        await state.updateLink("link1", 1, { expiresAt: LINK.expiresAt + 1 }, "operator");
        await state.updateLink("link1", 2, { revokedAt: BEGIN }, "operator");
        await state.updateLink("link1", 2, { label: "lost" }, "operator");
        await state.updateLink("link1", 3, { revokedAt: null }, "operator");
        await state.updateLink("link1", 4, { label: null, note: "n" }, "operator");
        await state.revoke({ id: "r1", selector: { kind: "key", id: "k" } }, "operator");
        await state.revoke({ id: "r2", selector: { kind: "key", id: "k" } }, "operator");
        await state.lift("r1", "operator");
        await state.addToken({ id: "tok", hash: "h", scopes: ["links:read"], createdAt: BEGIN }, "operator");
        await state.revokeToken("tok", "operator");
        await state.claimUse({ kid: "k", grantId: "g", uses: 1, until: BEGIN + DAY });
        await state.claimUse({ kid: "k", grantId: "g", uses: 1, until: BEGIN + DAY });
        await state.record({ action: "link.opened", by: "holder", result: "wrong-password", link: "link1" });
        await state.record({ action: "admin.call", by: "token:x", result: "TOKEN_SCOPE", detail: "GET /tokens" });
        await state.record({ action: "link.viewed", by: "holder", result: "ok", link: "link1" });
        const records = await recordsOf(opened);
        expect(
          records.map(({ action, result, bytes }) => [action, result, ...(bytes === undefined ? [] : [bytes])]),
        ).toEqual([
          ["link.created", "ok"],
          ["delivery.claimed", "ok"],
          ["delivery.started", "ok", SIZE],
          ["delivery.completed", "ok", SIZE],
          ["delivery.started", "ok", SIZE],
          ["delivery.failed", "interrupted", 10],
          ["delivery.continued", "ok", SIZE],
          ["delivery.claimed", "used-up"],
          ["link.given-back", "ok"],
          ["link.extended", "ok"],
          ["link.revoked", "ok"],
          ["link.restored", "ok"],
          ["link.edited", "ok"],
          ["revocation.added", "ok"],
          ["revocation.lifted", "ok"],
          ["token.created", "ok"],
          ["token.revoked", "ok"],
          ["use.claimed", "ok"],
          ["use.claimed", "used-up"],
          ["link.opened", "wrong-password"],
          ["admin.call", "TOKEN_SCOPE"],
        ]);
        expect(records[4]).toMatchObject({
          ...{ time: "2026-12-01T00:00:00.000Z", by: "holder", link: "link1", recipient: "Ann", delivery: "t2" },
          ...{ target: "media/a", address: "192.0.2.2" },
        });
        expect(new Set(records.map(({ salt }) => salt)).size).toBe(records.length);
        expect(records.every(({ salt }) => Buffer.from(salt, "base64url").length === 16)).toBe(true);
      }));

    it("are numbered from 1 without a gap, also when many are committed at once and some work fails", () =>
      withState(async (opened) => {
        const { state, writer } = opened;
        const link = (n: number): Link => ({ ...LINK, id: `l${n % 10}` });
        const tries = Array.from({ length: 50 }, (_, n) =>
          state.createLink(link(n), [{ id: `l${n % 10}`, link: `l${n % 10}`, ...COUNTERS, max: undefined }]),
        );
        await Promise.allSettled(tries);
        await state.record({ action: "admin.call", by: "operator", result: "ok" });
        const records = await state.auditRecords({ writer, after: 0, limit: 1000 });
        expect(records.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 12 }, (_, n) => n + 1));
        expect(await state.auditWriters()).toEqual([{ writer, last: 12, head: undefined }]);
        expect((await state.auditRecords({ writer, after: 10, limit: 1 })).map(({ sequence }) => sequence)).toEqual([
          11,
        ]);
      }));

    it("carry one MAC for each commit, over its records and the MAC before it, also when many are committed at once", () =>
      withState(async ({ state, writer }) => {
        const revoke = (n: number) => state.revoke({ id: `r${n}`, selector: { kind: "key", id: `k${n}` } }, "operator");
        await Promise.all(Array.from({ length: 20 }, (_, n) => revoke(n)));
        await Promise.all(Array.from({ length: 20 }, (_, n) => state.deliver("v1", claim(n))));
        await state.sweep();
        const records = await state.auditRecords({ writer, after: 0, limit: 1000 });
        const isAccepted = (all: typeof records) => {
          const { accepts } = macChecker(MAC_KEY, writer);
          return all.map(accepts).every(Boolean);
        };
        expect([records.at(-1)?.mac, isAccepted(records)]).toEqual([expect.any(String), true]);
        const marked = records.flatMap(({ mac }, at) => (mac === undefined ? [] : [at]));
        for (const at of marked) expect(isAccepted(records.toSpliced(at, 1))).toBe(at === records.length - 1);
      }));

    it("hold at most 60 refusals of a link and client in a minute, then say how many were dropped", () =>
      withState(async (opened) => {
        const { state } = opened;
        await state.addWebhook({ ...HOOK, events: ["link.limit_reached"] }, "operator");
        const refuse = (address = "192.0.2.1") =>
          state.record({ action: "delivery.started", by: "holder", result: "used-up", link: "link1", address });
        for (let n = 0; n < 70; n++) await refuse();
        await refuse("192.0.2.2");
        opened.now += 60_000;
        await refuse();
        const records = await recordsOf(opened, 2);
        expect([records.length, records.at(-2)?.address, records.at(-1)?.detail]).toEqual([
          62,
          "192.0.2.2",
          "10 more refusals before this minute were not recorded",
        ]);
        expect(await state.outboxDepth()).toEqual({ waiting: 1, dead: 0 });
        opened.now += 3_600_000;
        await refuse();
        expect(await state.outboxDepth()).toEqual({ waiting: 2, dead: 0 });
      }));

    it("say when claims lapse, leases end and a restored state suspends links", () =>
      withState(async (opened) => {
        const { state } = opened;
        await state.deliver("v1", claim(1));
        await state.deliver("v1", claim(2, true));
        opened.now += START_WITHIN;
        await state.deliver("v1", claim(3));
        opened.now += 2 * LEASE;
        await state.sweep();
        await state.beginRun(undefined);
        await state.beginRun("another run");
        expect((await recordsOf(opened, 3)).map(({ action, delivery }) => [action, delivery])).toEqual([
          ["delivery.lapsed", "t1"],
          ["delivery.claimed", "t3"],
          ["delivery.lapsed", "t3"],
          ["delivery.ended", "t2"],
          ["state.restored", undefined],
        ]);
      }));

    it("are cut at a head, which stays, and the cut is recorded", () =>
      withState(async (opened) => {
        const { state, writer } = opened;
        for (let n = 0; n < 5; n++) await state.record({ action: "admin.call", by: "operator", result: "ok" });
        const head = (first: number, last: number) => ({
          writer,
          first,
          last,
          head: `{"last":${last}}`,
          signature: "s",
          leaves: "l",
        });
        expect(await state.addHead(head(1, 2))).toBe(true);
        expect(await state.addHead(head(1, 2))).toBe(false);
        expect(await state.addHead(head(2, 3))).toBe(false);
        expect(await state.addHead(head(3, 4))).toBe(true);
        await state.cutAudit(writer, 4, "operator");
        expect(await state.auditHeads({ writer, after: 0, limit: 10 })).toEqual([head(3, 4)]);
        const left = await state.auditRecords({ writer, after: 0, limit: 10 });
        expect(left.map(({ sequence }) => sequence)).toEqual([5, 6, 7]);
        expect((await recordsOf(opened)).at(-1)).toMatchObject({ action: "audit.cut", subject: writer, detail: "4" });
        const { leaves: _, ...latest } = head(3, 4);
        expect(await state.auditWriters()).toEqual([{ writer, last: 7, head: latest }]);
      }));
  });

  describe(`the outbox of ${engine}`, () => {
    const webhook = (id: string, events: readonly NotificationType[], more: Partial<Webhook> = {}): Webhook => ({
      ...{ id, url: `https://${id}.example/`, events, owner: "operator", createdAt: BEGIN, link: undefined },
      ...more,
    });
    const typesOf = (sent: readonly Notification[]): string[] => sent.map(({ body }) => JSON.parse(body).type);
    const EVENTS: readonly NotificationType[] = ["delivery.started", "delivery.completed", "link.limit_reached"];

    it("queues what its webhooks want to hear, for their own links only", () =>
      withState(async ({ state }) => {
        await state.addWebhook(webhook("all", EVENTS), "operator");
        await state.addWebhook(webhook("owner", EVENTS, { owner: "token:x" }), "operator");
        await state.addWebhook(webhook("one", ["link.viewed"], { link: "link1" }), "operator");
        await state.addWebhook(webhook("none", EVENTS, { link: "link2" }), "operator");
        await state.deliver("v1", claim(1, true));
        await state.record({ action: "link.viewed", by: "holder", result: "ok", link: "link1" });
        const sent = await state.takeNotifications(10, 1000);
        expect(sent.map((one) => one.webhook)).toEqual(["all", "one"]);
        expect(JSON.parse(sent[0]?.body ?? "")).toEqual({
          type: "delivery.started",
          timestamp: "2026-12-01T00:00:00.000Z",
          data: {
            ...{ link: "link1", label: "a label", target: "media/a", recipient: "Ann", delivery: "t1" },
            ...{ bytes: SIZE, address: "192.0.2.1", result: "ok" },
          },
        });
        expect(await state.listWebhooks()).toHaveLength(4);
        expect(await state.removeWebhook("all", "operator")).toBe(true);
        expect(await state.removeWebhook("all", "operator")).toBe(false);
        expect(await state.outboxDepth()).toEqual({ waiting: 1, dead: 0 });
      }));

    it("hands out the notifications of a link one by one, delays failures, and keeps dead letters until they are sent again", () =>
      withState(async (opened) => {
        const { state } = opened;
        await state.addWebhook(webhook("all", EVENTS), "operator");
        await state.deliver("v1", claim(1, true));
        await state.deliver("v1", { type: "settle", token: "t1", attempt: "s1", sent: SIZE, from: 0 });
        const take = () => state.takeNotifications(10, 1000);
        const [first] = await take();
        expect(await take()).toEqual([]);
        opened.now += 1000;
        expect(await take()).toEqual([first]);
        await state.settleNotification(first?.id ?? 0, { sent: false, error: "refused", retryInMs: 5000 });
        opened.now += 4999;
        expect(await take()).toEqual([]);
        opened.now += 1;
        expect(await take()).toEqual([{ ...first, failures: 1, error: "refused" }]);
        await state.settleNotification(first?.id ?? 0, { sent: false, error: "gone" });
        const second = await take();
        expect(typesOf(second)).toEqual(["delivery.completed"]);
        await state.settleNotification(second[0]?.id ?? 0, { sent: true });
        const dead = await state.listDeadLetters(0, 10);
        expect(dead).toEqual([{ ...first, failures: 2, error: "gone" }]);
        expect(await state.outboxDepth()).toEqual({ waiting: 0, dead: 1 });
        expect(await state.resendDeadLetters({ webhook: "all" })).toBe(1);
        expect(await state.resendDeadLetters({ id: first?.id ?? 0 })).toBe(0);
        expect(typesOf(await take())).toEqual(["delivery.started"]);
      }));

    it("hands out a share of each webhook, and none of what its process already sends", () =>
      withState(async ({ state }) => {
        for (const id of ["busy", "full", "free"]) await state.addWebhook(webhook(id, ["link.viewed"]), "operator");
        const links = ["link1", "link2", "link3"];
        for (const id of links.slice(1))
          await state.createLink({ ...LINK, id }, [{ id, link: id, max: undefined, ...COUNTERS }]);
        for (const link of links) await state.record({ action: "link.viewed", by: "holder", result: "ok", link });
        const take = (limit: number) =>
          state.takeNotifications(limit, 1000, { each: 2, sending: { busy: 1, full: 2, gone: 5 } });
        const taken = (await take(9)).map((one) => one.webhook).sort();
        expect(taken).toEqual(["busy", "free", "free"]);
        expect((await take(1)).length).toBe(1);
      }));

    it("announces once that a link is about to expire", () =>
      withState(async (opened) => {
        const { state } = opened;
        await state.addWebhook(webhook("all", ["link.expiring"]), "operator");
        opened.now = LINK.expiresAt - DAY;
        await state.sweep();
        await state.sweep();
        expect(await state.outboxDepth()).toEqual({ waiting: 1, dead: 0 });
      }));
  });
}
