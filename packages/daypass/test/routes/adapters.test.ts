import { describe, expect, it } from "vitest";
import type { UseStore } from "../../src/index.ts";
import { signedRoute as fastifyRoute } from "../../src/routes/fastify.ts";
import { signedRoute as fetchRoute } from "../../src/routes/fetch.ts";
import { signedRoute as honoRoute } from "../../src/routes/hono.ts";
import { signedRoute as nextRoute } from "../../src/routes/next.ts";
import { urlSigner, urlVerifier } from "../../src/schemes/url/index.ts";

const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
const origin = "https://api.example.com";
const clock = (): Date => new Date("2026-12-01T08:00:00Z");
const common = {
  signer: urlSigner({ key, clock }),
  verifier: urlVerifier({ keys: [key], origins: [origin], clock }),
};
const ask = { expiresIn: 900 };
const codeOf = async (answer: Response): Promise<unknown> => ((await answer.json()) as { code?: unknown }).code;

describe("the adapter of Next", () => {
  const route = nextRoute({ ...common, path: "/invoices/:id", mount: "/base" });
  const GET = route.next((_grant, { id }, _request, context: { readonly params: object }) =>
    Response.json({ id, ...context }),
  );
  // What `next start` makes of a request: its own host, no base path, and a query that a form serialiser wrote.
  const asNext = (url: string, host = "api.example.com"): Request => {
    const [path = "", query = ""] = url.replace(`${origin}/base`, "http://localhost:3000").split("?");
    return new Request(`${path}?${query.replaceAll("%20", "+")}`, { headers: { host } });
  };
  const { url } = route.sign({ id: "a b" }, { ...ask, query: { q: "x y" } });

  it("verifies the base path, the query and the host that the client sent, and passes the context on", async () => {
    expect(await (await GET(asNext(url), { params: {} })).json()).toEqual({ id: "a b", params: {} });
  });

  it.each([
    ["another host", asNext(url.replace("a%20b", "7"), "evil.example"), "WRONG_ORIGIN"],
    ["another parameter", asNext(url.replace("a%20b", "7")), "SIGNATURE_MISMATCH"],
  ])("refuses a request with %s", async (_, request, code) => {
    expect(await codeOf((await GET(request, { params: {} })) as Response)).toBe(code);
  });
});

describe("the adapter of Hono", () => {
  it("gives the handler a body that fails when it is longer than granted, and a query without what may vary", async () => {
    const route = honoRoute({ ...common, path: "/notes/:id", methods: ["POST"] });
    const handler = route.hono(async (_grant, { id }, c) =>
      Response.json({ id, url: c.req.raw.url, body: await c.req.raw.text() }),
    );
    const { url } = route.sign({ id: 7 }, { ...ask, vary: ["utm"], bind: { contentLength: { max: 4 } } });
    const send = async (body: string): Promise<Response> => {
      const raw = new Request(`${url}&utm=x`, { method: "POST", body });
      return (await handler({ req: { raw } })) as Response;
    };
    expect(await (await send("text")).json()).toEqual({ id: "7", url: `${origin}/notes/7`, body: "text" });
    expect(await codeOf(await send("texts"))).toBe("BODY_LENGTH");
  });
});

describe("the adapter of Fastify", () => {
  it("refuses to run the handler if the app has replaced the hook", () => {
    const { handler } = fastifyRoute({ ...common, path: "/a" }).fastify(() => "secret");
    expect(() => handler({ raw: {} }, {})).toThrow(expect.objectContaining({ code: "NO_SIGNATURE" }));
  });
});

describe("an adapter with a store", () => {
  it("counts the uses of the route, unless its own options name another store", async () => {
    const counting = (): UseStore & { used: number } => ({
      used: 0,
      async claim(_kid, _grantId, limit) {
        this.used += 1;
        return this.used <= limit;
      },
    });
    const [ofRoute, own] = [counting(), counting()];
    const route = fetchRoute({ ...common, path: "/tickets/:id", uses: ofRoute });
    const { url } = route.sign({ id: 7 }, { ...ask, uses: 1 });
    const open = route.fetch(() => new Response("open"));
    const statuses = [await open(new Request(url)), await open(new Request(url))].map(({ status }) => status);
    expect(statuses).toEqual([200, 403]);
    const other = route.fetch(() => new Response("open"), { uses: own });
    expect((await other(new Request(url))).status).toBe(200);
    expect([ofRoute.used, own.used]).toEqual([2, 1]);
  });
});
