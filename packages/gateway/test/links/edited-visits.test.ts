import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LinkRequest } from "../../src/links/create-link.ts";
import { openRoutes } from "../../src/upstream/index.ts";
import { adminCalls } from "./admin-calls.ts";
import { BROWSER, claimKeyIn, linkBench } from "./link-bench.ts";

let upstream: Server;
beforeAll(async () => {
  upstream = createServer((_, response) => response.end("0123456789".repeat(100))).listen(0, "127.0.0.1");
  await once(upstream, "listening");
});
afterAll(() => void upstream.close());

const bench = linkBench(undefined, (origin) => ({
  routes: openRoutes([
    { origin, prefix: "/app/", upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}` },
  ]),
}));

/** Opens a link by its button, and returns what shows that this browser did. */
async function visit(path: string, password?: string): Promise<string> {
  const first = await bench.get(path, { headers: BROWSER });
  const page = password === undefined ? first : await bench.press(path, { password });
  const text = await page.text();
  const proof = /name="proof" value="([^"]+)"/.exec(text)?.[1];
  const pressed = await bench.press(path, { claim: claimKeyIn(text), ...(proof === undefined ? {} : { proof }) });
  const cookies = pressed.headers.getSetCookie().map((cookie) => cookie.split(";")[0] ?? "");
  return cookies.filter((cookie) => cookie.startsWith("dp-visit")).join("; ");
}

const places = () => [{ origin: bench.url, prefix: "/app/", countsBytes: true }];

const edit = (id: string, body: object) =>
  adminCalls(bench, { places })(`/links/${id}`, { method: "PATCH", body, headers: { "if-match": "*" } }, true);

async function routeVisit(more: Partial<LinkRequest> = {}) {
  const request = { kind: "route", bucket: `route:${bench.url}`, key: "app/album/", ...more } as const;
  const { link, variant } = await bench.make(request);
  const cookie = await visit(`/-/daypass/l/${variant.id}`, more.password);
  const open = async () => (await bench.get("/app/album/a", { headers: { cookie } })).status;
  expect(await open()).toBe(200);
  return { id: link.id, open };
}

describe("a running visit to a route", () => {
  it.each<readonly [what: string, before: Partial<LinkRequest>, change: () => object, status: number]>([
    ["networks that exclude the visitor", {}, () => ({ networks: ["192.0.2.0/24"] }), 410],
    ["an expiry that has passed", {}, () => ({ expiresAt: new Date(bench.now + 1000).toISOString() }), 410],
    ["a start in the future", {}, () => ({ startsAt: new Date(bench.now + 60_000).toISOString() }), 410],
    ["another password", { password: "old" }, () => ({ password: "new" }), 410],
    ["a first password", {}, () => ({ password: "new" }), 410],
    ["another label", {}, () => ({ label: "Album" }), 200],
    ["networks that include the visitor", {}, () => ({ networks: ["127.0.0.0/8"] }), 200],
  ])("obeys an edit: %s", async (_, before, change, status) => {
    const { id, open } = await routeVisit(before);
    expect((await edit(id, change())).status).toBe(200);
    bench.now += 2000;
    expect(await open()).toBe(status);
  });

  it("is charged to a limit of bytes that an edit set", async () => {
    const { id, open } = await routeVisit();
    await edit(id, { maxBytes: 2500 });
    expect([await open(), await open(), await open()]).toEqual([200, 200, 410]);
  });

  it("obeys an edit that another process stored", async () => {
    const { id, open } = await routeVisit();
    const apply = bench.links.apply;
    Object.assign(bench.links, { apply: () => undefined });
    await edit(id, { networks: ["192.0.2.0/24"] });
    Object.assign(bench.links, { apply });
    await bench.links.catchUp();
    expect(await open()).toBe(410);
  });

  it("does not outlive an edit by its renewal", async () => {
    const { id, open } = await routeVisit();
    await edit(id, { password: "new" });
    for (let minute = 0; minute < 3; minute++) {
      bench.now += 61_000;
      await bench.links.catchUp();
      expect(await open()).toBe(410);
    }
  });
});

it("does not list the rules of edits among the revocations", async () => {
  const { id } = await routeVisit();
  await edit(id, { networks: ["192.0.2.0/24"] });
  expect((await adminCalls(bench)("/revocations", {}, true)).body.items).toEqual([]);
});

it("asks the visitor of a folder for the password after it was changed", async () => {
  const { link, variant } = await bench.make({ kind: "prefix", key: "holiday/", maxDeliveries: 2, password: "old" });
  const path = `/l/${variant.id}`;
  const cookie = await visit(path, "old");
  const open = async () => (await bench.get(`${path}/`, { headers: { ...BROWSER, cookie } })).text();
  expect(await open()).toContain("<bdi>day 2</bdi>");
  bench.now += 1000;
  await edit(link.id, { password: "new" });
  expect(await open()).not.toContain("<bdi>day 2</bdi>");
});
