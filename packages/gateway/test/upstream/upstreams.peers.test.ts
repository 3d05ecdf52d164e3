import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { urlSigner } from "daypass/url";
// @ts-expect-error Express has no types.
import express from "express";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { needs } from "../../../../tools/needs.ts";
import { openRoutes } from "../../src/upstream/index.ts";
import { BROWSER, claimKeyIn, linkBench, URL_KEY } from "../links/link-bench.ts";

const missing = needs("python3");

/** A WSGI application that shows what reached it: WSGI joins `-` and `_` in names. */
const WSGI = `
import sys
from wsgiref.simple_server import make_server, WSGIRequestHandler
class Quiet(WSGIRequestHandler):
    def log_message(self, *args): pass
def app(environ, start_response):
    size = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(size)
    names = sorted(name for name in environ if name.startswith("HTTP_DAYPASS") or name == "HTTP_COOKIE" or "FORWARDED" in name)
    lines = [environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"], str(len(body)), ",".join(names), environ.get("HTTP_DAYPASS_SUBJECT", "")]
    start_response("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", "session=1")])
    return ["\\n".join(lines).encode()]
server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
print(server.server_port, flush=True)
server.serve_forever()
`;

describe.skipIf(missing)(`upstreams behind signed URLs and behind links${missing ?? ""}`, () => {
  const ports = { express: 0, wsgi: 0 };
  const closing: (() => unknown)[] = [];
  afterAll(async () => {
    for (const close of closing) await close();
  });

  beforeAll(async () => {
    const app = express();
    app.get(
      "/app/invoices/:id",
      (request: { params: { id: string }; query: object }, response: { json(body: object): void }) =>
        response.json({ id: request.params.id, query: request.query }),
    );
    app.put("/app/upload", async (request: Readable, response: { json(body: object): void }) => {
      let bytes = 0;
      let chunks = 0;
      for await (const chunk of request) {
        bytes += (chunk as Buffer).length;
        chunks += 1;
      }
      response.json({ bytes, chunks });
    });
    app.get(
      "/app/events",
      (
        _: unknown,
        response: Server & { writeHead(status: number, headers: object): void; write(text: string): void },
      ) => {
        response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
        response.write("id: 1\ndata: first\n\n");
        const timer = setInterval(() => response.write("data: more\n\n"), 20);
        response.once("close", () => clearInterval(timer));
      },
    );
    const server = createServer(app).listen(0, "127.0.0.1");
    const sockets = new WebSocketServer({ server, path: "/app/echo" });
    sockets.on("connection", (socket) =>
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })),
    );
    await once(server, "listening");
    ports.express = (server.address() as AddressInfo).port;
    const python = spawn("python3", ["-c", WSGI], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await once(createInterface({ input: python.stdout }), "line");
    ports.wsgi = Number(line);
    closing.push(
      () => server.close().closeAllConnections(),
      async () => {
        python.kill("SIGKILL");
        await once(python, "exit");
      },
    );
  });

  const bench = linkBench(undefined, (origin) => ({
    routes: openRoutes([
      {
        origin,
        prefix: "/app/",
        upstream: `http://127.0.0.1:${ports.express}`,
        methods: ["GET", "PUT"],
        upgrade: true,
      },
      {
        origin,
        prefix: "/wsgi/",
        upstream: `http://127.0.0.1:${ports.wsgi}`,
        methods: ["GET", "POST"],
        subjects: true,
      },
    ]),
  }));

  /** How a client is let in: the URL of a path, and the headers to send. */
  type Admission = (
    path: string,
    methods?: readonly string[],
  ) => Promise<readonly [url: string, headers: Record<string, string>]>;
  const admissions: readonly (readonly [string, Admission])[] = [
    [
      "a signed URL",
      async (path, methods = ["GET"]) => {
        const signer = urlSigner({ key: URL_KEY, clock: bench.clock });
        return [signer.sign({ url: bench.url + path, methods, expiresIn: 60 }).url, {}];
      },
    ],
    [
      "a link",
      async (path) => {
        const key = path.slice(1, path.indexOf("/", 1) + 1);
        const { variant } = await bench.make({ kind: "route", bucket: `route:${bench.url}`, key });
        const page = await (await bench.get(`/-/daypass/l/${variant.id}`, { headers: BROWSER })).text();
        const pressed = await bench.press(`/-/daypass/l/${variant.id}`, { claim: claimKeyIn(page) });
        return [bench.url + path, { cookie: pressed.headers.get("set-cookie")?.split(";")[0] ?? "" }];
      },
    ],
  ];

  describe.each(admissions)("by %s", (_, admit) => {
    it("reaches a route of Express, with its parameters", async () => {
      const [url, headers] = await admit("/app/invoices/7.pdf?lang=de");
      const response = await fetch(url, { headers });
      expect([response.status, await response.json()]).toEqual([200, { id: "7.pdf", query: { lang: "de" } }]);
    });

    it("reaches a WSGI application, whose joined names show the identity alone", async () => {
      const [url, headers] = await admit("/wsgi/a%20b?x=1", ["POST"]);
      const forged = {
        daypass_subject: "admin",
        "x-forwarded-user": "admin",
        x_forwarded_host: "evil",
        "daypass-grant": "x",
      };
      const message = httpRequest(url, { method: "POST", headers: { ...headers, ...forged, "content-length": "5" } });
      message.end("hello");
      const [response] = await once(message, "response");
      const names =
        "HTTP_DAYPASS_GRANT,HTTP_DAYPASS_KEY,HTTP_X_FORWARDED_FOR,HTTP_X_FORWARDED_HOST,HTTP_X_FORWARDED_PROTO";
      expect((await text(response)).split("\n")).toEqual(["POST", "/wsgi/a b", "x=1", "5", names, ""]);
      expect(response.headers["set-cookie"]).toBeUndefined();
    });

    it("uploads slowly, while the upstream already reads", async () => {
      const [url, headers] = await admit("/app/upload", ["PUT"]);
      async function* slowly(): AsyncGenerator<Buffer> {
        for (let at = 0; at < 20; at++) {
          yield Buffer.alloc(50_000, "x");
          await sleep(20);
        }
      }
      const body = Readable.toWeb(Readable.from(slowly()));
      const response = await fetch(url, { method: "PUT", headers, body, duplex: "half" } as RequestInit);
      const { bytes, chunks } = (await response.json()) as { bytes: number; chunks: number };
      expect(bytes).toBe(1_000_000);
      expect(chunks).toBeGreaterThan(5);
    });

    it("echoes over a WebSocket until the grant is revoked or over", async () => {
      const [url, headers] = await admit("/app/echo");
      const socket = new WebSocket(url.replace("http:", "ws:"), { headers });
      await once(socket, "open");
      for (const message of ["hello", "x".repeat(200_000)]) {
        socket.send(message);
        const [data] = await once(socket, "message");
        expect(String(data)).toBe(message);
      }
      bench.now += 61 * 60_000;
      await once(socket, "close");
    });

    it("streams events until the grant is over, and cuts them at a revocation", async () => {
      for (const end of ["expiry", "revocation"]) {
        const [url, headers] = await admit("/app/events");
        const response = await fetch(url, { headers });
        const reader = (response.body as ReadableStream<Uint8Array>).getReader();
        expect(new TextDecoder().decode((await reader.read()).value)).toMatch(/^id: 1\ndata: first\n\n/);
        const selector = { kind: "prefix", id: `route:${bench.url}/app/` } as const;
        const revoke = () => bench.links.state.revoke({ id: "r", selector }, "operator");
        if (end === "expiry") bench.now += 61 * 60_000;
        else bench.links.apply([await revoke()]);
        await expect(
          (async () => {
            for (;;) if ((await reader.read()).done === true) return;
          })(),
        ).rejects.toThrow();
        await bench.links.catchUp();
      }
    });
  });

  it("passes the subject of a URL to an upstream that compares it", async () => {
    const signer = urlSigner({ key: URL_KEY, clock: bench.clock });
    const { url } = signer.sign({ url: `${bench.url}/wsgi/me`, subject: "cus_42", expiresIn: 60 });
    expect((await (await fetch(url)).text()).split("\n").at(-1)).toBe("cus_42");
  });
});
