import { expect, it } from "vitest";
import { adminSessions } from "../../src/admin/index.ts";
import { adminCalls, adminOrigin } from "./admin-calls.ts";
import { linkBench } from "./link-bench.ts";

const bench = linkBench();
const MINUTE = 60_000;

/** An API whose sessions a test can open. */
function console() {
  const sessions = adminSessions(bench.clock);
  const call = adminCalls(bench, { sessions });
  const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });
  const ticket = async () => {
    const { body } = await call("/tickets", { method: "POST" }, true);
    return new URL(body.url).hash.replace("#ticket=", "");
  };
  const open = (from: string) => call("/session", { method: "POST", body: { ticket: from } });
  return { call, bearer, ticket, open };
}

it("opens one session with a ticket of the operator, whose secret is in the fragment", async () => {
  const { call, bearer, open } = console();
  const { body } = await call("/tickets", { method: "POST" }, true);
  const url = new URL(body.url);
  expect([url.origin, url.pathname, url.search]).toEqual([adminOrigin, "/ui/", ""]);
  const ticket = url.hash.replace("#ticket=", "");
  const session = await open(ticket);
  expect([session.status, session.body.until]).toEqual([201, new Date(bench.now + 720 * MINUTE).toISOString()]);
  expect((await open(ticket)).body.code).toBe("NO_TICKET");
  const headers = bearer(session.body.token);
  expect((await call("/session", { headers })).body).toEqual({ owner: "operator", until: session.body.until });
  expect((await call("/tokens", { headers })).status).toBe(200);
});

it("refuses a ticket that is older than a minute, a made-up one, and one as a bearer", async () => {
  const { call, bearer, ticket, open } = console();
  const old = await ticket();
  bench.now += MINUTE;
  const fresh = await ticket();
  expect((await open(old)).status).toBe(401);
  expect((await open("A".repeat(43))).status).toBe(401);
  expect((await call("/session", { headers: bearer(fresh) })).body.code).toBe("NO_TOKEN");
  expect((await open(fresh)).status).toBe(201);
});

it("ends a session after 12 hours, when its holder ends it, and while the clock is far behind", async () => {
  const { call, bearer, ticket, open } = console();
  const session = async () => bearer((await open(await ticket())).body.token);
  const [first, second] = [await session(), await session()];
  const status = async (headers: Record<string, string>) => (await call("/session", { headers })).status;
  expect((await call("/session", { method: "DELETE", headers: first })).status).toBe(204);
  expect([await status(first), await status(second)]).toEqual([401, 200]);
  bench.now -= MINUTE;
  expect(await status(second)).toBe(401);
  bench.now += 720 * MINUTE;
  expect(await status(second)).toBe(200);
  bench.now += MINUTE;
  expect(await status(second)).toBe(401);
});

it("leaves to the command line what a browser must not do: tickets, backups, and the end of a stopped audit", async () => {
  const { call, bearer, ticket, open } = console();
  const headers = bearer((await open(await ticket())).body.token);
  for (const [path, body] of [
    ["/tickets", undefined],
    ["/backup", { path: "/tmp/copy.db" }],
    ["/audit/accept-restore", undefined],
  ] as const) {
    const { status, body: problem } = await call(path, { method: "POST", headers, ...(body && { body }) });
    expect([path, status, problem.code]).toEqual([path, 403, "TOKEN_SCOPE"]);
  }
});

it("refuses an operator's address if no listener serves the console", async () => {
  const call = adminCalls(bench);
  expect((await call("/tickets", { method: "POST" }, true)).body.code).toBe("NO_LISTENER");
  expect((await call("/session", { method: "POST", body: { ticket: "A".repeat(43) } })).status).toBe(401);
});

it("lists buckets and a folder of one page by page, as far as the caller's token goes", async () => {
  const call = adminCalls(bench);
  const names = async (path: string, headers?: Record<string, string>) => {
    const { status, body } = await call(path, { ...(headers && { headers }) }, headers === undefined);
    return status === 200
      ? body.items.map((item: { key?: string; name?: string }) => item.key ?? item.name)
      : [status, body.code];
  };
  expect(await names("/buckets")).toContain("media");
  const all = await names("/objects?bucket=media");
  expect(all.length).toBeGreaterThan(1);
  const pages: string[] = [];
  for (let next = ""; ; ) {
    const { body } = await call(`/objects?bucket=media&limit=1${next && `&cursor=${next}`}`, {}, true);
    pages.push(...body.items.map(({ key }: { key: string }) => key));
    if (body.next === undefined) break;
    next = body.next;
  }
  expect(pages).toEqual(all);
  const input = { scopes: ["objects:read"], buckets: ["media"], prefix: "album/" };
  const { body: token } = await call("/tokens", { method: "POST", body: input }, true);
  const headers = { authorization: `Bearer ${token.token}` };
  expect(await names("/buckets", headers)).toEqual(["media"]);
  expect((await names("/objects?bucket=media&prefix=album/", headers))[0]).not.toBe(403);
  for (const query of ["bucket=media", "bucket=media&prefix=al", "bucket=media&prefix=album/../", "bucket=other"])
    expect([query, await names(`/objects?${query}`, headers)]).toEqual([query, [403, "TOKEN_SCOPE"]]);
  expect(await names("/objects?bucket=none")).toEqual([400, "NO_SUCH_BUCKET"]);
  expect(await names("/objects?bucket=media&cursor=%7B")).toEqual([400, "INVALID_INPUT"]);
});
