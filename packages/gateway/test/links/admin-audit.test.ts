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

it("records each call of the admin API that changes something or is refused, and never a token", async () => {
  const token = await tokenOf({ scopes: ["links:read"] });
  await call("/links", { method: "POST", headers: token, body: { target: "media/film.mp4" } });
  await call("/links");
  await call("/tokens", { headers: token });
  await local("/tokens");
  const calls = (await records()).filter(({ action }) => action === "admin.call");
  expect(calls.map(({ detail, result }) => [detail, result])).toEqual([
    ["POST /tokens", "ok"],
    ["POST /links", "TOKEN_SCOPE"],
    ["GET /links", "NO_TOKEN"],
    ["GET /tokens", "TOKEN_SCOPE"],
  ]);
  expect(calls.map(({ by }) => by.replace(/:.*/, ""))).toEqual(["operator", "token", "unknown", "token"]);
  expect(JSON.stringify(await records())).not.toContain(token.authorization.slice(7));
});

it("records who reads recipients or the audit once in an hour", async () => {
  const { link } = await bench.make();
  const reads = async () =>
    (await records()).filter(({ action, detail }) => action === "admin.call" && detail.startsWith("GET"));
  const before = (await reads()).length;
  const headers = await tokenOf({ scopes: ["links:read", "audit:read"] });
  const readAll = async () => {
    for (const path of ["/links", `/links/${link.id}`, `/links/${link.id}/deliveries`]) await local(path);
    for (const path of ["/audit/records?writer=main", "/audit/writers", "/links"]) await call(path, { headers });
  };
  const seen = async () =>
    (await reads()).slice(before).map(({ by, detail }) => `${by.replace(/:.*/, "")} ${detail.split("?")[0]}`);
  await readAll();
  await readAll();
  const once = ["operator GET /links", "token GET /audit/records", "token GET /links"];
  expect(await seen()).toEqual(once);
  bench.now += 60 * 60 * 1000;
  await readAll();
  expect(await seen()).toEqual([...once, ...once]);
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

it.each<readonly [method: string, path: string, body: object | undefined, detail: string]>([
  ["POST", "/tokens", {}, "scopes is missing. Send a list."],
  ["POST", "/tokens", [], "the body is of the wrong type. Send an object."],
  ["POST", "/tokens", { scopes: [] }, "scopes is too small. Send 1 or more entries."],
  [
    "POST",
    "/tokens",
    { scopes: ["links:raed"] },
    "scopes.0 is not a known value. Send one of links:read, links:write, claims:write, keys:read, keys:write, audit:read, objects:read.",
  ],
  [
    "POST",
    "/links",
    { target: "media/film.mp4", maxDelivery: 1 },
    "maxDelivery is not a field of this call. Check its spelling, or see /openapi.json.",
  ],
  [
    "POST",
    "/links",
    { target: "media/film.mp4", response: { type: "text/plain" } },
    "response.type is not a field of this call. Check its spelling, or see /openapi.json.",
  ],
  ["POST", "/links", { target: "media/film.mp4", maxDeliveries: 0 }, "maxDeliveries is too small. Send more than 0."],
  [
    "POST",
    "/links",
    { target: "media/film.mp4", maxDeliveries: 1.5 },
    "maxDeliveries is of the wrong type. Send a whole number.",
  ],
  [
    "POST",
    "/links",
    { target: "media/film.mp4", password: "secret".repeat(50) },
    "password is too large. Send at most 256 characters.",
  ],
  [
    "POST",
    "/links",
    { target: "media/film.mp4", expiresAt: "tomorrow" },
    "expiresAt is not a date with a time. Send one such as 2026-12-08T12:00:00Z.",
  ],
  ["GET", "/links?limit=1001", undefined, "limit is too large. Send at most 1000."],
])("names the field that %s %s %j gets wrong, and what to send", async (method, path, body, detail) => {
  const answer = await call(path, { method, ...(body && { body }) }, true);
  expect(answer).toMatchObject({ status: 400, body: { code: "INVALID_INPUT", detail } });
});

it("reports the reason of an unexpected error to the gateway only", async () => {
  const reasons: unknown[] = [];
  const storage = { ...bench.storage, head: () => Promise.reject(new Error("the disk is broken")) };
  const failing = adminCalls(bench, { storage, onError: (error) => reasons.push(error) });
  const body = { target: "media/film.mp4" };
  expect(await failing("/links", { method: "POST", body }, true)).toMatchObject({
    status: 500,
    body: { code: "INTERNAL", detail: "the gateway failed; its log has the reason" },
  });
  expect(reasons.map(String)).toEqual(["Error: the disk is broken"]);
});
