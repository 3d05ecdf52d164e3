import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { urlSigner } from "daypass/url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../tools/free-port.ts";
import { start } from "./program.ts";

const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;

interface Server {
  readonly origin: string;
  stop(): Promise<void>;
}

async function program(file: string): Promise<Server> {
  const port = await freePort();
  const { stop } = await start(file, { PORT: String(port), DAYPASS_KEY: key.k });
  return { origin: `http://127.0.0.1:${port}`, stop };
}

/** A fetch-style handler opens no socket; whatever host it is given to does. */
async function fetchHandler(): Promise<Server> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  Object.assign(process.env, { ORIGIN: origin, DAYPASS_KEY: key.k });
  const { GET } = await import("../protect/fetch.js");
  const server = serve({ fetch: (request) => GET(request), port, hostname: "127.0.0.1" });
  await once(server, "listening");
  expect((server.address() as AddressInfo).port).toBe(port);
  return {
    origin,
    async stop() {
      server.close();
      await once(server, "close");
    },
  };
}

describe.each([
  { example: "protect/node-http.js", run: () => program("protect/node-http.js"), body: /^paid until 2/ },
  { example: "protect/express.js", run: () => program("protect/express.js"), body: /^{"id":"7","until":"2/ },
  { example: "protect/hono.js", run: () => program("protect/hono.js"), body: /^{"id":"7","until":"2/ },
  { example: "protect/fetch.js", run: fetchHandler, body: /^{"path":"\/invoices\/7","until":"2/ },
])("$example", ({ example, run, body }) => {
  let server: Server;
  beforeAll(async () => {
    server = await run();
  });
  afterAll(() => server.stop());

  const sign = (clock = () => new Date()): string =>
    urlSigner({ key, clock }).sign({ url: `${server.origin}/invoices/7`, expiresIn: 60 }).url;
  const refusal = async (response: Response): Promise<unknown> => {
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const { code } = (await response.json()) as { readonly code: string };
    return [response.status, code];
  };

  it("opens with the URL that was signed", async () => {
    const response = await fetch(sign());
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(body);
  });

  it("is refused when one character of the URL is changed", async () => {
    expect(await refusal(await fetch(sign().replace("/invoices/7", "/invoices/8")))).toEqual([
      403,
      "SIGNATURE_MISMATCH",
    ]);
    expect(await refusal(await fetch(sign().replace("dp-v=1", "dp-v=1&x=1")))).toEqual([403, "SIGNATURE_MISMATCH"]);
  });

  it("is refused when the URL has ended", async () => {
    const anHourAgo = (): Date => new Date(Date.now() - 3_600_000);
    expect(await refusal(await fetch(sign(anHourAgo)))).toEqual([403, "EXPIRED"]);
  });

  it("is refused without a signature and with another method", async () => {
    expect(await refusal(await fetch(`${server.origin}/invoices/7`))).toEqual([403, "NO_SIGNATURE"]);
    const posted = await fetch(sign(), { method: "POST", body: "x" });
    // Express and Hono have no such route.
    if (posted.status !== 404) expect(await refusal(posted)).toEqual([403, "METHOD_NOT_GRANTED"]);
  });

  it("protects its route in ten lines", () => {
    const source = readFileSync(new URL(`../${example}`, import.meta.url), "utf8");
    const lines = source.split("\n").filter((line) => line !== "" && !line.startsWith("import "));
    expect(lines.length).toBeLessThanOrEqual(10);
  });
});
