import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createForwardAuth } from "../../src/forward-auth/index.ts";
import { createGateway, type KeyScope } from "../../src/index.ts";
import type { LinkRequest } from "../../src/links/create-link.ts";
import { visitCookies } from "../../src/links/visit.ts";
import { openRoutes } from "../../src/upstream/index.ts";
import { adminCalls } from "./admin-calls.ts";
import { BROWSER, claimKeyIn, linkBench, URL_KEY } from "./link-bench.ts";

let upstream: Server;
let seen: (readonly [url: string | undefined, cookie: string | undefined, grant: string | undefined])[] = [];
let scope: KeyScope | undefined = {};
const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI" };

beforeAll(async () => {
  upstream = createServer((request, response) => {
    seen.push([request.url, request.headers.cookie, String(request.headers["daypass-subject"])]);
    if (request.url?.endsWith("without-name") === true) response.setHeader("cache-control", 'private="x-name"');
    if (request.url?.endsWith("public") === true) response.setHeader("cache-control", "public, max-age=60");
    if (request.url?.endsWith("big") === true) response.write("x".repeat(700_000));
    response.end(`app ${request.method} ${request.url}`);
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
});
afterAll(() => void upstream.close());
beforeEach(() => {
  seen = [];
  scope = {};
});

const bench = linkBench(
  () => ({
    url: [URL_KEY],
    s3: (id) => (id === key.accessKeyId && scope !== undefined ? { ...key, scope } : undefined),
  }),
  (origin) => ({
    routes: openRoutes(
      [{ prefix: "/app/" }, { prefix: "/app/album/shared/", sharedCaches: true }].map((route) => ({
        ...{ origin, methods: ["GET", "POST"], cookies: true },
        upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
        ...route,
      })),
    ),
  }),
);
const places = () => [
  { origin: bench.url, prefix: "/app/", countsBytes: true },
  { origin: "https://photos.example.com", prefix: "/", countsBytes: false },
];

const make = (more: Partial<LinkRequest> = {}) =>
  bench.make({ kind: "route", bucket: `route:${bench.url}`, key: "app/album/", ...more });

it("says on the page of a visit that it lasts an hour, and nothing of a count if there is none", async () => {
  const { variant } = await make();
  const page = await (await bench.get(`/-/daypass/l/${variant.id}`, { headers: BROWSER })).text();
  expect(page).toContain("Your visit lasts for an hour and works in this browser only.");
  expect(page).not.toContain("counts once");
});

it.each([
  ["the last name of its path", "app/my%20album/", undefined, "my album"],
  ["a name whose escapes are invalid", "app/100%/", undefined, "100%"],
  ["the host for the whole host", "", undefined, ""],
  ["its label", "app/album/", "Summer", "Summer"],
])("titles the page of a visit with %s", async (_, key, label, title) => {
  const { variant } = await make({ key, label });
  const page = await (await bench.get(`/-/daypass/l/${variant.id}`, { headers: BROWSER })).text();
  expect(/<h1[^>]*>(.*?)<\/h1>/s.exec(page)?.[1]).toContain(`<bdi>${title || new URL(bench.url).host}</bdi>`);
});

/** Presses the button of a link's page, and returns the cookie. */
async function visit(id: string): Promise<{ readonly response: Response; readonly cookie: string }> {
  const path = `/-/daypass/l/${id}`;
  const page = await (await bench.get(path, { headers: BROWSER })).text();
  const response = await bench.press(path, { claim: claimKeyIn(page) });
  return { response, cookie: response.headers.get("set-cookie")?.split(";")[0] ?? "" };
}

const otherThan = (character: string): string => (character === "x" ? "y" : "x");

const get = (path: string, cookie = "") => bench.get(path, { headers: cookie === "" ? {} : { cookie } });

describe("a link to a route", () => {
  it("opens on the route's host, begins a visit at its button, and leads to the path", async () => {
    const { variant } = await make({ recipients: ["Zoë"] });
    const { response, cookie } = await visit(variant.id);
    expect([response.status, response.headers.get("location")]).toEqual([303, "/app/album/"]);
    const [set, link = ""] = response.headers.getSetCookie();
    expect(set).toMatch(
      /^dp-visit-\w{8}=[\w.-]+; Path=\/app\/album\/; Expires=Tue, 01 Dec 2026 13:00:00 GMT; HttpOnly; SameSite=Lax$/,
    );
    expect(link).toMatch(
      /^dp-link-\w{8}=\w{22}; Path=\/app\/album\/; Expires=Wed, 02 Dec 2026 13:00:00 GMT; HttpOnly; SameSite=Lax$/,
    );
    const opened = await get("/app/album/a%20b.jpg?size=2", `theme=dark; ${cookie}; ${link.split(";", 1)}`);
    expect([opened.status, await opened.text()]).toEqual([200, "app GET /app/album/a%20b.jpg?size=2"]);
    expect(seen).toEqual([["/app/album/a%20b.jpg?size=2", "theme=dark", "Zo%C3%AB"]]);
  });

  it("counts visits, and not what is opened during one", async () => {
    const { variant } = await make({ maxDeliveries: 1 });
    const { cookie } = await visit(variant.id);
    for (let at = 0; at < 5; at++) expect((await get("/app/album/", cookie)).status).toBe(200);
    const path = `/-/daypass/l/${variant.id}`;
    expect((await bench.press(path, { claim: "0123456789abcdef" })).status).toBe(410);
    const page = await bench.get(path, { headers: BROWSER });
    expect([page.status, await page.text()]).toEqual([410, expect.stringContaining("used up")]);
  });

  it("counts as opened when a visit begins, and not when its page is shown or the app answers", async () => {
    const { variant } = await make({ recipients: ["Ann"] });
    const opened = async () => {
      await bench.links.counts.flush();
      return (await bench.links.state.findLink(variant.id))?.variant.opened;
    };
    await bench.get(`/-/daypass/l/${variant.id}`, { headers: BROWSER });
    expect(await opened()).toBe(undefined);
    const { cookie } = await visit(variant.id);
    bench.now += 10 * 60_000;
    await get("/app/album/", cookie);
    expect(await opened()).toBe(1);
    await visit(variant.id);
    expect(await opened()).toBe(2);
  });

  it("begins no visit at a GET, and says so to a program", async () => {
    const { variant } = await make({ maxDeliveries: 1 });
    const path = `/-/daypass/l/${variant.id}`;
    for (const headers of [{}, BROWSER])
      expect((await bench.get(path, { headers })).headers.get("set-cookie")).toBeNull();
    const told = await bench.get(path);
    expect([told.status, await told.text()]).toEqual([428, `this link opens in a browser: ${bench.url}${path}\n`]);
    const moved = await bench.get(`/l/${variant.id}`);
    expect([moved.status, moved.headers.get("location")]).toEqual([307, bench.url + path]);
    expect((await bench.links.state.getLink(variant.id))?.variants[0]?.used).toBe(0);
    expect(bench.log.join()).not.toContain(variant.id);
    expect(JSON.parse(bench.log[0] ?? "").url).toBe(`/-/daypass/l/${variant.id.slice(0, 4)}~`);
  });

  it("forwards uploads of a visit on a route that lists their method", async () => {
    const { cookie } = await visit((await make()).variant.id);
    const post = await bench.get("/app/album/", { method: "POST", body: "x", headers: { cookie } });
    expect([post.status, await post.text()]).toEqual([200, "app POST /app/album/"]);
    expect((await bench.get("/app/album/", { method: "DELETE", headers: { cookie } })).status).toBe(405);
  });

  it.each<readonly [why: string, path: string, change: (cookie: string) => string]>([
    ["without the cookie", "/app/album/", () => ""],
    ["above the path", "/app/", (cookie) => cookie],
    ["on a path with the same beginning", "/app/album", (cookie) => cookie],
    ["on a path that can be read in two ways", "/app/album/%2e%2e/", (cookie) => cookie],
    ["with an encoded slash", "/app/album/%2F", (cookie) => cookie],
    ["with an empty segment", "/app/album//a", (cookie) => cookie],
    ["with a parameter of a segment", "/app/album/;a", (cookie) => cookie],
    ["with a changed proof", "/app/album/", (cookie) => cookie.replace(/(?<=\.)./, otherThan)],
    ["with a changed content", "/app/album/", (cookie) => cookie.replace(/(?<==)./, otherThan)],
    ["with a second half of a token", "/app/album/", (cookie) => cookie.replace(/\..*/, "")],
  ])("refuses a visit %s", async (_, path, change) => {
    const { cookie } = await visit((await make()).variant.id);
    const { request } = await import("node:http");
    const message = request(bench.url, { path, headers: { host: new URL(bench.url).host, cookie: change(cookie) } });
    message.end();
    const [response] = await once(message, "response");
    response.resume();
    expect([response.statusCode, seen]).toEqual([403, []]);
  });

  it("opens by the latest visit when an earlier one to the same path was revoked", async () => {
    const first = await make();
    const before = await visit(first.variant.id);
    bench.now += 1000;
    const { cookie } = await visit((await make()).variant.id);
    const revocation = { id: "first", selector: { kind: "link", id: first.link.id } } as const;
    bench.links.apply([await bench.links.state.revoke(revocation, "operator")]);
    expect((await get("/app/album/", before.cookie)).status).toBe(403);
    expect((await get("/app/album/", `${before.cookie}; ${cookie}`)).status).toBe(200);
  });

  it("ends a visit after its hour, at revocation, and when the owner loses the right", async () => {
    const late = await visit((await make()).variant.id);
    bench.now += 59 * 60_000;
    await bench.links.catchUp();
    expect((await get("/app/album/", late.cookie)).status).toBe(200);
    bench.now += 60_000;
    expect((await get("/app/album/", late.cookie)).status).toBe(410);

    const { link, variant } = await make();
    const { cookie } = await visit(variant.id);
    bench.links.apply([
      await bench.links.state.revoke({ id: "r", selector: { kind: "link", id: link.id } }, "operator"),
    ]);
    expect((await get("/app/album/", cookie)).status).toBe(403);

    const owned = await visit((await make({ owner: `key:${key.accessKeyId}` })).variant.id);
    expect((await get("/app/album/", owned.cookie)).status).toBe(200);
    scope = { buckets: ["media"] };
    expect((await get("/app/album/", owned.cookie)).status).toBe(403);
    scope = undefined;
    expect((await get("/app/album/", owned.cookie)).status).toBe(403);
  });

  it("renews the visit of an active visitor, counts one visit, and asks the state once a minute", async () => {
    const { variant } = await make({ maxDeliveries: 1, networks: ["127.0.0.0/8", "::1/128"] });
    let { cookie } = await visit(variant.id);
    const { state } = bench.links;
    const asked: unknown[] = [];
    const deliver = state.deliver.bind(state);
    state.deliver = (...args) => {
      asked.push(args[1].type);
      return deliver(...args);
    };
    const open = async (seconds: number): Promise<readonly [status: number, isRenewed: boolean]> => {
      bench.now += seconds * 1000;
      await bench.links.catchUp();
      const { status, headers } = await get("/app/album/", cookie);
      const renewed = headers.get("set-cookie")?.split(";")[0];
      cookie = renewed ?? cookie;
      return [status, renewed !== undefined];
    };
    expect(await open(59)).toEqual([200, false]);
    expect(await open(2)).toEqual([200, true]);
    expect(await open(59)).toEqual([200, false]);
    for (let at = 0; at < 3; at++) expect(await open(50 * 60)).toEqual([200, true]);
    const old = cookie;
    bench.now += 60_000;
    const all = await Promise.all([1, 2, 3].map(() => get("/app/album/", old)));
    expect(new Set(all.map(({ headers }) => headers.get("set-cookie"))).size).toBe(1);
    expect(asked).toEqual(Array.from({ length: 5 }, () => "alive"));
    expect((await state.getLink(variant.id))?.variants[0]?.used).toBe(1);
    expect(await open(60 * 60)).toEqual([410, false]);
  });

  it.each<readonly [when: string, path: string, change: () => unknown]>([
    [
      "the link has expired",
      "/app/album/",
      () => {
        bench.now += 58 * 60_000;
        return bench.links.catchUp();
      },
    ],
    ["a cache may store the answer", "/app/album/shared/public", () => undefined],
    ["a cache may store the answer without one header", "/app/album/shared/without-name", () => undefined],
    [
      "the state fails",
      "/app/album/",
      () => Object.assign(bench.links.state, { findDelivery: () => Promise.reject(new Error("away")) }),
    ],
  ])("does not renew a visit when %s", async (_, path, change) => {
    const { variant } = await make({ expiresAt: new Date(bench.now + 30 * 60_000) });
    const { cookie } = await visit(variant.id);
    bench.now += 61_000;
    await change();
    const { status, headers } = await get(path, cookie);
    expect([status, headers.get("set-cookie")]).toEqual([200, null]);
  });

  it("allows no cache to store an answer or keep it longer than the visit, unless the route allows it", async () => {
    const { cookie } = await visit((await make()).variant.id);
    bench.now += 3_590_000;
    await bench.links.catchUp();
    const { headers } = await get("/app/album/public", cookie);
    expect(headers.get("cache-control")).toBe("private, max-age=10");
    const shared = await get("/app/album/shared/public", cookie);
    expect(shared.headers.get("cache-control")).toBe("public, max-age=60");
  });

  it("is not made longer by its claim key after the link expired", async () => {
    const { variant } = await make({ maxDeliveries: 1, expiresAt: new Date(bench.now + 90 * 60_000) });
    const path = `/-/daypass/l/${variant.id}`;
    const claim = claimKeyIn(await (await bench.get(path, { headers: BROWSER })).text());
    const again = async (): Promise<number> => {
      await bench.links.catchUp();
      const { status, headers } = await bench.press(`${path}?dl=${claim}`, { claim });
      const cookie = headers.get("set-cookie")?.split(";")[0] ?? "";
      return status === 303 ? (await get("/app/album/", cookie)).status : status;
    };
    expect(await again()).toBe(200);
    bench.now += 50 * 60_000;
    expect(await again()).toBe(200);
    bench.now += 50 * 60_000;
    expect(await again()).toBe(200);
    bench.now += 50 * 60_000;
    expect(await again()).toBe(410);
  });

  it("refuses a visit that was sealed for another origin, or from another network", async () => {
    const { seal } = visitCookies(bench.links.stateKey);
    const good = {
      ...{ link: "l", variant: "v", owner: "operator", origin: bench.url, path: "/app/", networks: [] },
      ...{ sealedAt: bench.now, startsAt: bench.now, until: bench.now + 1000 },
    };
    const statusOf = async (changes: object): Promise<number> => {
      const { name, value } = seal({ ...good, ...changes });
      return (await get("/app/", `${name}=${value}`)).status;
    };
    expect(await statusOf({})).toBe(200);
    expect(await statusOf({ origin: "https://other.example.com" })).toBe(403);
    expect(await statusOf({ networks: ["192.0.2.0/24"] })).toBe(410);
  });

  it("charges bytes to the limit of the link", async () => {
    const { variant } = await make({ maxBytes: 2_000_000 });
    const { cookie } = await visit(variant.id);
    expect((await (await get("/app/album/big", cookie)).text()).length).toBeGreaterThan(700_000);
    await expect
      .poll(async () => (await bench.links.state.getLink(variant.id))?.variants[0]?.held)
      .toBeLessThan(701_000);
    await (await get("/app/album/big", cookie)).text().catch(() => "");
    await expect(get("/app/album/big", cookie).then((response) => response.text())).rejects.toThrow();
  });
});

describe("the admin API", () => {
  it("revokes the address of one recipient, and cuts the visit that it began", async () => {
    const call = adminCalls(bench, { places });
    const made = await make({ recipients: ["Ann", "Ben"] });
    const [ann, ben] = await Promise.all(made.variants.map(({ id }) => visit(id)));
    const url = `${bench.url}/-/daypass/l/${made.variants[0]?.id}`;
    expect((await call("/revocations", { method: "POST", body: { url } }, true)).status).toBe(201);
    expect((await get("/app/album/", ann?.cookie)).status).toBe(403);
    expect((await get("/app/album/", ben?.cookie)).status).toBe(200);
  });

  it.each<readonly [target: string, status: number, stored: string | RegExp]>([
    ["route:/app/album/", 400, /several origins/],
    ["route:ORIGIN/app/album/", 201, "route:ORIGIN/app/album/"],
    ["route:/photos/", 201, "route:https://photos.example.com/photos/"],
    ["route:https://photos.example.com/app/album/", 201, "route:https://photos.example.com/app/album/"],
    ["route:https://other.example.com/", 400, /on no route/],
    ["route:/a/../b", 400, /not a target/],
    ["route:photos", 400, /not a target/],
  ])("makes a link of %s", async (target, status, stored) => {
    const own = (text: string): string => text.replace("ORIGIN", bench.url);
    const call = adminCalls(bench, { places });
    const made = await call("/links", { method: "POST", body: { target: own(target) } }, true);
    expect(made.status).toBe(status);
    if (typeof stored === "string") {
      const origin = own(stored).replace(/^route:(https?:\/\/[^/]+).*/, "$1");
      expect(made.body).toMatchObject({
        kind: "route",
        target: own(stored),
        url: `${origin}/-/daypass/l/${made.body.id}`,
      });
    } else expect(JSON.stringify(made.body)).toMatch(stored);
  });

  it.each<readonly [why: string, more: object]>([
    ["a limit of bytes that it cannot count", { maxBytes: 1 }],
    ["more networks than fit into a cookie", { networks: Array.from({ length: 21 }, (_, at) => `192.0.2.${at}`) }],
    ["a longer name than fits into a cookie", { recipients: ["x".repeat(201)] }],
  ])("refuses %s", async (_, more) => {
    const body = { target: "route:https://photos.example.com/a/", ...more };
    const made = await adminCalls(bench, { places })("/links", { method: "POST", body }, true);
    expect([made.status, made.body.detail]).toEqual([400, expect.stringContaining(Object.keys(more)[0] ?? "")]);
  });

  it("refuses an edit that adds a limit of bytes that it cannot count", async () => {
    const call = adminCalls(bench, { places });
    const made = await call(
      "/links",
      { method: "POST", body: { target: "route:https://photos.example.com/a/" } },
      true,
    );
    const edit = (body: object) =>
      call(`/links/${made.body.id}`, { method: "PATCH", body, headers: { "if-match": "*" } }, true);
    expect(await edit({ maxBytes: 1 })).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining("maxBytes") },
    });
    expect(await edit({ label: "photos", maxBytes: null })).toMatchObject({ status: 200 });
  });
});

