import { describe, expect, it } from "vitest";
import type { KeyScope } from "../../src/index.ts";
import type { RevocationSelector } from "../../src/state/contract/revocations.ts";
import { adminCalls } from "./admin-calls.ts";
import { BROWSER, claimKeyIn, hashesDuring, linkBench } from "./link-bench.ts";

let scope: KeyScope = {};
const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI" };
const bench = linkBench(() => ({ s3: (id) => (id === key.accessKeyId ? { ...key, scope } : undefined) }));

describe("guessing", () => {
  it("an id gets the same answer as a delivery that is unknown", async () => {
    const answers = await Promise.all(
      ["/l/AAAAAAAAAAAAAAAAAAAAAA", "/d/AAAA"].map(async (path) => {
        const answer = await bench.get(path);
        return [answer.status, await answer.text()];
      }),
    );
    expect(answers[0]?.[0]).toBe(404);
    expect(answers[1]).toEqual(answers[0]);
  });

  it("passwords costs ten hashes, and none for a network over its limit, even with the right password", async () => {
    const { variant } = await bench.make({ password: "right" });
    const path = `/l/${variant.id}`;
    const [hashes, statuses] = await hashesDuring(() =>
      Promise.all(Array.from({ length: 20 }, async () => (await bench.press(path, { password: "wrong" })).status)),
    );
    expect([hashes, statuses.sort()]).toEqual([10, [...Array(10).fill(403), ...Array(10).fill(429)]]);
    const [later, { status }] = await hashesDuring(() => bench.press(path, { password: "right" }));
    expect([later, status]).toEqual([0, 429]);
  }, 60_000);
});

describe("claims", () => {
  it("raced from many sockets share one delivery among them", async () => {
    const { variant } = await bench.make({ maxDeliveries: 1 });
    const statuses = await Promise.all(
      Array.from(
        { length: 40 },
        async (_, at) => (await bench.get(`/l/${variant.id}?dl=claim-key-number-${at}`)).status,
      ),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(new Set(statuses)).toEqual(new Set([200, 410]));
  });

  it("a visit's cookie opens no other link, and two cookies open nothing", async () => {
    const [one, other] = [
      await bench.make({ kind: "prefix", key: "holiday/", maxDeliveries: 1 }),
      await bench.make({ kind: "prefix", key: "holiday/", maxDeliveries: 1 }),
    ];
    const page = await (await bench.get(`/l/${one.variant.id}/`, { headers: BROWSER })).text();
    const opened = await bench.press(`/l/${one.variant.id}/`, { claim: claimKeyIn(page) });
    const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
    const status = async (id: string, value: string) =>
      (await bench.get(`/l/${id}/day%202/b.txt`, { headers: { cookie: value } })).status;
    expect(await status(one.variant.id, cookie)).toBe(200);
    expect(await status(other.variant.id, cookie)).toBe(428);
    expect(await status(one.variant.id, `${cookie}; dp-visit=planted`)).toBe(428);
    expect(opened.headers.get("set-cookie")).toMatch(/Path=\/l\/\w+; .*HttpOnly; SameSite=Lax/);
  });
});

describe("a path below a prefix link", () => {
  it.each([
    "../film.mp4",
    "%2e%2e/film.mp4",
    "day%202/..%2f..%2ffilm.mp4",
    "day%202%2fb.txt",
    "a%5cb",
    "%00",
    "day%202/%2e/b.txt",
    "%c0%af",
  ])("%s is refused", async (rest) => {
    const { variant } = await bench.make({ kind: "prefix", key: "holiday/" });
    // `fetch` would resolve dot segments, so the request goes through the gateway itself.
    const host = new URL(bench.url).host;
    const statusOf = async (path: string): Promise<number> => {
      const outcome = await bench.gateway.handle(
        { method: "HEAD", target: `/l/${variant.id}/${path}`, authority: host, headers: [["host", host]] },
        (async function* () {})(),
      );
      outcome.delivered(0, true);
      return outcome.status;
    };
    expect([await statusOf("day%202/b.txt"), await statusOf(rest)]).toEqual([200, 404]);
  });

  it("with HTML in its name is shown escaped, and its link works", async () => {
    const { variant } = await bench.make({ kind: "prefix", key: "holiday/" });
    bench.write("holiday/\u202egnp.exe", "rtl");
    const page = await (await bench.get(`/l/${variant.id}/`, { headers: BROWSER })).text();
    expect(page).not.toContain("<b>.txt");
    expect(page).toContain("<bdi>&lt;b&gt;.txt</bdi>");
    expect(page).toContain("<bdi>\u202egnp.exe</bdi>");
    const [, path = ""] = /href="([^"]*)"[^>]*>(?:<[^>]*>)*<bdi>&lt;b&gt;\.txt</.exec(page) ?? [];
    const target = new URL(path.replaceAll("&amp;", "&"), `${bench.url}/l/${variant.id}/`).href.slice(bench.url.length);
    expect(await (await bench.get(target)).text()).toBe("bold");
  });
});

