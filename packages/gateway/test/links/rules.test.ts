import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { rowsFrom } from "../../src/pages/listing-page.ts";
import { LEASE } from "../../src/state/contract/deliveries.ts";
import { adminCalls } from "./admin-calls.ts";
import { BROWSER, claimKeyIn, linkBench } from "./link-bench.ts";

const bench = linkBench();
const call = adminCalls(bench);
const KEY = "dl=0123456789abcdef";

it("serves the rest of a delivery by its claim key after the link expired, but begins nothing", async () => {
  const { variant } = await bench.make({ maxDeliveries: 2, expiresAt: new Date(bench.now + 60_000) });
  const get = (key: string) => bench.get(`/l/${variant.id}?${key}`, { headers: { range: "bytes=50000-" } });
  expect((await get(KEY)).status).toBe(206);
  bench.now += LEASE - 1;
  await bench.links.catchUp();
  expect([(await get(KEY)).status, (await get("dl=0123456789abcdeX")).status]).toEqual([206, 410]);
  bench.now += LEASE;
  await bench.links.catchUp();
  expect((await get(KEY)).status).toBe(410);
});

it("renews the lease of a delivery each minute while its response runs, and gives back what was not sent at its end", async () => {
  const { variant, link } = await bench.make({ maxDeliveries: 1 });
  const request = {
    method: "GET",
    target: `/l/${variant.id}?${KEY}`,
    authority: new URL(bench.url).host,
    headers: [["host", new URL(bench.url).host]] as const,
  };
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const outcome = await bench.gateway.handle(request, (async function* () {})());
  if (outcome.body?.kind === "file") outcome.body.close();
  const lease = async () => (await bench.links.state.listDeliveries(link.id, { limit: 1 })).items[0]?.leaseUntil;
  const begun = Number(await lease());
  bench.now += 60_000;
  vi.advanceTimersByTime(60_000);
  expect(await lease()).toBe(begun + 60_000);
  outcome.delivered(1000, false);
  vi.useRealTimers();
  const [delivery] = (await bench.links.state.listDeliveries(link.id, { limit: 1 })).items;
  expect([delivery?.held, delivery?.covered]).toEqual([1000, [[0, 1000]]]);
});

it.each([
  ["sec-purpose", "prefetch;prerender"],
  ["purpose", "prefetch"],
  ["x-moz", "prefetch"],
])("takes no delivery for a prefetch (%s: %s)", async (name, value) => {
  const { variant } = await bench.make({ maxDeliveries: 1 });
  expect((await bench.get(`/l/${variant.id}?${KEY}`, { headers: { [name]: value } })).status).toBe(428);
  expect((await bench.get(`/l/${variant.id}?dl=another-key-01234567`)).status).toBe(200);
});

it("shows its delivery again to the browser that took it, until it ends, and to no other", async () => {
  const { variant } = await bench.make({ maxDeliveries: 1, password: "right", expiresAt: new Date(bench.now + LEASE) });
  const path = `/l/${variant.id}`;
  const page = await (await bench.press(path, { password: "right" })).text();
  const proof = /name="proof" value="([\w.-]+)"/.exec(page)?.[1] ?? "";
  const pressed = await bench.press(path, { proof, claim: claimKeyIn(page) });
  const [token = "", cookie = ""] = ["location", "set-cookie"].map((name) => pressed.headers.get(name)?.split(";")[0]);
  await (await bench.get(token)).arrayBuffer();
  const shown = async (headers: Record<string, string>) => (await bench.get(path, { headers })).text();
  expect(await shown({ ...BROWSER, cookie })).toContain(`href="${token}"`);
  expect(await shown(BROWSER)).toContain('type="password"');
  bench.now += LEASE;
  await bench.links.catchUp();
  expect(await shown({ ...BROWSER, cookie })).toContain('type="password"');
});

it("shows no listing to the holder of a visit that ended", async () => {
  const { variant } = await bench.make({ kind: "prefix", key: "holiday/", maxDeliveries: 1 });
  const path = `/l/${variant.id}/`;
  const page = await (await bench.get(path, { headers: BROWSER })).text();
  const opened = await bench.press(path, { claim: claimKeyIn(page) });
  const headers = { ...BROWSER, cookie: opened.headers.get("set-cookie")?.split(";")[0] ?? "" };
  expect(await (await bench.get(path, { headers })).text()).toContain("<bdi>day 2</bdi>");
  bench.now += LEASE;
  await bench.links.catchUp();
  expect(await (await bench.get(path, { headers })).text()).not.toContain("<bdi>day 2</bdi>");
});

