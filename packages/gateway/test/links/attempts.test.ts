import { describe, expect, it } from "vitest";
import { fairQueue } from "../../src/links/fair-queue.ts";
import { adminCalls } from "./admin-calls.ts";
import { BROWSER, hashesDuring, linkBench } from "./link-bench.ts";

const bench = linkBench();

interface Ask {
  readonly from?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly fields?: Record<string, string>;
}

/** Sends a request from any network. */
async function ask(path: string, { from = "192.0.2.1", method, headers = {}, fields }: Ask = {}) {
  const host = new URL(bench.url).host;
  const type = { "content-type": "application/x-www-form-urlencoded" };
  const outcome = await bench.gateway.handle(
    {
      method: method ?? (fields === undefined ? "GET" : "POST"),
      target: path,
      authority: host,
      headers: Object.entries({ host, ...headers, ...(fields && type) }),
      remoteAddress: from,
    },
    (async function* () {
      if (fields !== undefined) yield Buffer.from(new URLSearchParams(fields).toString());
    })(),
  );
  outcome.delivered(0, true);
  const { status, body } = outcome;
  const sent = outcome.headers.filter((_, at) => outcome.headers[at - (at % 2)] !== "x-request-id");
  const cookie = outcome.headers.find((value) => value.startsWith("dp-browser="));
  const [, id = ""] = outcome.headers.slice(outcome.headers.indexOf("x-request-id"));
  const text = body?.kind === "bytes" ? Buffer.from(body.bytes).toString().replace(id, "") : body;
  return { status, headers: sent, body: text, cookie };
}

const basic = (password: string) => ({ authorization: `Basic ${Buffer.from(`:${password}`).toString("base64")}` });
const times = <T>(count: number, work: (at: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, at) => work(at)));
const countOf = (statuses: readonly { status: number }[], wanted: number) =>
  statuses.filter(({ status }) => status === wanted).length;

describe("guesses of slugs", () => {
  const asked: readonly (readonly [string, string, Ask])[] = [
    ["a page", "", { headers: BROWSER }],
    ["a program", "", {}],
    ["HEAD", "", { method: "HEAD" }],
    ["PUT", "", { method: "PUT" }],
    ["a file below it", "/film.mp4", { headers: BROWSER }],
    ["a claim", "?dl=claim-key-0123456789", {}],
    ["a bad claim", "?dl=short", { headers: { range: "bytes=999999999-" } }],
    ["its archive", "?zip", {}],
    ["a small picture", "?thumb", { headers: BROWSER }],
    ["its preview", "?view", { headers: BROWSER }],
    ["a wrong password of a browser", "", { headers: BROWSER, fields: { password: "wrong" } }],
    ["a wrong password of a program", "", { headers: basic("wrong") }],
    ["a long password", "", { headers: BROWSER, fields: { password: "x".repeat(300) } }],
    ["a proof that nobody gave", "", { headers: BROWSER, fields: { proof: "1893456000000.AAAA" } }],
    ["cookies that nobody gave", "", { headers: { ...BROWSER, cookie: "dp-browser=A.B; dp-visit=C" } }],
  ];

  it.each(asked)(
    "get the answer of a known slug with a password, and as many hashes: %s",
    async (_, rest, how) => {
      const closed = { expiresAt: new Date(bench.now + 1000), password: "right" };
      await bench.make({ slug: "slug-known", password: "right" });
      await bench.make({ slug: "slug-ended", ...closed });
      await bench.make({ slug: "slug-away1", password: "right", networks: ["203.0.113.0/24"] });
      await bench.make({ slug: "slug-away2", public: true, networks: ["203.0.113.0/24"] });
      const { link } = await bench.make({ slug: "slug-taken", password: "right" });
      await bench.links.state.revokeLink(link.id, "operator");
      bench.now += 2000;
      const seen = async (slug: string) => {
        const [hashes, { status, headers, body, cookie }] = await hashesDuring(() => ask(`/l/${slug}${rest}`, how));
        return { hashes, status, headers, body: String(body).replaceAll(slug, "SLUG"), cookie };
      };
      const known = await seen("slug-known");
      expect([200, 401, 403]).toContain(known.status);
      for (const slug of ["slug-ended", "slug-away1", "slug-away2", "slug-taken", "slug-never"]) {
        expect(await seen(slug)).toEqual(known);
      }
    },
    60_000,
  );

  it("end after ten wrong passwords of a network, for known and unknown slugs alike", async () => {
    await bench.make({ slug: "slug-known", password: "right" });
    for (const [from, slug] of [
      ["192.0.2.1", "slug-known"],
      ["192.0.2.2", "slug-never"],
    ] as const) {
      const answers = await times(14, () => ask(`/l/${slug}`, { from, headers: basic("wrong") }));
      expect([slug, countOf(answers, 401), countOf(answers, 429)]).toEqual([slug, 10, 4]);
      const late = await ask("/l/slug-known", { from, headers: basic("right") });
      expect([late.status, late.headers.includes("retry-after")]).toEqual([429, true]);
    }
    expect((await ask("/l/slug-known", { from: "192.0.2.3", headers: basic("right") })).status).toBe(428);
  }, 60_000);

  it("from many networks of an IPv6 /48 end after forty, and another /48 continues", async () => {
    let guesses = 0;
    const guess = (from: string) => ask(`/l/guess-${guesses++}`, { from, headers: basic("x".repeat(300)) });
    for (let net = 0; net < 5; net++) await times(10, () => guess(`2001:db8:1:${net}::1`));
    expect((await guess("2001:db8:1:ffff::1")).status).toBe(429);
    expect((await guess("2001:db8:2::1")).status).toBe(401);
  });

  it("leave a public slug open: its owner made it public", async () => {
    await bench.make({ slug: "summer-party", public: true });
    await times(12, (at) => ask(`/l/guess-${at}`, { headers: basic("x".repeat(300)) }));
    expect((await ask("/l/summer-party")).status).toBe(200);
  });
});