it("every answer about a link forbids to store it, to index it and to pass its address on", async () => {
  const { variant } = await bench.make();
  const counted = await bench.make({ maxDeliveries: 1 });
  const locked = await bench.make({ password: "right" });
  const folder = await bench.make({ kind: "prefix", key: "holiday/" });
  const pressed = await bench.press(`/l/${counted.variant.id}`, { claim: "claim-key-0123456789" });
  expect(pressed.status).toBe(303);
  const answers = [pressed, await bench.press(`/l/${locked.variant.id}`, { password: "wrong" })];
  for (const [path, headers] of [
    [pressed.headers.get("location") ?? "", {}],
    [`/l/${locked.variant.id}`, BROWSER],
    [`/l/${folder.variant.id}`, BROWSER],
    [`/l/${folder.variant.id}/`, BROWSER],
    [`/l/${folder.variant.id}/missing`, {}],
    [`/l/${folder.variant.id}/?zip`, {}],
    [`/l/${variant.id}`, BROWSER],
    [`/l/${variant.id}`, {}],
    [`/l/${counted.variant.id}`, {}],
    [`/l/${counted.variant.id}?dl=0123456789abcdef`, {}],
    ["/l/unknown", BROWSER],
  ] as const) {
    const answer = await bench.get(path, { headers });
    await answer.arrayBuffer();
    answers.push(answer);
  }
  const names = ["cache-control", "referrer-policy", "x-robots-tag"];
  for (const { url, status, headers } of answers)
    expect([url, status, ...names.map((name) => headers.get(name))]).toEqual([
      url,
      status,
      "no-store",
      "no-referrer",
      "noindex",
    ]);
});

it("a link never opens on a wildcard host, where the same path is an object", async () => {
  const { variant } = await bench.make();
  const { port } = new URL(bench.url);
  const host = `media.localhost:${port}`;
  const outcome = await bench.gateway.handle(
    { method: "GET", target: `/l/${variant.id}`, authority: host, headers: [["host", host]] },
    (async function* () {})(),
  );
  expect(outcome.status).toBe(403);
  outcome.delivered(0, true);
  expect((await bench.get(`/l/${variant.id}`)).status).toBe(200);
});

it("a redirect of a page stays on its own link when the address names another host", async () => {
  const { variant } = await bench.make({ kind: "prefix", key: "holiday/" });
  for (const query of ["", "?//evil.example", "?next=https://evil.example/"]) {
    const { status, headers } = await bench.get(`/l/${variant.id}${query}`, { headers: BROWSER });
    expect([status, headers.get("location")]).toEqual([303, `/l/${variant.id}/`]);
  }
  for (const path of ["/l//evil.example", "/l/\\evil.example", "/l/%2f%2fevil.example/"]) {
    expect((await bench.get(path, { headers: BROWSER })).headers.get("location")).toBeNull();
  }
});

it("a link of a key whose scope was narrowed afterwards is refused", async () => {
  scope = {};
  const { variant } = await bench.make({ owner: `key:${key.accessKeyId}` });
  expect((await bench.get(`/l/${variant.id}`)).status).toBe(200);
  scope = { prefix: "holiday/" };
  expect((await bench.get(`/l/${variant.id}`)).status).toBe(410);
  scope = { buckets: ["other"] };
  expect((await bench.get(`/l/${variant.id}`)).status).toBe(410);
  scope = {};
});

describe.each<readonly [name: string, selector: RevocationSelector]>([
  ["its recipient", { kind: "subject", id: "Ann" }],
  ["the key that owns it", { kind: "key", id: key.accessKeyId }],
  ["the key that owns it, as records name it", { kind: "key", id: `key:${key.accessKeyId}` }],
  ["a prefix of its object", { kind: "prefix", id: "media/fi" }],
])("a revocation of %s", (_, selector) => {
  it("refuses a link and its delivery, and cuts the transfer in progress", async () => {
    scope = {};
    // More than the buffers of a socket, so that the transfer is in progress.
    bench.write("film.mp4", "f".repeat(32_000_000));
    const owner = `key:${key.accessKeyId}`;
    const { variant } = await bench.make({ owner, recipients: ["Ann"], maxDeliveries: 2 });
    const other = await bench.make({ key: "holiday/<b>.txt", recipients: ["Ben"] });
    const pressed = await bench.press(`/l/${variant.id}`, { claim: "claim-key-0123456789" });
    const paths = [`/l/${variant.id}`, pressed.headers.get("location") ?? ""];
    const running = await bench.get(paths[1] ?? "");
    expect(running.status).toBe(200);
    bench.links.apply([await bench.links.state.revoke({ id: "r", selector }, "operator")]);
    const end = running.arrayBuffer().then(
      () => "whole",
      () => "cut",
    );
    expect(await end).toBe("cut");
    expect(await Promise.all(paths.map(async (path) => (await bench.get(path)).status))).toEqual([410, 410]);
    expect((await bench.get(`/l/${other.variant.id}`)).status).toBe(200);
  });
});