it("opens a folder with a password by one password, at the address with and without a slash", async () => {
  const { variant } = await bench.make({ kind: "prefix", key: "holiday/", password: "right" });
  for (const path of [`/l/${variant.id}`, `/l/${variant.id}/`]) {
    const page = await (await bench.press(path, { password: "right" })).text();
    const proof = /name="proof" value="([\w.-]+)"/.exec(page)?.[1] ?? "";
    const opened = await bench.press(`/l/${variant.id}`, { proof, claim: claimKeyIn(page) });
    expect([opened.status, opened.headers.get("location")]).toEqual([303, `/l/${variant.id}/`]);
  }
});

describe("a slug that does not open", () => {
  it("says why if it is public", async () => {
    await bench.make({ slug: "summer-party", public: true, expiresAt: new Date(bench.now + 1000) });
    await bench.make({ slug: "winter-party", public: true });
    bench.now += 2000;
    bench.write("film.mp4", "other");
    const told = await Promise.all(
      ["summer-party", "winter-party"].map(async (slug) => {
        const answer = await bench.get(`/l/${slug}`, { headers: BROWSER });
        return [answer.status, await answer.text()];
      }),
    );
    expect(told).toEqual([
      [410, expect.stringContaining("has expired")],
      [410, expect.stringContaining("changed")],
    ]);
  });

  it("shows the reason to the holder of its password only", async () => {
    await bench.make({ slug: "summer-party", password: "right", expiresAt: new Date(bench.now + 1000) });
    bench.now += 2000;
    expect((await bench.get("/l/summer-party", { headers: BROWSER })).status).toBe(200);
    const told = await bench.press("/l/summer-party", { password: "right" });
    expect([told.status, await told.text()]).toEqual([410, expect.stringContaining("has expired")]);
  });

  it("names the network after its password", async () => {
    await bench.make({ slug: "summer-party", password: "right", networks: ["203.0.113.0/24"] });
    const told = await bench.press("/l/summer-party", { password: "right" });
    expect([told.status, await told.text()]).toEqual([403, expect.stringContaining("network")]);
  });
});

describe("recipients", () => {
  const make = () => bench.make({ recipients: ["Ann", "Ben"], maxDeliveries: 1 });

  it("have an address and a limit each, and the list of links shows all of them", async () => {
    const { link, variants } = await make();
    for (const { id } of variants) expect((await bench.get(`/l/${id}?${KEY}`)).status).toBe(200);
    for (const { id } of variants) expect((await bench.get(`/l/${id}?dl=another-key-01234567`)).status).toBe(410);
    expect((await bench.get(`/l/${link.id}`)).status).toBe(404);
    const [shown] = (await call("/links", {}, true)).body.items;
    expect([shown.used, shown.status, shown.recipients.length]).toEqual([2, "used-up", 2]);
  });

  it("lose one address alone when it is revoked, and the link by its id or by any address", async () => {
    const { link, variants } = await make();
    const [ann = "", ben = ""] = variants.map(({ id }) => id);
    const revoked = await call("/revocations", { method: "POST", body: { url: `${bench.url}/l/${ann}` } }, true);
    expect([revoked.status, revoked.body.kind, revoked.body.value]).toEqual([201, "grant", ann]);
    const statuses = async () => Promise.all([ann, ben].map(async (id) => (await bench.get(`/l/${id}?${KEY}`)).status));
    expect(await statuses()).toEqual([410, 200]);
    expect((await call(`/links/${link.id}`, {}, true)).body.status).toBe("open");
    expect((await call(`/links/${ben}/revoke`, { method: "POST" }, true)).body).toMatchObject({
      id: link.id,
      status: "revoked",
    });
    expect(await statuses()).toEqual([410, 410]);
  });

  it("get deliveries back by name or by address, but not without either", async () => {
    const { link, variants } = await make();
    const give = async (id: string, body: object) =>
      (await call(`/links/${id}/give-back`, { method: "POST", body }, true)).status;
    expect([
      await give(link.id, {}),
      await give(link.id, { recipient: "Ann" }),
      await give(variants.find(({ name }) => name === "Ben")?.id ?? "", {}),
    ]).toEqual([400, 200, 200]);
    const found = await bench.links.state.getLink(link.id);
    expect(found?.variants.map(({ givenBack }) => givenBack)).toEqual([1, 1]);
  });

  it("are resumed together, by the address of one of them", async () => {
    const { link, variants } = await make();
    await bench.links.state.updateLink(link.id, 1, { suspended: "restored" }, "operator");
    expect((await bench.get(`/l/${variants[0]?.id}?${KEY}`)).status).toBe(410);
    expect((await call(`/links/${variants[1]?.id}/resume`, { method: "POST" }, true)).body.status).toBe("open");
    expect((await bench.get(`/l/${variants[0]?.id}?${KEY}`)).status).toBe(200);
  });
});

