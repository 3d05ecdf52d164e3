import { describe, expect, it } from "vitest";
import { adminApi } from "../../src/admin/index.ts";
import { adminCalls, adminOrigin } from "./admin-calls.ts";
import { linkBench } from "./link-bench.ts";

const bench = linkBench();
const call = adminCalls(bench);

async function token(...scopes: string[]) {
  const { body } = await call("/tokens", { method: "POST", body: { scopes } }, true);
  return { id: body.id, headers: { authorization: `Bearer ${body.token}` } };
}

const post = (path: string, headers: Record<string, string>, body?: object) =>
  call(path, { method: "POST", headers, ...(body && { body }) });
const asOperator = (path: string, body?: object) => call(path, { method: "POST", ...(body && { body }) }, true);
const codeOf = async (response: Response) => ((await response.json()) as { readonly code: string }).code;
const status = async (id: string) => (await bench.get(`/l/${id}`)).status;

describe("a token cannot undo a revocation of the operator", () => {
  const target = { target: "media/film.mp4" };

  it.each([
    ["of a link that is open", [], "revoke"],
    ["of a link that the token revoked before", ["revoke"], "revoke"],
    ["by address of a link that is open", [], "address"],
    ["by address of a link that the token revoked before", ["revoke"], "address"],
  ] as const)("%s", async (_, before, way) => {
    const { headers } = await token("links:read", "links:write");
    const { id, url } = (await post("/links", headers, target)).body;
    for (const action of before) await post(`/links/${id}/${action}`, headers);
    if (way === "revoke") await asOperator(`/links/${id}/revoke`);
    else await asOperator("/revocations", { url });
    // A repeated revocation must not enable the token to restore.
    await post(`/links/${id}/revoke`, headers);
    const restored = await post(`/links/${id}/restore`, headers);
    if (way === "revoke") expect([restored.status, restored.body.code]).toEqual([403, "REVOKED_BY_OPERATOR"]);
    expect(await status(id)).toBe(410);
  });

  it("and restores a link that it revoked itself, as the operator does", async () => {
    const { headers } = await token("links:read", "links:write");
    const { id } = (await post("/links", headers, target)).body;
    for (const restore of [() => post(`/links/${id}/restore`, headers), () => asOperator(`/links/${id}/restore`)]) {
      await post(`/links/${id}/revoke`, headers);
      expect(await status(id)).toBe(410);
      expect((await restore()).body.status).toBe("open");
      expect(await status(id)).toBe(200);
    }
  });

  it("and the operator lifts both revocations at once", async () => {
    const { headers } = await token("links:read", "links:write");
    const { id } = (await post("/links", headers, target)).body;
    await post(`/links/${id}/revoke`, headers);
    await asOperator(`/links/${id}/revoke`);
    expect((await asOperator(`/links/${id}/restore`)).body.status).toBe("open");
    expect(await status(id)).toBe(200);
  });
});

it.each([
  ["by its id", (id: string) => ({ link: id })],
  ["by its address", (_: string, url: string) => ({ url })],
  ["with its owner", () => ({ key: "operator" })],
  ["with its prefix", () => ({ prefix: "media/fi" })],
])("shows a link as revoked that is refused %s, and as open when that is lifted", async (_, body) => {
  const { id, url } = (await asOperator("/links", { target: "media/film.mp4" })).body;
  const revocation = (await asOperator("/revocations", body(id, url))).body.id;
  const shown = async () => [
    (await call(`/links/${id}`, {}, true)).body.status,
    (await call("/links", {}, true)).body.items[0].status,
    await status(id),
  ];
  expect(await shown()).toEqual(["revoked", "revoked", 410]);
  await asOperator(`/revocations/${revocation}/lift`);
  expect(await shown()).toEqual(["open", "open", 200]);
});

it("a revocation is never lost to edits that run at the same time", async () => {
  const { link } = await bench.make();
  const edit = (label: string) =>
    call(`/links/${link.id}`, { method: "PATCH", body: { label }, headers: { "if-match": "*" } }, true);
  const calls = Array.from({ length: 20 }, (_, at) => [edit(String(at)), asOperator(`/links/${link.id}/revoke`)]);
  const statuses = (await Promise.all(calls.map(([, revoked]) => revoked))).map((one) => one?.status);
  await Promise.all(calls.flat());
  expect(statuses).toEqual(Array(20).fill(200));
  expect((await call(`/links/${link.id}`, {}, true)).body.status).toBe("revoked");
});