describe("wrong passwords", () => {
  it("of one network that come at once cost ten hashes", async () => {
    const { variant } = await bench.make({ password: "right" });
    const [hashes, answers] = await hashesDuring(() =>
      times(18, () => ask(`/l/${variant.id}`, { headers: basic("wrong") })),
    );
    expect([hashes, countOf(answers, 401), countOf(answers, 429)]).toEqual([10, 10, 8]);
    // A right password is no attempt against the limit.
    await times(12, () => ask(`/l/${variant.id}`, { from: "192.0.2.9", headers: basic("right") }));
    expect((await ask(`/l/${variant.id}`, { from: "192.0.2.9", headers: basic("wrong") })).status).toBe(401);
  }, 60_000);

  it("from two networks let a third wait for its turn, and never lock it out", async () => {
    const { variant } = await bench.make({ password: "right" });
    for (const from of ["192.0.2.1", "192.0.2.2"])
      await times(12, () => ask(`/l/${variant.id}`, { from, headers: basic("wrong") }));
    const before = bench.now;
    expect((await ask(`/l/${variant.id}`, { from: "192.0.2.3", headers: basic("right") })).status).toBe(428);
    expect(bench.now - before).toBeLessThanOrEqual(30_000);
  }, 60_000);

  it("share one hash a second between new networks of a link, and one waits for each network", async () => {
    const { link, variant } = await bench.make({ password: "right" });
    const fail = (address: string) =>
      bench.links.state.recordFailure({ address, link: link.id, windowMs: 600_000, most: 10 });
    for (let at = 0; at < 10; at++) await fail(`192.0.2.${at}`);
    const waits = [];
    for (const address of ["198.51.100.1", "198.51.100.1", "198.51.100.2"]) waits.push((await fail(address)).at);
    expect(waits).toEqual([bench.now + 1000, undefined, bench.now + 2000]);
    for (let at = 3; at <= 30; at++) await fail(`198.51.100.${at}`);
    const late = await ask(`/l/${variant.id}`, { from: "203.0.113.1", headers: basic("right") });
    expect([late.status, late.headers.includes("retry-after")]).toEqual([429, true]);
  });

  it("announce themselves to the owner after five, at most once an hour", async () => {
    const { link, variant } = await bench.make({ password: "right" });
    const call = adminCalls(bench);
    const body = { url: "https://hooks.example.com/", events: ["proof.failed"] };
    expect((await call("/webhooks", { method: "POST", body }, true)).status).toBe(201);
    const told = async () => (await bench.links.state.takeNotifications(9, 0)).map(({ body }) => JSON.parse(body));
    await times(4, (at) => ask(`/l/${variant.id}`, { from: `192.0.2.${at}`, headers: basic("wrong") }));
    expect(await told()).toEqual([]);
    for (let at = 4; at < 8; at++) await ask(`/l/${variant.id}`, { from: `192.0.2.${at}`, headers: basic("wrong") });
    expect(await told()).toMatchObject([{ type: "proof.failed", data: { link: link.id, address: "192.0.2.4" } }]);
  }, 60_000);
});

