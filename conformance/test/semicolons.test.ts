import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { type GuardOptions, guardNode } from "daypass/node";
import { urlSigner, urlVerifier } from "daypass/url";
import { expect, onTestFinished, test } from "vitest";

// Routers that end a path at a raw `;`: the guard must not accept a signature for the path that they do not route.

const require = createRequire(import.meta.url);
const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;

type Next = (error?: unknown) => void;
type Guard = (req: IncomingMessage, res: ServerResponse, next: Next) => void;

/** A server that answers with the path that its router saw, and the guard in front of the route. */
const frameworks: Readonly<Record<string, (guard: Guard) => Promise<{ server: Server; close: () => unknown }>>> = {
  "Fastify 4": (guard) => fastify("fastify-4", {}, guard),
  "Fastify 5 with useSemicolonDelimiter": (guard) =>
    fastify("fastify", { routerOptions: { useSemicolonDelimiter: true } }, guard),
  async restify(guard) {
    const app = require("restify").createServer();
    const answer = (req: { params: Record<string, string> }, res: ServerResponse, next: Next) => {
      res.end(req.params["*"]);
      next();
    };
    app.get("/*", (req: IncomingMessage, res: ServerResponse, next: Next) => guard(req, res, next), answer);
    await new Promise<void>((resolve) => app.listen(0, "127.0.0.1", resolve));
    return { server: app.server, close: () => app.close() };
  },
};

async function fastify(name: string, options: object, guard: Guard) {
  const app = require(name)(options);
  const onRequest = (request: { raw: IncomingMessage }, reply: { raw: ServerResponse }, done: Next) =>
    guard(request.raw, reply.raw, done);
  app.get("/*", { onRequest }, async (request: { params: Record<string, string> }) => request.params["*"]);
  await app.listen({ port: 0, host: "127.0.0.1" });
  return { server: app.server as Server, close: () => app.close() };
}

test.each(
  Object.entries(frameworks).flatMap(([name, make]) => [
    { name, make, semicolons: undefined, path: "/files/a;b.txt", answer: [400, undefined] },
    { name, make, semicolons: "allow" as const, path: "/files/a;b.txt", answer: [200, "files/a"] },
    { name, make, semicolons: undefined, path: "/files/a.txt", answer: [200, "files/a.txt"] },
  ]),
)("$name answers $path with semicolons $semicolons by $answer", async ({ make, semicolons, path, answer }) => {
  const options: GuardOptions = { semicolons };
  let guard: Guard = () => undefined;
  const { server, close } = await make((req, res, next) => guard(req, res, next));
  onTestFinished(async () => void (await close()));
  const origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const verifier = urlVerifier({ keys: [key], origins: [origin] });
  guard = (req, res, next) => void guardNode(verifier, () => next(), options)(req, res, next);
  const { url } = urlSigner({ key }).sign({ url: origin + path, expiresIn: 60 });
  const response = await fetch(url, { headers: { connection: "close" } });
  const text = await response.text();
  expect([response.status, response.status === 200 ? text : undefined]).toEqual(answer);
});
