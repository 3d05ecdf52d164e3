import { once } from "node:events";
import { get } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { codeOf, routed, upstreamOf } from "./site.ts";

describe("a route", () => {
  it("forwards a signed GET with its path and query byte for byte, and without dp-*", async () => {
    const upstream = await upstreamOf((request, response) => response.end(`hello from ${request.url}`));
    const gateway = await routed(upstream.url);
    const url = gateway.sign("/app/invoices/7%20%C3%BC.pdf?lang=de&x=a%2Fb", { vary: ["utm"] });
    const response = await fetch(`${url}&utm=mail`);
    expect([response.status, await response.text()]).toEqual([
      200,
      "hello from /app/invoices/7%20%C3%BC.pdf?lang=de&x=a%2Fb",
    ]);
    expect(upstream.seen[0]?.headers.host).toBe(new URL(upstream.url).host);
    expect(gateway.events.at(-1)).toMatchObject({ scheme: "url", keyId: "test-1", status: 200 });
  });

  it.each<readonly [why: string, change: (url: string) => string, status: number, code: string]>([
    ["an unsigned request", (url) => url.replace(/\?.*/, ""), 403, "NO_SIGNATURE"],
    ["a changed path", (url) => url.replace("/app/a", "/app/b"), 403, "SIGNATURE_MISMATCH"],
    ["a changed signature", (url) => url.replace(/dp-signature=../, "dp-signature=xx"), 403, "SIGNATURE_MISMATCH"],
    ["dot segments", (url) => url.replace("/app/a", "/app/../app/a"), 400, "MALFORMED"],
    ["an added parameter", (url) => `${url}&x=1`, 403, "SIGNATURE_MISMATCH"],
  ])("refuses %s, and asks no upstream", async (_, change, status, code) => {
    const upstream = await upstreamOf();
    const gateway = await routed(upstream.url);
    const url = change(gateway.sign("/app/a"));
    // A URL parser would remove dot segments.
    const asked = get(gateway.url, { path: url.slice(gateway.url.length) });
    const [response] = await once(asked, "response");
    expect([response.statusCode, JSON.parse(await text(response)).code]).toEqual([status, code]);
    expect(upstream.seen).toEqual([]);
  });

  it("refuses methods that the route does not list, and URLs without what it requires", async () => {
    const upstream = await upstreamOf();
    const gateway = await routed(upstream.url, { requires: ["exact", "uses"] });
    const put = await fetch(gateway.sign("/app/a", { methods: ["PUT"] }), { method: "PUT", body: "x" });
    expect(await codeOf(put)).toEqual([403, "ROUTE_REQUIREMENT"]);
    const only = await routed(upstream.url);
    const refused = await fetch(only.sign("/app/a", { methods: ["PUT"] }), { method: "PUT", body: "x" });
    expect(refused.headers.get("allow")).toBe("GET, HEAD");
    expect(await codeOf(refused)).toEqual([405, "METHOD_NOT_ALLOWED"]);
    expect(upstream.seen).toEqual([]);
  });

  it("answers 502 if the upstream refuses the connection, and 504 if it is silent", async () => {
    const gone = await upstreamOf();
    gone.server.close();
    const gateway = await routed(gone.url);
    expect(await codeOf(await fetch(gateway.sign("/app/a")))).toEqual([502, "UPSTREAM_FAILED"]);
    const silent = await upstreamOf(() => undefined);
    const waiting = await routed(silent.url, { timeouts: { answerMs: 50 } });
    expect(await codeOf(await fetch(waiting.sign("/app/a")))).toEqual([504, "UPSTREAM_TIMEOUT"]);
  });

  /** An upstream that writes these bytes, and then others every few milliseconds. */
  async function rawUpstream(first: string, next = ""): Promise<string> {
    const server = createServer((socket) => {
      socket.write(first);
      const timer = next === "" ? undefined : setInterval(() => socket.write(next), 5);
      socket.on("error", () => undefined).on("close", () => clearInterval(timer));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const HINT = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";

  it("answers 504 when the upstream sends informational responses for longer than answerMs", async () => {
    const gateway = await routed(await rawUpstream(HINT, HINT), { timeouts: { answerMs: 60 } });
    expect(await codeOf(await fetch(gateway.sign("/app/a")))).toEqual([504, "UPSTREAM_TIMEOUT"]);
  });

  it("answers 502 when the upstream sends more informational responses than an answer needs", async () => {
    const gateway = await routed(await rawUpstream(HINT.repeat(33)));
    expect(await codeOf(await fetch(gateway.sign("/app/a")))).toEqual([502, "UPSTREAM_FAILED"]);
    const few = await routed(await rawUpstream(`${HINT.repeat(32)}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`));
    expect(await (await fetch(few.sign("/app/a"))).text()).toBe("ok");
  });

  it("counts answerMs from the end of an upload, also after an informational response", async () => {
    const upstream = await upstreamOf((request, response) => {
      response.writeProcessing();
      request.on("end", () => response.end("stored"));
    });
    const gateway = await routed(upstream.url, { methods: ["PUT"], timeouts: { answerMs: 200 } });
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        for (let at = 0; at < 8; at++) {
          controller.enqueue(new Uint8Array(10));
          await sleep(50);
        }
        controller.close();
      },
    });
    const url = gateway.sign("/app/a", { methods: ["PUT"] });
    const response = await fetch(url, { method: "PUT", body, duplex: "half" } as RequestInit);
    expect([response.status, await response.text()]).toEqual([200, "stored"]);
  });

  it.each(["xchunked", "gzip, chunked", "chunked\r\nTransfer-Encoding: chunked", "identity"])(
    "answers 502 when the upstream's body has a transfer coding that it cannot remove: %s",
    async (coding) => {
      const answer = `HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\nConnection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n`;
      const gateway = await routed(await rawUpstream(answer));
      expect(await codeOf(await fetch(gateway.sign("/app/a")))).toEqual([502, "UPSTREAM_FAILED"]);
    },
  );

  it.each(["chunked", "CHUNKED"])("reads a body with the transfer coding %s", async (coding) => {
    const answer = `HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\n\r\n2\r\nok\r\n0\r\n\r\n`;
    const gateway = await routed(await rawUpstream(answer));
    expect(await (await fetch(gateway.sign("/app/a"))).text()).toBe("ok");
  });
});
