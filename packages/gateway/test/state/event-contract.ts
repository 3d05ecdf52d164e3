import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type Command, LEASE } from "../../src/state/contract/deliveries.ts";
import {
  type AuditAction,
  auditActions,
  type NotificationType,
  notificationEvents,
  notificationTypes,
} from "../../src/state/contract/events.ts";
import type { State } from "../../src/state/contract/state.ts";
import { BEGIN, COUNTERS, LINK, type OpenedState } from "./audit-contract.ts";

const SIZE = 1000;
const DAY = 24 * LEASE;

/** Makes an engine add one event. Each has a link and its own tokens, and a clock that it may set. */
type Trigger = (opened: OpenedState, id: string) => Promise<unknown>;

const claimOf = (id: string, start?: object): Command => {
  const attempt = { attempt: `s-${id}`, length: SIZE, object: { etag: "e1", size: SIZE }, target: "media/a" };
  return { type: "claim", claim: id, token: `t-${id}`, address: "192.0.2.1", start: start && { ...attempt, ...start } };
};
const claim = ({ state }: OpenedState, id: string): Promise<unknown> => state.deliver(id, claimOf(id));
const start = ({ state }: OpenedState, id: string): Promise<unknown> => state.deliver(id, claimOf(id, {}));
const settle = async (opened: OpenedState, id: string, sent: number): Promise<unknown> => {
  await start(opened, id);
  return opened.state.deliver(id, { type: "settle", token: `t-${id}`, attempt: `s-${id}`, sent, from: 0 });
};
const edit =
  (...changes: readonly Parameters<State["updateLink"]>[2][]): Trigger =>
  async ({ state }, id) => {
    for (const [at, change] of changes.entries()) await state.updateLink(id, at + 1, change, "operator");
  };
const record =
  (action: AuditAction, result = "ok"): Trigger =>
  ({ state }, link) =>
    state.record({ action, by: "holder", result, link });
const webhook = (id: string) => ({ id, url: "https://w.example/", owner: "operator", createdAt: BEGIN });
const token = (id: string) => ({ id, hash: id, scopes: ["links:read"], createdAt: BEGIN });

/** One for each row of both tables: an event without a trigger does not compile. */
const triggers: Readonly<Record<AuditAction | NotificationType, Trigger>> = {
  "link.created": async () => undefined,
  "link.edited": edit({ label: "new" }),
  "link.extended": (opened, id) => edit({ expiresAt: opened.now + 8 * DAY })(opened, id),
  "link.revoked": edit({ revokedAt: BEGIN }),
  "link.restored": edit({ revokedAt: BEGIN }, { revokedAt: null }),
  "link.suspended": edit({ suspended: "restored" }),
  "link.resumed": edit({ suspended: "restored" }, { suspended: null }),
  "link.given-back": ({ state }, id) => state.giveBack(id, 1, "operator"),
  "link.opened": record("link.opened", "network"),
  "link.read": record("link.read"),
  "link.viewed": record("link.viewed"),
  "link.expiring"(opened) {
    opened.now += 6 * DAY;
    return opened.state.sweep();
  },
  "link.limit_reached": record("link.opened", "used-up"),
  "link.file_changed": record("link.opened", "changed"),
  "proof.failed": record("proof.failed"),
  "delivery.claimed": claim,
  "delivery.started": start,
  async "delivery.continued"(opened, id) {
    await start(opened, id);
    return opened.state.deliver(id, claimOf(id, { attempt: "again" }));
  },
  async "delivery.reserved"(opened, id) {
    await start(opened, id);
    return opened.state.deliver(id, { type: "reserve", token: `t-${id}`, attempt: `s-${id}`, bytes: 10 });
  },
  "delivery.completed": (opened, id) => settle(opened, id, SIZE),
  "delivery.failed": (opened, id) => settle(opened, id, 10),
  async "delivery.lapsed"(opened, id) {
    await claim(opened, id);
    opened.now += DAY;
    return opened.state.sweep();
  },
  async "delivery.ended"(opened, id) {
    await start(opened, id);
    opened.now += DAY;
    return opened.state.sweep();
  },
  "use.claimed": ({ state }) => state.claimUse({ kid: "k", grantId: "g", uses: 1, until: BEGIN + DAY }),
  "revocation.added": ({ state }, id) => state.revoke({ id, selector: { kind: "key", id } }, "operator"),
  async "revocation.lifted"({ state }, id) {
    await state.revoke({ id, selector: { kind: "key", id } }, "operator");
    return state.lift(id, "operator");
  },
  "token.created": ({ state }, id) => state.addToken(token(id), "operator"),
  async "token.revoked"({ state }, id) {
    await state.addToken(token(id), "operator");
    return state.revokeToken(id, "operator");
  },
  "key.created": record("key.created"),
  "key.revoked": record("key.revoked"),
  "webhook.created": ({ state }, id) => state.addWebhook({ ...webhook(id), events: ["link.viewed"] }, "operator"),
  async "webhook.removed"({ state }, id) {
    await state.addWebhook({ ...webhook(id), events: ["link.viewed"] }, "operator");
    return state.removeWebhook(id, "operator");
  },
  "admin.call": record("admin.call"),
  async "audit.cut"({ state, writer }) {
    await state.addHead({ writer, first: 1, last: 1, head: "{}", signature: "s", leaves: "l" });
    return state.cutAudit(writer, 1, "operator");
  },
  "audit.accepted": record("audit.accepted"),
  "audit.rotated": record("audit.rotated"),
  async "state.restored"({ state }) {
    await state.beginRun(undefined);
    return state.beginRun("another run");
  },
};

