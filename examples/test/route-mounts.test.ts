import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import { serve } from "@hono/node-server";
import { signedRoute as expressRoute } from "daypass/routes/express";
import { signedRoute as fastifyRoute } from "daypass/routes/fastify";
import { signedRoute as honoRoute } from "daypass/routes/hono";
import { urlSigner, urlVerifier } from "daypass/url";
import express from "express";
import fastify, { type FastifyPluginAsync } from "fastify";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../tools/free-port.ts";
import { rawRequest } from "./raw-request.ts";

const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
const path = "/invoices/:id";

interface Running {
  readonly close: () => unknown;
  /** Signs the URL of the route, and returns its target. */
  readonly sign: (id: string) => string;
}
type Run = (port: number) => Promise<Running>;

function options(port: number, mount?: string) {
  const origins = [`http://127.0.0.1:${port}`];
  return { path, mount, signer: urlSigner({ key }), verifier: urlVerifier({ keys: [key], origins }) } as const;
}

const ended = (server: Server | ReturnType<typeof serve>) => () => server.close();
const listening = async (app: ReturnType<typeof express>, port: number): Promise<() => unknown> => {
  const server = app.listen(port, "127.0.0.1");
  await once(server, "listening");
  return ended(server);
};
const targetOf = ({ url }: { readonly url: string }): string => url.replace(/^http:\/\/[^/]*/, "");

function expressApp(mount: string, build: (router: express.Router) => express.Express): Run {
  return async (port) => {
    const invoice = expressRoute(options(port, mount));
    const router = express.Router();
    const show = invoice.express((_grant, params, _req, res) => res.json(params));
    router.get(invoice.path, show);
    const sign: Running["sign"] = (id) => targetOf(invoice.sign({ id }, { expiresIn: 60 }));
    return { close: await listening(build(router), port), sign };
  };
}

const mounts: Readonly<Record<string, Run>> = {
  "a router of Express that is mounted": expressApp("/api", (router) => express().use("/api", router)),
  "a router of Express in a mounted app": expressApp("/outer/api", (router) =>
    express().use("/outer", express().use("/api", router)),
  ),
  async "a plugin of Fastify with a prefix"(port) {
    const invoice = fastifyRoute(options(port, "/api"));
    const app = fastify();
    const plugin: FastifyPluginAsync = async (api) => {
      api.get(
        invoice.path,
        invoice.fastify((_grant, params) => params),
      );
    };
    await app.register(plugin, { prefix: "/api" });
    await app.listen({ port, host: "127.0.0.1" });
    return { close: () => app.close(), sign: (id) => targetOf(invoice.sign({ id }, { expiresIn: 60 })) };
  },
  async "a sub-app of Hono by route()"(port) {
    const invoice = honoRoute(options(port, "/api"));
    const api = new Hono().get(
      invoice.path,
      invoice.hono((_grant, params, c) => c.json(params)),
    );
    return honoApp(new Hono().route("/api", api), port, invoice);
  },
  async "a sub-app of Hono by mount()"(port) {
    const invoice = honoRoute(options(port, "/api"));
    const facts = () => ({ basePath: "/api" });
    const api = new Hono().get(
      invoice.path,
      invoice.hono((_grant, params, c) => c.json(params), { facts }),
    );
    return honoApp(new Hono().mount("/api", api.fetch), port, invoice);
  },
};

async function honoApp(
  app: Hono,
  port: number,
  invoice: { sign(params: { id: string }, options: { expiresIn: number }): { readonly url: string } },
): Promise<Running> {
  const server = serve({ fetch: app.fetch, port, hostname: "127.0.0.1" });
  await once(server, "listening");
  return { close: ended(server), sign: (id) => targetOf(invoice.sign({ id }, { expiresIn: 60 })) };
}

