import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openLinks } from "@daypass/gateway";
import { adminApi } from "@daypass/gateway/admin";
import { sqliteState } from "@daypass/gateway/state";
import { s3Signer } from "daypass/s3";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../../../tools/free-port.ts";
import { adminKeys } from "../src/admin/admin-keys.ts";
import { keyStore } from "../src/state-folder/key-store.ts";
import { daypass, temporaryFolder } from "./command.ts";
import { serve, status } from "./serving.ts";

const NOW = new Date("2026-12-01T12:00:00Z");
const clock = () => NOW;

/** The admin API over its own key store and state, with a caller for each token. */
async function apiOf({ hasKeys = true } = {}) {
  const folder = temporaryFolder();
  const state = await sqliteState({ path: join(folder, "state.db"), clock });
  onTestFinished(() => state.close());
  const store = keyStore({ folder, env: {}, clock });
  const none = () => Promise.reject(new Error("no storage"));
  const options = {
    links: await openLinks({ state, clock }),
    storage: { head: none, list: none, buckets: none },
    origin: "http://127.0.0.1:1",
    origins: ["http://127.0.0.1:2"],
    identify: () => Promise.reject(new Error("no URL")),
    keys: hasKeys ? adminKeys(store) : undefined,
    clock,
    onError: (error: unknown) => expect.fail(String(error)),
  };
  const send = async (isLocal: boolean, [method, path, body]: Call, token = "") => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await adminApi({ ...options, isLocal }).fetch(new Request(`http://127.0.0.1:2${path}`, init));
    return { status: response.status, body: JSON.parse((await response.text()) || "{}") };
  };
  const local = (...call: Call) => send(true, call);
  const as = async (limits: object, ...call: Call) =>
    send(false, call, (await local("POST", "/tokens", { scopes: ["keys:read", "keys:write"], ...limits })).body.token);
  return { store, state, local, as };
}

type Call = [method: string, path: string, body?: object];

