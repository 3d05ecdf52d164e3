import { urlSigner } from "daypass/url";
import { expect, it } from "vitest";
import { adminCalls } from "./admin-calls.ts";
import { linkBench, URL_KEY } from "./link-bench.ts";

const bench = linkBench();
const call = adminCalls(bench);
const use = { keyId: "k1", grantId: "pPgjvnZJ2Sg1KVLjp1K6MQ", uses: 2, until: "2026-12-02T12:00:00Z" };

async function claim(input: object, body: object = use) {
  const { body: token } = await call("/tokens", { method: "POST", body: input }, true);
  return call("/claims", { method: "POST", body, headers: { authorization: `Bearer ${token.token}` } });
}

it("counts each call of POST /claims as a use, in the same count as the gateway", async () => {
  const scopes = ["claims:write"];
  expect(await claim({ scopes })).toEqual({ status: 200, body: { claimed: true } });
  const until = Date.parse(use.until);
  expect(await bench.links.state.claimUse({ kid: use.keyId, grantId: use.grantId, uses: 2, until })).toBe(true);
  expect(await claim({ scopes })).toEqual({ status: 200, body: { claimed: false } });
  expect((await claim({ scopes }, { ...use, grantId: "another" })).body).toEqual({ claimed: true });
});

it("after a restore, refuses uses of older URLs and every POST /claims until lost-uses is lifted, but no URL that was not valid yet", async () => {
  const sign = (notBefore?: Date) =>
    urlSigner({ key: URL_KEY, clock: bench.clock }).sign({
      url: `${bench.url}/media/film.mp4`,
      methods: ["GET"],
      expiresIn: 3600,
      uses: 1,
      notBefore,
    }).url;
  const [old, later] = [sign(), sign(new Date(bench.now + 120_000))];
  const get = async (url: string) => (await fetch(url)).status;
  bench.now += 60_000;
  expect([await get(old), await get(old)]).toEqual([200, 403]);
  await bench.links.state.beginRun(undefined);
  await bench.links.state.beginRun("the run of a lost state");
  bench.now += 60_000;
  const scopes = ["claims:write"];
  expect([await get(old), await get(later), (await claim({ scopes })).body]).toEqual([403, 200, { claimed: false }]);
  const lifted = await call("/revocations/lost-uses/lift", { method: "POST" }, true);
  expect(lifted.body).toMatchObject({ kind: "uses-before", liftedAt: "2026-12-01T12:02:00.000Z" });
  expect((await claim({ scopes })).body).toEqual({ claimed: true });
});

it.each([
  ["without the scope", { scopes: ["links:read", "links:write", "audit:read"] }],
  ["for one bucket", { scopes: ["claims:write"], buckets: ["media"] }],
  ["for no bucket", { scopes: ["claims:write"], buckets: [] }],
  ["for a prefix", { scopes: ["claims:write"], prefix: "a/" }],
])("refuses POST /claims of a token %s", async (_, input) => {
  const { status, body } = await claim(input);
  expect([status, body.code]).toEqual([403, "TOKEN_SCOPE"]);
});

it.each([
  ["an unknown field", { ...use, kid: "k1" }],
  ["no key", { ...use, keyId: undefined }],
  ["an empty grant", { ...use, grantId: "" }],
  ["no use", { ...use, uses: 0 }],
  ["a part of a use", { ...use, uses: 1.5 }],
  ["more uses than a URL can have", { ...use, uses: 2 ** 53 }],
  ["a time without its zone", { ...use, until: "2026-12-02T12:00:00" }],
])("refuses POST /claims with %s", async (_, body) => {
  const { status, body: problem } = await claim({ scopes: ["claims:write"] }, body);
  expect([status, problem.code]).toEqual([400, "INVALID_INPUT"]);
});

it("describes POST /claims in the OpenAPI document", async () => {
  const { body } = await call("/openapi.json", {}, true);
  expect(body.paths["/claims"].post.description).toContain("A repeated call counts another use");
  expect(body.components.schemas.ClaimInput.additionalProperties).toBe(false);
});
