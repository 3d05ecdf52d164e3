import { expect, expectTypeOf, it } from "vitest";
import type { linkActionRoutes } from "../../src/admin/link-actions.ts";
import type { AnswerOf, Handlers } from "../../src/admin/routes.ts";
import type { tokenRoutes } from "../../src/admin/tokens.ts";
import { adminCalls } from "./admin-calls.ts";
import { linkBench } from "./link-bench.ts";

const bench = linkBench();
const keys = { list: async () => [], create: () => expect.fail(), revoke: () => expect.fail() };
const call = adminCalls(bench, { keys });

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly object[];
  readonly responses: object;
}

async function operations(): Promise<[name: string, Operation][]> {
  const { paths } = (await call("/openapi.json")).body as { paths: Record<string, Record<string, Operation>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => [`${method.toUpperCase()} ${path}`, one] as [string, Operation]),
  );
}

it("describes the API to callers without a token, and answers them nothing else", async () => {
  expect((await call("/openapi.json", { headers: { host: "evil.example" } })).status).toBe(403);
  const all = await operations();
  expect(all.length).toBeGreaterThan(25);
  // It takes a ticket in place of a token.
  const closed = all.map(([one]) => one).filter((name) => name !== "POST /session");
  for (const name of [...closed, "GET /openapi.json/", "GET /OpenAPI.json", "DELETE /tokens"]) {
    const [method = "", path = ""] = name.split(" ");
    const { status, body } = await call(path, method === "GET" ? { method } : { method, body: {} });
    expect([name, status, body.code]).toEqual([name, 401, "NO_TOKEN"]);
  }
});

it("gives every route its own name, a summary, a tag, what it needs, and its refusals", async () => {
  const all = await operations();
  expect(new Set(all.map(([, { operationId }]) => operationId)).size).toBe(all.length);
  for (const [name, { operationId, summary, tags, security, responses }] of all) {
    expect([name, operationId]).toEqual([name, expect.stringMatching(/^[a-z][A-Za-z]+$/)]);
    expect([name, summary]).toEqual([name, expect.stringMatching(/^[A-Z].*[^.]$/)]);
    const needed = name === "POST /session" ? [] : [{ bearer: expect.any(Array) }];
    expect([name, tags.length, security]).toEqual([name, 1, needed]);
    expect([name, Object.keys(responses)]).toEqual([name, [expect.stringMatching(/^20[014]$/), "4XX", "5XX"]]);
  }
});

it("refuses to compile an answer that its row does not describe, and a table without one of its handlers", () => {
  type Actions = Handlers<typeof linkActionRoutes>;
  type Link = AnswerOf<(typeof linkActionRoutes)["POST /links/{id}/resume"]>;
  expectTypeOf<() => Promise<Link>>().toExtend<Actions["POST /links/{id}/resume"]>();
  expectTypeOf<() => Promise<Omit<Link, "used">>>().not.toExtend<Actions["POST /links/{id}/resume"]>();
  expectTypeOf<() => Promise<Omit<Link, "used"> & { used: string }>>().not.toExtend<
    Actions["POST /links/{id}/resume"]
  >();
  expectTypeOf<Omit<Actions, "POST /links/{id}/resume">>().not.toExtend<Actions>();
  expectTypeOf<AnswerOf<(typeof tokenRoutes)["DELETE /tokens/{id}"]>>().toEqualTypeOf<undefined>();
});