describe("a browser that gave the password", () => {
  it("opens the link while its network and others are refused, until the password changes", async () => {
    const { link, variant } = await bench.make({ password: "right" });
    const path = `/l/${variant.id}`;
    const open = (cookie: string, password = "right") =>
      ask(path, { headers: { ...BROWSER, cookie }, fields: { password } });
    const { cookie: sent = "" } = await open("");
    expect(sent).toMatch(/^dp-browser=[\w.-]+; Path=\/l\/\w+; Max-Age=\d+; HttpOnly; SameSite=Lax$/);
    const cookie = sent.split(";")[0] ?? "";
    for (const from of ["192.0.2.1", "192.0.2.2"]) await times(12, () => ask(path, { from, headers: basic("wrong") }));
    expect([(await open("")).status, (await open(`${cookie}x`)).status, (await open(cookie)).status]).toEqual([
      429, 429, 200,
    ]);
    // It still has to give the password, and its own limit is ten, too.
    await times(10, () => open(cookie, "wrong"));
    expect((await open(cookie)).status).toBe(429);
    const other = await bench.make({ password: "right" });
    const elsewhere = await ask(`/l/${other.variant.id}`, {
      headers: { ...BROWSER, cookie },
      fields: { password: "right" },
    });
    expect(elsewhere.status).toBe(429);

    bench.now += 600_000;
    const password = await bench.links.passwords.hash("changed", "operator");
    await bench.links.state.updateLink(link.id, 1, { password }, "operator");
    await times(10, () => ask(path, { headers: basic("wrong") }));
    expect((await open(cookie, "changed")).status).toBe(429);
  }, 90_000);
});

describe("the queue of hashes", () => {
  it("takes links in turn, and networks of a link in turn", async () => {
    const queue = fairQueue(10);
    const order: string[] = [];
    const asked = ["a1", "a1", "a1", "a2", "a2", "b1", "b1"].map((name) =>
      queue(name.charAt(0), name.charAt(1), async () => void order.push(name)),
    );
    await Promise.all(asked);
    expect(order).toEqual(["a1", "a1", "b1", "a2", "b1", "a1", "a2"]);
  });

  it("serves a visitor of another link before forty guessers", async () => {
    const queue = fairQueue(10);
    const order: string[] = [];
    const guesses = Array.from({ length: 40 }, (_, at) =>
      queue("guessed", String(at), async () => void order.push("guess")),
    );
    const visit = queue("visited", "visitor", async () => void order.push("visit"));
    await Promise.all([...guesses, visit]);
    expect(order.indexOf("visit")).toBeLessThanOrEqual(2);
  });

  it("refuses the network that overfills it, and no other", async () => {
    const queue = fairQueue(2);
    const asked = ["a", "a", "a", "a", "b"].map((client) => queue("link", client, async () => client));
    expect(asked.map((one) => one === undefined)).toEqual([false, false, false, true, false]);
    await Promise.all(asked);
  });

  it("checks a password while a token creates links", async () => {
    const { hash, matches } = bench.links.passwords;
    const order: string[] = [];
    const stored = await hash("right", "operator");
    const made = times(6, async (at) => {
      await hash("any", at === 5 ? "operator" : "token:t");
      order.push(at === 5 ? "operator" : "token");
    });
    await matches("right", stored, { link: "l", client: "c" });
    order.push("match");
    await made;
    expect(order.indexOf("match")).toBeLessThanOrEqual(2);
    expect(order.indexOf("operator")).toBeLessThanOrEqual(3);
  }, 60_000);
});
