import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { openLinks } from "@daypass/gateway";
import { type AdminApi, adminApi } from "@daypass/gateway/admin";
import { disk } from "@daypass/gateway/disk";
import { sqliteState } from "@daypass/gateway/state";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import openapiTS, { astToString } from "openapi-typescript";
import { afterAll, beforeAll, expect, test } from "vitest";

// Below this folder, so that a compiled client finds the packages.
const results = fileURLToPath(new URL("../.test-results/", import.meta.url));
const tsc = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));
const ORIGIN = "http://127.0.0.1:8081";
const clock = () => new Date("2026-12-01T12:00:00Z");

let folder: string;
let document: string;
let token: string;
let apiFor: (isLocal: boolean) => AdminApi;
let close: () => Promise<void>;

beforeAll(async () => {
  mkdirSync(results, { recursive: true });
  folder = mkdtempSync(join(results, "admin-"));
  mkdirSync(join(folder, "root/media"), { recursive: true });
  writeFileSync(join(folder, "root/media/a.txt"), "a");
  const state = await sqliteState({ path: join(folder, "state.db"), clock });
  close = () => state.close();
  const links = await openLinks({ state, clock });
  const storage = await disk({ root: join(folder, "root") });
  const keys = { isCopied: true, list: async () => [], create: () => expect.fail(), revoke: async () => undefined };
  const identify = () => expect.fail();
  const onError = (error: unknown) => expect.fail(String(error));
  apiFor = (isLocal) =>
    adminApi({ links, storage, keys, clock, identify, onError, isLocal, origin: ORIGIN, origins: [ORIGIN] });
  document = await (await apiFor(false).fetch(new Request(`${ORIGIN}/openapi.json`))).text();
  const body = JSON.stringify({ scopes: ["links:read", "links:write"], buckets: ["media"] });
  const headers = { "content-type": "application/json" };
  const made = await apiFor(true).fetch(new Request(`${ORIGIN}/tokens`, { method: "POST", headers, body }));
  ({ token } = (await made.json()) as { token: string });
});

afterAll(async () => {
  await close();
  rmSync(folder, { recursive: true });
});

test("Redocly accepts the document of the admin API, with the strict form of its recommended rules", async () => {
  const config = await createConfig({ extends: ["recommended-strict"] });
  const problems = await lintFromString({ source: document, absoluteRef: "/openapi.json", config });
  const texts = problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]);
  expect(texts).toEqual([]);
});

/** Compiles a program beside the client that openapi-typescript generates. */
async function compiled(name: string, program: string) {
  const place = join(folder, name);
  mkdirSync(place);
  writeFileSync(join(place, "package.json"), '{ "type": "module" }');
  writeFileSync(join(place, "paths.d.ts"), astToString(await openapiTS(document)));
  writeFileSync(join(place, "program.ts"), program);
  const options = [
    "--ignoreConfig",
    "--strict",
    "--module",
    "nodenext",
    "--target",
    "es2022",
    "--lib",
    "es2023,dom",
    "--skipLibCheck",
  ];
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, "program.ts"], { cwd: place });
  return { status, errors: String(stdout), module: pathToFileURL(join(place, "program.js")).href };
}

const client = (work: string) => `import createClient from "openapi-fetch";
import type { paths } from "./paths.js";
export async function work(fetch: (request: Request) => Promise<Response>, token: string) {
  const client = createClient<paths>({ baseUrl: "${ORIGIN}", fetch, headers: { authorization: "Bearer " + token } });
  ${work}
}`;

test("a client that openapi-typescript generates creates, edits and lists links", async () => {
  const { status, errors, module } = await compiled(
    "right",
    client(`const { data: link, error } = await client.POST("/links", { body: { target: "media/a.txt", maxDeliveries: 2 } });
  if (link === undefined) throw new Error(error.code + ": " + error.detail);
  const path = { id: link.id };
  const header = { "if-match": "*" };
  const edited = await client.PATCH("/links/{id}", { params: { path, header }, body: { label: "a" } });
  const listed = await client.GET("/links", { params: { query: { limit: 5 } } });
  const refused = await client.POST("/backup", { body: { path: "/tmp/a" } });
  const labels = listed.data?.items.map(({ label, maxDeliveries, used }) => ({ label, maxDeliveries, used }));
  return { label: edited.data?.label, labels, refused: refused.error?.code };`),
  );
  expect([status, errors]).toEqual([0, ""]);
  const { work } = await import(module);
  expect(await work((request: Request) => apiFor(false).fetch(request), token)).toEqual({
    label: "a",
    labels: [{ label: "a", maxDeliveries: 2, used: 0 }],
    refused: "TOKEN_SCOPE",
  });
});

test("a client that openapi-typescript generates does not compile with a wrong path, body or field", async () => {
  const { errors } = await compiled(
    "wrong",
    client(`await client.GET("/link");
  await client.POST("/links", { body: { target: 1 } });
  return (await client.GET("/tokens")).data?.items[0]?.hash;`),
  );
  const lines = [...errors.matchAll(/^program\.ts\((\d+),/gm)].map(([, line]) => Number(line));
  expect(lines).toEqual([5, 6, 7]);
});
