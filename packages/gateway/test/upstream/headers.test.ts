import { once } from "node:events";
import { request } from "node:http";
import { expect, it } from "vitest";
import { codeOf, routed, upstreamOf } from "./site.ts";

/** Sends headers as they are, and returns those that the upstream saw. */
async function headersSeen(
  sent: readonly (readonly [string, string])[],
  { route = {}, sign = {} }: { readonly route?: object; readonly sign?: object } = {},
): Promise<Readonly<Record<string, unknown>>> {
  const upstream = await upstreamOf();
  const gateway = await routed(upstream.url, route);
  const url = gateway.sign("/app/a", sign);
  const headers = ["host", new URL(url).host, ...sent.flat()];
  const message = request(gateway.url, { path: url.slice(gateway.url.length), headers });
  message.end();
  const [response] = await once(message, "response");
  response.resume();
  return { status: response.statusCode, ...upstream.seen[0]?.headers };
}

const OWN = ["status", "host", "connection", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-for"];
const IDENTITY = ["daypass-grant", "daypass-key"];

it.each<readonly [name: string, value: string]>([
  ["X-Forwarded-For", "203.0.113.9"],
  ["X-Forwarded-User", "admin"],
  ["X-Original-URL", "/admin"],
  ["X-Rewrite-URL", "/admin"],
  ["Forwarded", "for=203.0.113.9"],
  ["X-Real-IP", "203.0.113.9"],
  ["X-HTTP-Method-Override", "DELETE"],
  ["X-Method-Override", "DELETE"],
  ["X_Forwarded_For", "203.0.113.9"],
  ["Daypass_Subject", "admin"],
  ["Daypass-Subject", "admin"],
  ["dp-subject", "admin"],
  ["Cookie", "session=1; dp-visit=2"],
  ["Authorization", "Bearer x"],
  ["TE", "trailers"],
  ["Keep-Alive", "timeout=5"],
  ["Proxy-Authorization", "Basic x"],
  ["Referer", "https://api.example.com/?dp-signature=x"],
  ["Expect", "x"],
  ["X-Anything", "x"],
])("never forwards %s of a client", async (name, value) => {
  const seen = await headersSeen([[name, value]]);
  expect(Object.keys(seen).sort()).toEqual([...OWN, ...IDENTITY].sort());
  expect(seen["x-forwarded-for"]).toBe("127.0.0.1");
  expect(JSON.stringify(seen)).not.toContain("admin");
});

it("forwards what describes the request, headers that the URL binds, and headers that the operator allows", async () => {
  const sent = [
    ["Accept", "text/plain"],
    ["If-None-Match", '"a"'],
    ["Range", "bytes=0-1"],
    ["X-Tenant", "acme"],
    ["X-Shard", "eu"],
    ["Cookie", "dp-visit=1; theme=dark; DP-other=2"],
  ] as const;
  const options = {
    route: { headers: ["x-shard"], cookies: true },
    sign: { bind: { headers: { "x-tenant": "acme" } } },
  };
  expect(await headersSeen(sent, options)).toMatchObject({
    accept: "text/plain",
    "if-none-match": '"a"',
    range: "bytes=0-1",
    "x-tenant": "acme",
    "x-shard": "eu",
    cookie: "theme=dark",
  });
});

it("forwards who the URL is for only if the upstream compares it", async () => {
  const sign = { subject: "cus ü".replace(" ", "-") };
  expect(await headersSeen([], { route: { subjects: true }, sign })).toMatchObject({
    status: 200,
    "daypass-subject": "cus-%C3%BC",
    "daypass-key": "test-1",
    "daypass-grant": expect.stringMatching(/^[\w-]{22}$/),
  });
  expect(await headersSeen([], { sign })).toEqual({ status: 403 });
});

it.each(["x-forwarded-host", "daypass_subject", "daypass-subject", "x_http_method", "x-accel-redirect"])(
  "refuses a URL that binds %s",
  async (name) => {
    const upstream = await upstreamOf();
    const gateway = await routed(upstream.url);
    const url = gateway.sign("/app/a", { bind: { headers: { [name]: "chunked" } } });
    const message = request(url, { headers: ["host", new URL(url).host, name, "chunked"] });
    message.end();
    const [response] = await once(message, "response");
    response.resume();
    expect([response.statusCode, upstream.seen]).toEqual([400, []]);
  },
);

it("passes down what an upstream says, but for cookies, hops and orders to proxies", async () => {
  const upstream = await upstreamOf((_, response) =>
    response
      .writeHead(200, [
        ...["content-type", "text/plain", "x-app", "1", "etag", '"a"', "set-cookie", "session=1"],
        ...["x-accel-redirect", "/etc/passwd", "X-Sendfile", "/etc/passwd", "x-accel-buffering", "no"],
        ...["connection", "x-hop", "x-hop", "1", "access-control-allow-origin", "*", "daypass-grant", "x"],
        ...["referrer-policy", "unsafe-url", "refresh", "0; url=https://evil.example/", "x-text", "ü"],
      ])
      .end("ok"),
  );
  const gateway = await routed(upstream.url);
  const { headers } = await fetch(gateway.sign("/app/a"));
  expect(Object.fromEntries([...headers].filter(([name]) => !["date", "keep-alive"].includes(name)))).toEqual({
    "content-type": "text/plain",
    "x-app": "1",
    etag: '"a"',
    "x-text": "ü",
    "cache-control": "private, max-age=0",
    "referrer-policy": "no-referrer",
    vary: "origin",
    connection: "keep-alive",
    "transfer-encoding": "chunked",
    "x-request-id": expect.any(String),
  });
});

it("passes cookies of the upstream if the route allows it, and never one of Daypass", async () => {
  const upstream = await upstreamOf((_, response) =>
    response
      .writeHead(200, ["set-cookie", "a=1; Path=/", "set-cookie", "dp-visit=1", "set-cookie", "__Host-dp-x=1"])
      .end(),
  );
  const gateway = await routed(upstream.url, { cookies: true });
  expect((await fetch(gateway.sign("/app/a"))).headers.getSetCookie()).toEqual(["a=1; Path=/"]);
});

it("sets the signed response headers instead of the upstream's, unless it reports an error", async () => {
  const answer = (status: number) =>
    upstreamOf((_, response) => response.writeHead(status, { "content-disposition": "inline" }).end());
  const response = { contentDisposition: 'attachment;filename="a.pdf"', cacheControl: "private, max-age=60" };
  for (const [status, expected] of [
    [200, response.contentDisposition],
    [404, "inline"],
  ] as const) {
    const gateway = await routed((await answer(status)).url);
    const answered = await fetch(gateway.sign("/app/a", { response }));
    expect([answered.status, answered.headers.get("content-disposition")]).toEqual([status, expected]);
  }
});

it.each<readonly [why: string, location: string, expected: string | null]>([
  ["relative", "b?x=1#y", "/app/b?x=1#y"],
  ["of the upstream", "UPSTREAM/app/b", "/app/b"],
  ["of another host", "https://evil.example/", null],
  ["of another host without a scheme", "//evil.example/", null],
  ["with a backslash", "/\\evil.example/", null],
  ["with another scheme", "javascript:alert(1)", null],
  ["with a user name", "http://a@HOST/", null],
])("passes a location on the route's own origin only: %s", async (_, location, expected) => {
  const upstream = await upstreamOf((incoming, response) => {
    const own = location.replace("UPSTREAM", `http://${incoming.headers.host}`);
    response.writeHead(302, { location: own.replace("HOST", String(incoming.headers["x-forwarded-host"])) }).end();
  });
  const gateway = await routed(upstream.url);
  const response = await fetch(gateway.sign("/app/a"), { redirect: "manual" });
  expect([response.status, response.headers.get("location")]).toEqual([302, expected && gateway.url + expected]);
  expect(upstream.seen).toHaveLength(1);
});

it("refuses a body on GET, and a longer one than the limit", async () => {
  const upstream = await upstreamOf();
  const gateway = await routed(
    upstream.url,
    { methods: ["GET", "POST"] },
    { gateway: () => ({ limits: { body: 4 } }) },
  );
  const post = { methods: ["POST"] };
  const long = await fetch(gateway.sign("/app/a", post), { method: "POST", body: "12345" });
  expect(await codeOf(long)).toEqual([413, "TOO_LARGE"]);
  const message = request(gateway.sign("/app/a"), { headers: { "content-length": "1" } });
  message.end("x");
  const [response] = await once(message, "response");
  response.resume();
  expect([response.statusCode, upstream.seen]).toEqual([400, []]);
});

/** The caching headers of an answer to a URL that is valid for 60 seconds. */
async function cachingOf(
  answer: readonly string[],
  { status = 200, route = {}, sign = {} }: { status?: number; route?: object; sign?: object } = {},
): Promise<Readonly<Record<string, string>>> {
  const upstream = await upstreamOf((_, response) => response.writeHead(status, [...answer]).end());
  const gateway = await routed(upstream.url, route);
  const { headers } = await fetch(gateway.sign("/app/a", sign), { redirect: "manual" });
  // The clock continues while the request is on its way.
  const named = (value: string): string =>
    value.replace(/max-age=(\d+)/, (all, age) => (age > 30 && age <= 60 ? "max-age=REST" : all));
  const caching = [...headers].filter(([name]) => /cache|age$|expires|surrogate|edge|^vary|pragma/.test(name));
  return Object.fromEntries(caching.map(([name, value]) => [name, named(value)]));
}

it.each<readonly [sent: string | undefined, expected: string]>([
  [undefined, "private, max-age=0"],
  ["public, max-age=86400", "private, max-age=REST"],
  ["public, max-age=5, s-maxage=86400", "private, max-age=5"],
  ["s-maxage=86400, stale-while-revalidate=86400, stale-if-error=86400", "private, max-age=0"],
  ["public", "private, max-age=0"],
  ["private", "private, max-age=0"],
  ["max-age=nothing", "private, max-age=0"],
  ['private="x-name", max-age=10', "private, max-age=10"],
  ["public, max-age=10, immutable, must-revalidate", "private, max-age=10, immutable, must-revalidate"],
  ['no-cache="x-name", max-age=10', "private, max-age=10, no-cache"],
  ["no-cache", "private, max-age=0, no-cache"],
  ["no-store", "no-store"],
  ["private,no-store", "private,no-store"],
])(
  "allows no shared cache to store an answer, and no cache to keep it longer than the grant: %s",
  async (sent, expected) => {
    const answer = sent === undefined ? [] : ["cache-control", sent];
    for (const status of [200, 206, 302, 304, 404, 500]) {
      expect(await cachingOf(answer, { status })).toEqual({ "cache-control": expected, vary: "origin" });
    }
    const signed = { sign: { response: { cacheControl: sent } } };
    if (sent !== undefined) expect(await cachingOf([], signed)).toEqual({ "cache-control": expected, vary: "origin" });
  },
);

const FOR_CACHES = [
  ...["cache-control", "public", "Cache-Control", "max-age=3600", "expires", "Wed, 01 Dec 2100 00:00:00 GMT"],
  ...[
    "age",
    "1",
    "surrogate-control",
    "max-age=3600",
    "cdn-cache-control",
    "max-age=3600",
    "edge-control",
    "max-age=1h",
  ],
  ...["Cloudflare-CDN-Cache-Control", "max-age=3600", "Vercel-CDN-Cache-Control", "max-age=3600", "vary", "accept"],
];

it("drops the headers that only caches read, and joins repeated ones, unless the route allows shared caches", async () => {
  expect(await cachingOf(FOR_CACHES)).toEqual({ "cache-control": "private, max-age=REST", vary: "accept, origin" });
  const shared = await cachingOf(FOR_CACHES, { route: { sharedCaches: true } });
  expect(shared).toMatchObject({ "cache-control": "public, max-age=3600", "surrogate-control": "max-age=3600" });
  expect(shared).toMatchObject({ "cdn-cache-control": "max-age=3600", expires: "Wed, 01 Dec 2100 00:00:00 GMT" });
  const signed = { route: { sharedCaches: true }, sign: { response: { cacheControl: "public,max-age=90" } } };
  expect(await cachingOf(FOR_CACHES, signed)).toMatchObject({ "cache-control": "public,max-age=90" });
  expect(await cachingOf([], { route: { sharedCaches: true } })).toEqual({
    "cache-control": "private",
    vary: "origin",
  });
});

it("counts the rest of a grant from the answer, when the upstream was slow", async () => {
  let advance = (): void => undefined;
  const upstream = await upstreamOf((_, response) => {
    advance();
    response.writeHead(200, { "cache-control": "max-age=3600" }).end();
  });
  const gateway = await routed(upstream.url);
  advance = () => gateway.advance(45);
  const { headers } = await fetch(gateway.sign("/app/a"));
  const [, age] = /^private, max-age=(\d+)$/.exec(headers.get("cache-control") ?? "") ?? [];
  expect(Number(age)).toBeLessThanOrEqual(15);
});

it("passes no Set-Cookie2, which old clients read as a cookie", async () => {
  const upstream = await upstreamOf((_, response) => response.writeHead(200, ["set-cookie2", "dp-visit=1"]).end());
  for (const cookies of [false, true]) {
    const gateway = await routed(upstream.url, { cookies });
    expect((await fetch(gateway.sign("/app/a"))).headers.get("set-cookie2")).toBeNull();
  }
});