describe("a header of the response that its owner sets", () => {
  it.each([
    ["contentType", "text/html\r\nset-cookie: a=b"],
    ["contentDisposition", "attachment\nx: y"],
    ["contentType", "text/plain\u0000"],
    ["contentDisposition", 'attachment; filename="日.txt"'],
  ])("is refused in response.%s if it cannot be sent (%j), in a new link and in an edit", async (name, value) => {
    const { link } = await bench.make();
    const response = { [name]: value };
    const body = { target: "media/film.mp4", response };
    const created = await call("/links", { method: "POST", body }, true);
    const headers = { "if-match": "*" };
    const edited = await call(`/links/${link.id}`, { method: "PATCH", body: { response }, headers }, true);
    for (const answer of [created, edited]) {
      const { code, detail } = answer.body;
      expect([answer.status, code, detail]).toEqual([
        400,
        "INVALID_INPUT",
        expect.stringContaining(`response.${name} `),
      ]);
    }
  });
});

describe("an edit", () => {
  const edit = (id: string, body: object) =>
    call(`/links/${id}`, { method: "PATCH", body, headers: { "if-match": "*" } }, true);

  it("drops the pin when follow is set, and pins the present object when it is unset", async () => {
    const { link } = await bench.make();
    const status = async () => (await bench.get(`/l/${link.id}`)).status;
    bench.write("film.mp4", "other");
    expect(await status()).toBe(410);
    await edit(link.id, { follow: true });
    expect(await status()).toBe(200);
    await edit(link.id, { follow: false });
    expect(await status()).toBe(200);
    bench.write("film.mp4", "third one");
    expect(await status()).toBe(410);
  });

  it.each([
    ["a network that is none", {}, { networks: ["anywhere"] }],
    ["an end in the past", {}, { expiresAt: "2026-11-01T00:00:00Z" }],
    ["no password for a slug that needs it", { slug: "summer-party", password: "right" }, { password: null }],
  ])("with %s is refused as for a new link", async (_, made, change) => {
    const { link } = await bench.make(made);
    expect((await edit(link.id, change)).status).toBe(400);
  });

  it("resets a value with null", async () => {
    const { link } = await bench.make({ networks: ["192.0.2.0/24"], preview: false, maxDeliveries: 1, label: "old" });
    await edit(link.id, { networks: null, preview: null, maxDeliveries: null, label: null });
    expect((await bench.get(`/l/${link.id}`)).status).toBe(200);
  });
});

describe("a page", () => {
  it.each([
    ["ASCII", () => randomBytes(24).toString("hex")],
    ["255 random ASCII bytes", () => randomBytes(190).toString("base64url").slice(0, 251).concat(".txt")],
    [
      "255 random bytes beyond ASCII",
      () => [...randomBytes(80)].map((byte) => String.fromCodePoint(0x4e00 + byte * 64)).join(""),
    ],
  ])("of a listing with names of %s has at most 14 KB with gzip, and reaches every entry", async (_, name) => {
    mkdirSync(join(bench.folder, "root/media/names"), { recursive: true });
    const names = new Set(Array.from({ length: 210 }, name));
    for (const one of names) bench.write(`names/${one}`, "x");
    const { variant } = await bench.make({ kind: "prefix", key: "names/" });
    const seen = new Set<string>();
    for (let path: string | undefined = `/l/${variant.id}/`; path !== undefined; ) {
      const answer = await bench.get(path, { headers: { ...BROWSER, "accept-encoding": "gzip" } });
      expect(answer.headers.get("content-encoding")).toBe("gzip");
      expect(Number(answer.headers.get("content-length"))).toBeLessThanOrEqual(14 * 1024);
      const page = await answer.text();
      for (const [, one = ""] of page.matchAll(/<a class="row"[^>]*>.*?<bdi>([^<]+)<\/bdi>/g)) seen.add(one);
      path = /<a href="([^"]+&amp;from=\d+)"/.exec(page)?.[1]?.replaceAll("&amp;", "&");
    }
    expect(seen).toEqual(names);
  });

  it("has as many rows as fit, and at least one", () => {
    expect(
      rowsFrom(
        ["x".repeat(20_000), "y"].map((name) => ({ name, kind: "file" })),
        0,
        "list",
      ),
    ).toHaveLength(1);
  });
});
