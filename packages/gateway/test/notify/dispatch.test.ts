import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Dispatcher, dispatcher, targetGuard, webhookSecret } from "../../src/notify/index.ts";
import type { NotificationType } from "../../src/state/contract/events.ts";
import type { State } from "../../src/state/contract/state.ts";
import { sqliteState } from "../../src/state/sqlite/index.ts";

const KEY = new Uint8Array(32).fill(7);
const EVENTS: readonly NotificationType[] = ["link.viewed"];
let folder: string;
let now: number;
let state: State;
let sender: Dispatcher;
let ends: (() => void)[];

interface Received {
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
  readonly url: string | undefined;
}

/** A receiver that answers as told, and keeps what it got. */
async function receiver(answer: (response: ServerResponse, count: number) => void, host = "127.0.0.1") {
  const got: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    got.push({ body, headers: request.headers, url: request.url });
    answer(response, got.length);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  ends.push(() => server.close().closeAllConnections());
  return { got, url: `http://${host}:${(server.address() as AddressInfo).port}/hook` };
}
const accept = (response: ServerResponse): void => void response.writeHead(204).end();

const open = () => sqliteState({ path: join(folder, "state.db"), clock: () => new Date(now) });
const serve = (resolve?: Parameters<typeof targetGuard>[0]["resolve"]): Dispatcher => {
  const guard = targetGuard({ allowNetworks: ["127.0.0.0/8"], resolve });
  return dispatcher({ state, stateKey: KEY, guard, clock: () => new Date(now), random: () => 0 });
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "daypass-notify-"));
  // Receivers compare the time of a signature with their own clock.
  now = Date.now();
  ends = [];
  state = await open();
  for (const id of ["l1", "l2"]) await addLink(id);
  sender = serve();
});
afterEach(async () => {
  for (const end of ends) end();
  await state.close();
  rmSync(folder, { recursive: true });
});

async function addLink(id: string): Promise<void> {
  const counters = { used: 0, givenBack: 0, held: 0, started: 0, completed: 0, max: undefined, maxBytes: undefined };
  const times = { createdAt: now, startsAt: now, expiresAt: now + 1e9, revokedAt: undefined, suspended: undefined };
  const link = { public: false, kind: "object", bucket: "b", key: "k", owner: "operator", version: 1 } as const;
  const settings = { ...link, ...times, id, networks: [], preview: true, follow: false };
  await state.createLink(settings, [{ id, link: id, ...counters }]);
}
const hook = (id: string, url: string) =>
  state.addWebhook({ id, url, events: EVENTS, owner: "operator", createdAt: now }, "operator");
const view = (link: string, recipient: string) =>
  state.record({ action: "link.viewed", by: "holder", result: "ok", link, recipient });
const recipients = (got: readonly Received[]): string[] => got.map(({ body }) => JSON.parse(body).data.recipient);

it("signs notifications so that the standardwebhooks library accepts them, and no changed one", async () => {
  const { got, url } = await receiver(accept);
  await hook("w1", url);
  await view("l1", "Ann");
  expect(await sender.run()).toBe(1);
  const { body, headers } = got[0] as Received;
  const library = new Webhook(webhookSecret(KEY, "w1"));
  expect(library.verify(body, headers as Record<string, string>)).toMatchObject({
    type: "link.viewed",
    data: { link: "l1" },
  });
  expect(() => library.verify(`${body} `, headers as Record<string, string>)).toThrow();
  expect(() => new Webhook(webhookSecret(KEY, "w2")).verify(body, headers as Record<string, string>)).toThrow();
  expect(await state.outboxDepth()).toEqual({ waiting: 0, dead: 0 });
});

it("retries with a growing delay in the order of a link, while other links continue", async () => {
  const { got, url } = await receiver((response, count) => void response.writeHead(count < 3 ? 503 : 204).end());
  await hook("w1", url);
  await view("l1", "first");
  await view("l1", "second");
  expect(await sender.run()).toBe(1);
  expect(await sender.run()).toBe(0);
  now += 5000;
  expect(await sender.run()).toBe(1);
  await view("l2", "elsewhere");
  expect(await sender.run()).toBe(1);
  now += 300_000;
  expect(await sender.run()).toBe(1);
  expect(await sender.run()).toBe(1);
  expect(recipients(got)).toEqual(["first", "first", "elsewhere", "first", "second"]);
  expect(got.slice(0, 2).map(({ headers }) => headers["webhook-id"])).toEqual(
    Array(2).fill(got[3]?.headers["webhook-id"]),
  );
});