/** The rows of both tables that an engine does not add when their trigger runs. */
export async function missingEvents(opened: OpenedState): Promise<readonly string[]> {
  const { state, writer } = opened;
  let after = 0;
  const records = async (): Promise<readonly string[]> => {
    const added = await state.auditRecords({ writer, after, limit: 1000 });
    after = added.at(-1)?.sequence ?? after;
    return added.map(({ record }) => JSON.parse(record).action);
  };
  const notifications = async (): Promise<readonly string[]> => {
    const due = await state.takeNotifications(100, 1000);
    for (const { id } of due) await state.settleNotification(id, { sent: true });
    const types = due.map(({ body }) => JSON.parse(body).type);
    return due.length === 0 ? [] : [...types, ...(await notifications())];
  };
  await state.addWebhook({ ...webhook("all"), events: notificationTypes }, "operator");
  const missing: string[] = [];
  for (const [name, trigger] of Object.entries(triggers)) {
    await records();
    await notifications();
    const id = `link-${name}`;
    const link = { ...LINK, id, createdAt: opened.now, startsAt: opened.now, expiresAt: opened.now + 7 * DAY };
    await state.createLink(link, [{ ...COUNTERS, id, link: id, name: "Ann", max: 2, maxBytes: 5000 }]);
    await trigger(opened, id);
    const action = Object.entries(auditActions).find(([one]) => one === name)?.[1];
    if (action?.isRecorded && !(await records()).includes(name)) missing.push(`record ${name}`);
    if (Object.hasOwn(notificationEvents, name) && !(await notifications()).includes(name))
      missing.push(`notification ${name}`);
  }
  return missing;
}

/**
 * Actions that one engine adds by itself and another does not, and actions that no source adds, by the texts: without PostgreSQL, no other test
 * knows what its engine adds.
 */
export function forgottenActions(sources: string): readonly string[] {
  const files = readdirSync(sources, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const texts = files.map((name) => [name, readFileSync(join(sources, name), "utf8")] as const);
  const adds = (action: string, folder: string): boolean =>
    texts.some(
      ([name, text]) => name.startsWith(folder) && !name.endsWith("events.ts") && text.includes(`"${action}"`),
    );
  return Object.keys(auditActions).filter(
    (action) => !adds(action, "") || adds(action, "state/sqlite/") !== adds(action, "state/postgres/"),
  );
}

/** The lines of the table in docs/guide/webhooks.md. */
export function eventLines(): readonly string[] {
  return Object.entries(notificationEvents).map(([type, row]) => {
    const sent =
      "sent" in row
        ? { "by default": "; announced by default", hourly: "; at most once an hour for a link" }[row.sent]
        : "";
    return `| \`${type}\` | ${row.when}${sent} |`;
  });
}

export function eventContract(engine: string, open: (begin: number) => Promise<OpenedState>): void {
  it(`${engine} adds every action and every notification when it is triggered`, async () => {
    const opened = await open(BEGIN);
    expect(await missingEvents(opened).finally(() => opened.close())).toEqual([]);
  });
}