it.each<readonly [prefix: string, origin: string, isRefused: boolean]>([
  ["/", "https://a.example", true],
  ["/", "http://a.example", true],
  ["/l/", "https://a.example", true],
  ["/d/x", "https://a.example", true],
  ["/", "https://b.example", false],
  ["/list/", "https://a.example", false],
])("refuses a route %s on %s if it has paths of links on https://a.example: %s", (prefix, origin, isRefused) => {
  const routes = openRoutes([{ origin, prefix, upstream: "http://127.0.0.1:9" }]);
  const { storage, links } = bench;
  const create = () =>
    createGateway({ storage, routes, origins: ["https://a.example"], keys: { url: [URL_KEY] }, links: { links } });
  if (isRefused) expect(create).toThrow("set links.origin to another origin");
  else expect(create).not.toThrow();
});

describe("forward-auth", () => {
  it("passes a visit, but none whose bytes it cannot count, and none of a revoked link", async () => {
    const origin = "https://photos.example.com";
    const auth = createForwardAuth({
      ...{ hosts: [{ origin }], keys: { url: [] }, links: { links: bench.links }, clock: bench.clock },
    });
    const { seal } = visitCookies(bench.links.stateKey);
    const { name, value } = seal({
      ...{ link: "the-link", variant: "v", owner: "operator", origin, path: "/album/7/", networks: [], name: "Ann" },
      ...{ sealedAt: bench.now, startsAt: bench.now, until: bench.now + 1000 },
    });
    const decide = async (target: string) => {
      const original = { method: "GET", host: "photos.example.com", target, remoteAddress: "192.0.2.1" };
      return auth.decide(original, [["cookie", `a=b; ${name}=${value}`]]);
    };
    const passed = await decide("/album/7/a.jpg");
    expect([passed.status, passed.headers.slice(0, 6)]).toEqual([
      200,
      ["daypass-grant", "v", "daypass-key", "operator", "daypass-subject", "Ann"],
    ]);
    for (const target of ["/album/8/", "/album/7/../8/", "/album/7/%2e%2e/8/", "/"])
      expect((await decide(target)).status).toBeGreaterThanOrEqual(400);
    const limited = seal({
      ...{ link: "limited", variant: "w", owner: "operator", origin, path: "/album/8/", networks: [] },
      ...{
        sealedAt: bench.now,
        startsAt: bench.now,
        until: bench.now + 1000,
        charged: "a delivery with a limit of bytes",
      },
    });
    const original = { method: "GET", host: "photos.example.com", target: "/album/8/", remoteAddress: "192.0.2.1" };
    const refused = await auth.decide(original, [["cookie", `${limited.name}=${limited.value}`]]);
    expect(refused.status).toBe(410);
    const revocation = { id: "r", selector: { kind: "link", id: "the-link" } } as const;
    bench.links.apply([await bench.links.state.revoke(revocation, "operator")]);
    expect((await decide("/album/7/a.jpg")).status).toBe(403);
  });
});