it("logs show neither the id of a link nor the token of a delivery", async () => {
  const { variant } = await bench.make({ maxDeliveries: 1 });
  const pressed = await bench.press(`/l/${variant.id}`, { claim: "claim-key-0123456789" });
  await (await bench.get(pressed.headers.get("location") ?? "")).arrayBuffer();
  expect(bench.log).toHaveLength(2);
  const log = bench.log.join("\n");
  expect(log).not.toContain(variant.id);
  expect(log).not.toContain(pressed.headers.get("location")?.slice(3));
});

describe("the admin API", () => {
  const call = adminCalls(bench);
  const token = async (body: object): Promise<Record<string, string>> => {
    const made = await call("/tokens", { method: "POST", body }, true);
    return { authorization: `Bearer ${made.body.token}` };
  };

  it("refuses a request without a token, and one whose Host or Origin is another", async () => {
    const headers = await token({ scopes: ["links:read"] });
    expect((await call("/links")).status).toBe(401);
    expect((await call("/links", { headers })).status).toBe(200);
    expect((await call("/links", { headers: { ...headers, host: "evil.example" } })).status).toBe(403);
    expect((await call("/links", { headers: { ...headers, origin: "http://evil.example" } })).status).toBe(403);
  });

  it("holds a token to its scopes, its buckets, its prefix and its own links", async () => {
    const reader = await token({ scopes: ["links:read"] });
    const writer = await token({ scopes: ["links:read", "links:write"], buckets: ["media"], prefix: "holiday/" });
    const create = (target: string, headers: Record<string, string>) =>
      call("/links", { method: "POST", body: { target }, headers });
    expect((await create("media/holiday/", reader)).status).toBe(403);
    expect((await create("media/film.mp4", writer)).status).toBe(403);
    expect((await create("other/holiday/", writer)).status).toBe(403);
    const { status, body } = await create("media/holiday/", writer);
    expect(status).toBe(201);
    expect((await call(`/links/${body.id}`, { headers: reader })).status).toBe(404);
    expect((await call(`/links/${body.id}/revoke`, { method: "POST", headers: writer })).body.status).toBe("revoked");
    for (const path of ["/revocations", "/tokens"]) expect((await call(path, { headers: writer })).status).toBe(403);
    expect((await call("/backup", { method: "POST", body: { path: "/tmp/x" }, headers: writer })).status).toBe(403);
  });

  it("describes itself by OpenAPI 3.1, stores no token, and creates one link for a repeated idempotency key", async () => {
    const { body } = await call("/openapi.json", {}, true);
    expect([body.openapi, Object.keys(body.paths)]).toEqual([
      "3.1.0",
      expect.arrayContaining(["/links", "/links/{id}/revoke", "/revocations"]),
    ]);
    const headers = await token({ scopes: ["links:write"] });
    const stored = await bench.links.state.listTokens();
    expect(stored).toHaveLength(1);
    expect(JSON.stringify(stored)).not.toContain(headers["authorization"]?.slice(7));
    const create = () =>
      call("/links", {
        method: "POST",
        body: { target: "media/film.mp4" },
        headers: { ...headers, "idempotency-key": "k" },
      });
    const first = await create();
    expect(first.status).toBe(201);
    expect((await create()).body.id).toBe(first.body.id);
    expect(first.body.id).toMatch(/^\w{8,}/);
  });

  it("answers 409 if another link has the slug", async () => {
    const body = { target: "media/film.mp4", slug: "summer-party", public: true };
    const create = () => call("/links", { method: "POST", body }, true);
    expect((await create()).status).toBe(201);
    expect(await create()).toMatchObject({ status: 409, body: { title: "Conflict", code: "SLUG_TAKEN" } });
  });

  it("refuses an edit that did not see the latest version", async () => {
    const { link } = await bench.make();
    const edit = (match: string | undefined) =>
      call(
        `/links/${link.id}`,
        { method: "PATCH", body: { label: "new" }, headers: match === undefined ? {} : { "if-match": match } },
        true,
      );
    expect((await edit(undefined)).status).toBe(428);
    expect((await edit('"1"')).status).toBe(200);
    expect((await edit('"1"')).status).toBe(412);
  });
});