describe.each(Object.entries(mounts))("a signed route in %s", (_, run) => {
  let port: number;
  let running: Running;
  beforeAll(async () => {
    port = await freePort();
    running = await run(port);
  });
  afterAll(() => running.close());

  it("verifies the path before the mount", async () => {
    const { status, body } = await rawRequest(port, running.sign("a b"));
    expect([status, JSON.parse(body)]).toEqual([200, { id: "a b" }]);
  });

  it("refuses the path without its mount, and a mount that is written twice", async () => {
    const target = running.sign("7");
    const mount = target.slice(0, target.indexOf("/invoices"));
    for (const moved of [target.slice(mount.length), mount + target]) {
      expect((await rawRequest(port, moved)).status).toBeGreaterThanOrEqual(400);
    }
  });
});

/** A proxy that passes on what `rewrite` makes of a target. */
async function proxy(front: number, back: number, rewrite: (target: string) => string): Promise<() => unknown> {
  const server = createServer(({ url = "", method, headers }, res) => {
    const sent = request({ port: back, host: "127.0.0.1", path: rewrite(url), method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 500);
      answer.pipe(res);
    });
    sent.end();
  }).listen(front, "127.0.0.1");
  await once(server, "listening");
  return ended(server);
}

describe("a signed route behind a proxy", () => {
  it.each([
    ["accepts a path that the proxy leaves as it is", (target: string) => target, 200],
    ["refuses a path whose prefix the proxy removes", (target: string) => target.replace("/app", ""), 404],
    ["refuses a path that the proxy decodes", (target: string) => target.replace("%40", "@"), 403],
    ["refuses a query that the proxy extends", (target: string) => `${target}&from=proxy`, 403],
  ])("%s", async (_, rewrite, status) => {
    const [front, back] = [await freePort(), await freePort()];
    const invoice = expressRoute(options(front, "/app"));
    const app = express().get(
      `/app${path}`,
      invoice.express((_grant, params, _req, res) => res.json(params)),
    );
    const close = [await listening(app, back), await proxy(front, back, rewrite)];
    const answer = await rawRequest(front, targetOf(invoice.sign({ id: "a@b" }, { expiresIn: 60 })));
    for (const end of close) end();
    expect(answer.status).toBe(status);
  });
});

it("runs the guard before Fastify and Express parse a body", async () => {
  const parsed: string[] = [];
  const [fast, slow] = [await freePort(), await freePort()];
  const app = fastify();
  app.addContentTypeParser("text/plain", { parseAs: "string" }, (_request, body, done) => {
    parsed.push(String(body));
    done(null, body);
  });
  const job = fastifyRoute({ ...options(fast), methods: ["POST"] });
  app.post(
    job.path,
    job.fastify((_grant, { id }, { body }) => ({ id, body })),
  );
  await app.listen({ port: fast, host: "127.0.0.1" });
  const ask = (port: number, target: string) =>
    rawRequest(port, target, {
      method: "POST",
      headers: "Content-Type: text/plain\r\nContent-Length: 4\r\n",
      body: "text",
    });
  const signed = targetOf(job.sign({ id: "7" }, { expiresIn: 60 }));
  expect((await ask(fast, signed.replace("/7?", "/8?"))).status).toBe(403);
  expect(parsed).toEqual([]);
  expect(JSON.parse((await ask(fast, signed)).body)).toEqual({ id: "7", body: "text" });
  await app.close();

  const bounded = expressRoute({
    ...options(slow),
    methods: ["POST"],
    verifier: urlVerifier({ keys: [key], origins: [`http://127.0.0.1:${slow}`], enforces: ["body-length"] }),
  });
  const server = express();
  server.post(
    bounded.path,
    bounded.express(async (grant, _params, req, res) => {
      let size = 0;
      for await (const chunk of grant.limitBody(req)) size += chunk.length;
      res.json({ size });
    }),
  );
  const close = await listening(server, slow);
  const upload = (max: number) =>
    ask(slow, targetOf(bounded.sign({ id: "7" }, { expiresIn: 60, bind: { contentLength: { max } } })));
  expect(JSON.parse((await upload(4)).body)).toEqual({ size: 4 });
  expect(JSON.parse((await upload(3)).body)).toMatchObject({ code: "BODY_LENGTH" });
  close();
});