test("a created key signs at every worker, and is refused after its revocation", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "files"));
  writeFileSync(join(folder, "files/a.txt"), "first");
  const [config, listen] = [join(folder, "config.json"), `127.0.0.1:${await freePort()}`];
  writeFileSync(config, JSON.stringify({ root: ".", workers: 2, admin: { listen } }));
  const { said } = await serve(folder, "--port", "0", "--config", config);
  const scopes = ["--scope", "keys:read", "--scope", "keys:write", "--bucket", "files"];
  const made = await daypass(["tokens", "create", ...scopes, "--state", join(folder, ".daypass")]);
  const headers = { authorization: `Bearer ${made.stdout.trim()}`, "content-type": "application/json" };
  const call = (method: string, path: string, body?: object) =>
    fetch(`http://${listen}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  const created = await call("POST", "/keys", { kind: "s3", label: "shop", scope: { buckets: ["files"] } });
  const { id, secretAccessKey } = (await created.json()) as { readonly id: string; readonly secretAccessKey: string };
  expect([created.status, created.headers.get("cache-control")]).toEqual([201, "no-store"]);
  const signer = s3Signer({
    credentials: { accessKeyId: id, secretAccessKey },
    region: "us-east-1",
    endpoint: said.s3Endpoint,
    addressing: "path",
  });
  const { url } = await signer.sign({ bucket: "files", key: "a.txt", expiresIn: 60 });
  const statuses = async () => new Set(await Promise.all(Array.from({ length: 8 }, () => status(url))));
  await expect.poll(statuses, { timeout: 10_000 }).toEqual(new Set([200]));
  const listed = await (await call("GET", "/keys")).text();
  expect(JSON.parse(listed).items).toEqual([
    {
      id,
      kind: "s3",
      algorithm: "AWS4-HMAC-SHA256",
      label: "shop",
      scope: { buckets: ["files"] },
      createdAt: expect.any(String),
    },
  ]);
  expect(listed).not.toContain(secretAccessKey);
  expect((await call("DELETE", `/keys/${id}`)).status).toBe(204);
  await expect.poll(statuses, { timeout: 10_000 }).toEqual(new Set([403]));
});

const scope = { buckets: ["media"], prefix: "talks/" };
const s3 = (more: object = {}) => ({ kind: "s3", scope: { ...scope, ...more } });

test("a token with limits creates, sees and revokes only S3 keys within them", async () => {
  const { store, local, as } = await apiOf();
  const refused = [
    ["no scope", { kind: "s3" }],
    ["no bucket", s3({ buckets: undefined })],
    ["another bucket", s3({ buckets: ["media", "other"] })],
    ["no prefix", s3({ prefix: undefined })],
    ["a wider prefix", s3({ prefix: "t" })],
    ["a prefix of a sibling", s3({ prefix: "talks" })],
    ["a prefix with dot segments", s3({ prefix: "talks/../" })],
    ["a URL key", { kind: "url", scope: { prefix: "/talks/" } }],
  ] as const;
  for (const [name, body] of refused) {
    const { status, body: problem } = await as(scope, "POST", "/keys", body);
    expect([name, status, problem.code]).toEqual([name, 403, "TOKEN_SCOPE"]);
  }
  expect(await store.list()).toEqual([]);
  const all = await Promise.all([
    local("POST", "/keys", { kind: "s3" }),
    local("POST", "/keys", { kind: "url", ed25519: true }),
    as(scope, "POST", "/keys", s3({ prefix: "talks/2026/" })),
  ]);
  expect(all.map(({ status }) => status)).toEqual([201, 201, 201]);
  const [everything, url, own] = all.map(({ body }) => body);
  expect(url.jwk).toMatchObject({ kid: url.id, d: expect.any(String) });
  expect((await as(scope, "GET", "/keys")).body.items).toMatchObject([{ id: own.id }]);
  expect((await as({}, "GET", "/keys")).body.items).toHaveLength(3);
  for (const { id } of [everything, url]) {
    expect((await as(scope, "DELETE", `/keys/${id}`)).body.code).toBe("NO_SUCH_KEY");
  }
  expect((await as(scope, "DELETE", `/keys/${own.id}`)).status).toBe(204);
  expect((await store.active()).map(({ record }) => record.id).sort()).toEqual([everything.id, url.id].sort());
});

test.each([
  ["GET", "/keys", ["keys:write", "links:read"], undefined],
  ["POST", "/keys", ["keys:read", "links:write"], s3()],
  ["DELETE", "/keys/DP1", ["keys:read", "links:write"], undefined],
] as const)("refuses %s %s of a token with the scopes %j", async (method, path, scopes, body) => {
  const { status, body: problem } = await (await apiOf()).as({ scopes }, method, path, body);
  expect([status, problem.code]).toEqual([403, "TOKEN_SCOPE"]);
});

test("refuses keys that would be malformed, or could grant nothing", async () => {
  const { store, local } = await apiOf();
  const bodies = [
    [{}, "INVALID_INPUT"],
    [{ kind: "s3", secret: "x" }, "INVALID_INPUT"],
    [s3({ bucket: "media" }), "INVALID_INPUT"],
    [s3({ buckets: [] }), "INVALID_INPUT"],
    [s3({ buckets: ["media/talks"] }), "INVALID_INPUT"],
    [s3({ methods: ["get"] }), "INVALID_INPUT"],
    [s3({ origins: ["https://api.example.com"] }), "INVALID_INPUT"],
    [s3({ until: "2026-12-01T12:00:00Z" }), "INVALID_INPUT"],
    [{ ...s3(), ed25519: true }, "INVALID_INPUT"],
    [{ kind: "url", scope: { buckets: ["media"] } }, "INVALID_INPUT"],
    [{ kind: "url", scope: { prefix: "talks" } }, "INVALID_KEY"],
    [{ kind: "url", scope: { origins: ["https://api.example.com/"] } }, "INVALID_KEY"],
  ] as const;
  for (const [body, code] of bodies) {
    const answer = await local("POST", "/keys", body);
    expect([body, answer.status, answer.body.code]).toEqual([body, 400, code]);
  }
  expect(await store.list()).toEqual([]);
});

test("records created and revoked keys, without their secrets", async () => {
  const { state, local } = await apiOf();
  const { id, secretAccessKey } = (await local("POST", "/keys", s3({ until: "2026-12-02T12:00:00+02:00" }))).body;
  await local("DELETE", `/keys/${id}`);
  expect((await local("GET", "/keys")).body.items).toMatchObject([
    { scope: { until: "2026-12-02T10:00:00.000Z" }, revokedAt: NOW.toISOString() },
  ]);
  const records = (await state.auditRecords({ writer: "main", after: 0, limit: 100 })).map(({ record }) => record);
  const keyed = records.map((record) => JSON.parse(record)).filter(({ action }) => action.startsWith("key."));
  expect(keyed.map(({ action, by, subject }) => [action, by, subject])).toEqual([
    ["key.created", "operator", id],
    ["key.revoked", "operator", id],
  ]);
  expect(records.join()).not.toContain(secretAccessKey);
});

test("describes the routes of keys only if the gateway has a key store", async () => {
  const paths = async (options?: object) =>
    Object.keys((await (await apiOf(options)).local("GET", "/openapi.json")).body.paths);
  expect(await paths()).toEqual(expect.arrayContaining(["/keys", "/keys/{id}"]));
  expect((await paths({ hasKeys: false })).filter((path) => path.startsWith("/keys"))).toEqual([]);
});