it("gives up after ten attempts, lists the dead letter, and sends it again", async () => {
  let status = 500;
  const { got, url } = await receiver((response) => void response.writeHead(status).end());
  await hook("w1", url);
  await view("l1", "Ann");
  for (let attempt = 0; attempt < 12; attempt++) {
    await sender.run();
    now += 86_400_000 * 2;
  }
  expect(got).toHaveLength(10);
  expect(await state.listDeadLetters(0, 10)).toMatchObject([{ webhook: "w1", failures: 10, error: "status 500" }]);
  status = 204;
  await state.resendDeadLetters({ webhook: "w1" });
  await sender.run();
  expect(await state.outboxDepth()).toEqual({ waiting: 0, dead: 0 });
});

it.each([
  [301, "redirects are not followed"],
  [307, "redirects are not followed"],
])("does not follow status %i to another address", async (status, text) => {
  const inside = await receiver(accept);
  const { url } = await receiver((response) => void response.writeHead(status, { location: inside.url }).end());
  await hook("w1", url);
  await view("l1", "Ann");
  await sender.run();
  expect(inside.got).toEqual([]);
  now += 5000;
  expect((await state.takeNotifications(1, 1))[0]?.error).toContain(text);
});

it("stops at once if the receiver says that it is gone", async () => {
  const { url } = await receiver((response) => void response.writeHead(410).end());
  await hook("w1", url);
  await view("l1", "Ann");
  await sender.run();
  expect(await state.outboxDepth()).toEqual({ waiting: 0, dead: 1 });
});

it("connects to the address that it checked when the name has moved to another", async () => {
  const { got, url } = await receiver(accept, "127.0.0.2");
  let asked = 0;
  // The second answer is what an attacker would give: an address inside.
  const rebinding = async () => [{ address: asked++ === 0 ? "127.0.0.2" : "127.0.0.3", family: 4 }];
  await hook("w1", url.replace("127.0.0.2", "rebinding.example"));
  await view("l1", "Ann");
  await serve(rebinding).run();
  expect([asked, got.length, got[0]?.headers.host]).toEqual([
    1,
    1,
    new URL(url).host.replace("127.0.0.2", "rebinding.example"),
  ]);
});

it("sends nothing to a name that has come to resolve to a private address", async () => {
  await hook("w1", "https://rebinding.example/");
  await view("l1", "Ann");
  await serve(async () => [{ address: "10.0.0.1", family: 4 }]).run();
  now += 5000;
  expect((await state.takeNotifications(1, 1))[0]?.error).toContain("not a public address");
});

it("sends to a receiver that answers while others hang, refuse and are slow", async () => {
  const waiting: ServerResponse[] = [];
  const hanging = await receiver(() => undefined);
  const slow = await receiver((response) => void waiting.push(response));
  const good = await receiver(accept);
  await hook("hanging", hanging.url);
  await hook("slow", slow.url);
  await hook("refusing", "http://127.0.0.1:1/");
  await hook("good", good.url);
  const links = Array.from({ length: 40 }, (_, at) => `many${at}`);
  for (const id of links) await addLink(id);
  for (const id of links) await view(id, id);
  sender.start();
  try {
    await expect.poll(() => good.got.length).toBe(40);
    // Each of both has its own share of the sockets.
    expect([hanging.got.length, slow.got.length]).toEqual([16, 16]);
    for (const response of waiting.splice(0)) accept(response);
    await expect.poll(() => slow.got.length).toBe(32);
    expect(hanging.got.length).toBe(16);
  } finally {
    for (const end of ends) end();
    await sender.close();
  }
});

it("sends what a killed process had taken, after its lease", async () => {
  const { got, url } = await receiver(accept);
  await hook("w1", url);
  await view("l1", "Ann");
  expect(await state.takeNotifications(10, 20_000)).toHaveLength(1);
  await state.close();
  state = await open();
  const next = serve();
  expect(await next.run()).toBe(0);
  now += 20_000;
  expect(await next.run()).toBe(1);
  expect(recipients(got)).toEqual(["Ann"]);
});