describe("a body of the admin API", () => {
  const send = (body: string | ReadableStream, headers: Record<string, string> = {}, isLocal = true) => {
    const { links, storage, clock } = bench;
    const identify = () => Promise.reject(new Error("no URL"));
    const onError = (error: unknown) => expect.fail(String(error));
    const origins = [adminOrigin];
    const api = adminApi({ links, storage, clock, isLocal, identify, onError, origin: bench.url, origins });
    const type = { "content-type": "application/json", ...headers };
    const init = { method: "POST", headers: type, body, duplex: "half" } as RequestInit;
    return api.fetch(new Request(`${adminOrigin}/links`, init));
  };
  /** 300 MB, and the number of bytes that were read. */
  const flood = () => {
    const read = { bytes: 0 };
    const chunk = new Uint8Array(65_536).fill(0x20);
    const pull = (controller: ReadableStreamDefaultController) => {
      if (read.bytes > 300_000_000) return controller.close();
      read.bytes += chunk.length;
      controller.enqueue(chunk);
    };
    return { read, body: new ReadableStream({ pull }, { highWaterMark: 0 }) };
  };

  it("is refused with 413 above 256 KB, without the rest being read", async () => {
    const { read, body } = flood();
    const response = await send(body);
    expect([response.status, await codeOf(response)]).toEqual([413, "TOO_LARGE"]);
    expect(read.bytes).toBeLessThan(400_000);
    expect((await send(" ".repeat(262_145))).status).toBe(413);
    expect((await send(JSON.stringify({ target: "media/film.mp4" }).padEnd(262_144))).status).toBe(201);
  });

  it("is not read for a token without the scope", async () => {
    const { headers } = await token("links:read");
    const { read, body } = flood();
    expect((await send(body, headers, false)).status).toBe(403);
    expect(read.bytes).toBe(0);
    expect((await send("{", headers, false)).status).toBe(403);
  });

  it.each([
    ["malformed JSON", '{"target":'],
    ["no JSON", ""],
    ["JSON that is nested deeply", "[".repeat(130_000) + "]".repeat(130_000)],
    ["JSON that is nested deeply in a field", `{"target":${'{"a":'.repeat(9000)}1${"}".repeat(9000)}}`],
  ])("is refused with 400 if it is %s", async (_, body) => {
    const response = await send(body);
    expect([response.status, await codeOf(response)]).toEqual([400, "INVALID_INPUT"]);
  });
});

describe("a repeated idempotency key", () => {
  const create = (headers: Record<string, string>, body: object) =>
    post("/links", { ...headers, "idempotency-key": "k" }, body);

  it.each([
    ["another target", { target: "media/holiday/" }],
    ["another limit", { target: "media/film.mp4", maxDeliveries: 2 }],
    ["a password", { target: "media/film.mp4", password: "secret" }],
  ])("is refused with 422 for %s, and returns the first link for the same body", async (_, other) => {
    const { headers } = await token("links:write");
    const first = await create(headers, { target: "media/film.mp4", label: "a" });
    const refused = await create(headers, other);
    expect([refused.status, refused.body.code]).toEqual([422, "IDEMPOTENCY_MISMATCH"]);
    expect((await create(headers, { label: "a", target: "media/film.mp4" })).body.id).toBe(first.body.id);
  });

  it("is refused with 422 for another password", async () => {
    const { headers } = await token("links:write");
    const body = { target: "media/film.mp4", password: "first" };
    const first = await create(headers, body);
    expect((await create(headers, { ...body, password: "second" })).status).toBe(422);
    expect((await create(headers, body)).body.id).toBe(first.body.id);
  });
});

it("the webhooks of a revoked token are removed with what waits for them", async () => {
  const { id, headers } = await token("links:read", "links:write");
  const webhook = await post("/webhooks", headers, { url: "https://example.com/" });
  const { url } = (await post("/links", headers, { target: "media/film.mp4", maxDeliveries: 2 })).body;
  await (await bench.get(`${new URL(url).pathname}?dl=0123456789abcdef`)).arrayBuffer();
  const { state } = bench.links;
  expect((await state.outboxDepth()).waiting).toBeGreaterThan(0);
  expect((await call(`/tokens/${id}`, { method: "DELETE" }, true)).status).toBe(204);
  expect([await state.listWebhooks(), await state.outboxDepth()]).toEqual([[], { waiting: 0, dead: 0 }]);
  const records = await state.auditRecords({ writer: "main", after: 0, limit: 99 });
  const removed = records.map(({ record }) => JSON.parse(record)).find(({ action }) => action === "webhook.removed");
  expect(removed).toMatchObject({ by: "operator", subject: webhook.body.id });
});

describe.each(["garbage", "!!!!", "MTIz", Buffer.from("9 \u0000").toString("base64url")])("the cursor %s", (cursor) => {
  it.each(["/links", "/revocations", "/links/ID/deliveries"])("is refused with 400 at %s", async (path) => {
    const { link } = await bench.make();
    const answer = await call(`${path.replace("ID", link.id)}?cursor=${encodeURIComponent(cursor)}`, {}, true);
    expect([answer.status, answer.body.code]).toEqual([400, "INVALID_INPUT"]);
  });
});
