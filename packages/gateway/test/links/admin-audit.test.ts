import { expect, it } from "vitest";
import { adminCalls } from "./admin-calls.ts";
import { linkBench } from "./link-bench.ts";

const bench = linkBench();
const call = adminCalls(bench);
const local = (path: string, body?: object, method = body === undefined ? "GET" : "POST") =>
  call(path, { method, ...(body === undefined ? {} : { body }) }, true);

async function tokenOf(input: object): Promise<{ readonly authorization: string }> {
  return { authorization: `Bearer ${(await local("/tokens", { label: "t", ...input })).body.token}` };
}

const records = async () =>
  (await bench.links.state.auditRecords({ writer: "main", after: 0, limit: 1000 })).map(({ record }) =>
    JSON.parse(record),
  );

it("puts each call of the admin API on record, refused ones too, and never a token", async () => {
  const token = await tokenOf({ scopes: ["links:read"] });
  await call("/links", { headers: token });
  await call("/links", { method: "POST", headers: token, body: { target: "media/film.mp4" } });
  await call("/links");
  await call("/tokens", { headers: token });
  const calls = (await records()).filter(({ action }) => action === "admin.call");
  expect(calls.map(({ detail, result }) => [detail, result])).toEqual([
    ["POST /tokens", "ok"],
    ["GET /links", "ok"],
    ["POST /links", "TOKEN_SCOPE"],
    ["GET /links", "NO_TOKEN"],
    ["GET /tokens", "TOKEN_SCOPE"],
  ]);
  expect(calls.map(({ by }) => by.replace(/:.*/, ""))).toEqual(["operator", "token", "token", "unknown", "token"]);
  expect(JSON.stringify(await records())).not.toContain(token.authorization.slice(7));
});

it.each([
  ["a token without the scope", { scopes: ["links:read"] }, 403],
  ["a token for one bucket", { scopes: ["audit:read"], buckets: ["media"] }, 403],
  ["a token for a prefix", { scopes: ["audit:read"], prefix: "a/" }, 403],
  ["a token with the scope", { scopes: ["audit:read"] }, 200],
] as const)("answers the audit to %s with its status", async (_, input, status) => {
  const headers = await tokenOf(input);
  for (const path of ["/audit/writers", "/audit/records?writer=main"]) {
    expect((await call(path, { headers })).status).toBe(status);
  }
  const refused = status === 403 ? 403 : 404;
  expect((await call("/audit/receipts/main/1", { headers })).status).toBe(refused);
});

it("shows a token only its own webhooks and dead letters, for its own links", async () => {
  const headers = await tokenOf({ scopes: ["links:read", "links:write"] });
  const url = "https://hooks.example/";
  const { link } = await bench.make();
  expect((await call("/webhooks", { method: "POST", headers, body: { url, link: link.id } })).status).toBe(404);
  const own = (await call("/webhooks", { method: "POST", headers, body: { url } })).body;
  const other = (await local("/webhooks", { url, events: ["link.viewed"], link: link.id })).body;
  expect([own.secret, other.secret].map((secret) => /^whsec_/.test(secret))).toEqual([true, true]);
  expect((await call("/webhooks", { headers })).body.items).toEqual([expect.objectContaining({ id: own.id })]);
  expect((await local("/webhooks")).body.items).toHaveLength(2);
  const { state } = bench.links;
  await state.record({ action: "link.viewed", by: "holder", result: "ok", link: link.id });
  const [waiting] = await state.takeNotifications(1, 1000);
  await state.settleNotification(waiting?.id ?? 0, { sent: false, error: "status 410" });
  expect((await call("/dead-letters", { headers })).body.items).toEqual([]);
  expect((await local("/dead-letters")).body.items).toEqual([
    expect.objectContaining({ webhook: other.id, failures: 1 }),
  ]);
  const resend = `/dead-letters/${waiting?.id}/resend`;
  expect((await call(resend, { method: "POST", headers })).status).toBe(404);
  expect((await call(`/webhooks/${other.id}`, { method: "DELETE", headers })).status).toBe(404);
  expect((await local(resend, undefined, "POST")).body).toEqual({ resent: 1 });
  expect((await call(`/webhooks/${own.id}`, { method: "DELETE", headers })).status).toBe(204);
});

it.each(["https://127.0.0.1/", "http://hooks.example/", "https://[::ffff:a9fe:a9fe]/", "file:///etc/passwd"])(
  "refuses a webhook to %s when it is created",
  async (url) => {
    const { status, body } = await local("/webhooks", { url });
    expect([status, body.code]).toEqual([400, "TARGET_REFUSED"]);
  },
);
