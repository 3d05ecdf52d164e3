import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { guardNode } from "../../src/adapters/node/index.ts";
import { openChunks } from "../../src/schemes/s3/header/chunks.ts";
import { get, granting, problemOf, send, verifier } from "./guard-fixture.ts";

const CHUNKED = { signed: true, length: 5, trailers: [] };
const SEED = {
  secretAccessKey: "example-secret",
  scope: { date: "20260102", region: "auto", service: "s3" },
  time: "20260102T030405Z",
  signature: "0".repeat(64),
};

describe("guardNode and obligations", () => {
  it("sets the response headers of the grant", async () => {
    const guarded = guardNode(
      granting([{ kind: "response", headers: { "content-disposition": "attachment" } }]),
      (_grant, _req, res) => res.end(),
    );
    expect((await send(guarded, get("/x"))).headers).toContain("content-disposition: attachment");
  });

  it.each<[string, (res: ServerResponse) => unknown]>([
    ["setHeader", (res) => res.setHeader("Content-Type", "text/html")],
    ["writeHead with an object", (res) => res.writeHead(200, { "Content-Type": "text/html", "x-own": "1" })],
    ["writeHead with a phrase", (res) => res.writeHead(206, "Some", { "content-type": "text/html", "x-own": "1" })],
    ["writeHead with a flat list", (res) => res.writeHead(200, ["content-type", "text/html", "x-own", "1"])],
    ["writeHead with pairs", (res) => res.writeHead(200, [["Content-Type", "text/html"]] as never)],
  ])("has the last word on its response headers, over %s", async (title, answer) => {
    const guarded = guardNode(
      granting([{ kind: "response", headers: { "content-type": "text/plain" } }]),
      (_grant, _req, res: ServerResponse) => {
        answer(res);
        res.end("x");
      },
    );
    const { headers } = await send(guarded, get("/x"));
    expect(headers.split("\r\n").filter((line) => /^content-type/i.test(line))).toEqual(["content-type: text/plain"]);
    if (title.includes("object") || title.includes("phrase") || title.includes("flat"))
      expect(headers).toContain("x-own: 1");
  });

  it("shows them to what stands behind it, such as what compresses", async () => {
    let seen: unknown;
    const guarded = guardNode(
      granting([{ kind: "response", headers: { "content-encoding": "gzip" } }]),
      (_grant, _req, res: ServerResponse) => {
        seen = res.getHeader("content-encoding");
        res.end();
      },
    );
    await send(guarded, get("/x"));
    expect(seen).toBe("gzip");
  });

  it("leaves an error its own headers", async () => {
    const guarded = guardNode(
      granting([{ kind: "response", headers: { "content-type": "application/pdf" } }]),
      (_grant, _req, res: ServerResponse) => res.writeHead(404, { "content-type": "application/json" }).end("{}"),
    );
    expect((await send(guarded, get("/x"))).headers).toContain("content-type: application/json");
    const plain = guardNode(
      granting([{ kind: "response", headers: { "content-type": "application/pdf" } }]),
      (_grant, _req, res: ServerResponse) => res.writeHead(404, [["x-own", "1"]] as never).end(),
    );
    const { headers } = await send(plain, get("/x"));
    expect(headers).toContain("x-own: 1");
    expect(headers).not.toContain("application/pdf");
    for (const status of [400, 503]) {
      const early = guardNode(
        granting([{ kind: "response", headers: { "content-type": "application/pdf" } }]),
        (_grant, _req, res: ServerResponse) => {
          res.statusCode = status;
          res.setHeader("content-type", "application/json");
          res.end("{}");
        },
      );
      expect((await send(early, get("/x"))).headers).toContain("content-type: application/json");
    }
  });

  it("removes the parameters that may vary from what the handler sees", async () => {
    const strip = granting([{ kind: "strip", names: ["utm_source"] }], (raw) => raw.replace(/[?&]utm_source=m/, ""));
    const guarded = guardNode(strip, (_grant, req, res) => {
      res.setHeader("x-url", req.url ?? "");
      res.end();
    });
    expect((await send(guarded, get("/x?a=1&utm_source=m"))).headers).toContain("x-url: /x?a=1\r\n");
    expect((await send(guarded, get("/x?utm_source=m"))).headers).toContain("x-url: /x\r\n");
  });

  const reading = guardNode(
    granting([{ kind: "body-length", min: 2, max: 4 }]),
    async (grant, req: IncomingMessage, res: ServerResponse) => {
      let size = 0;
      for await (const chunk of grant.limitBody(req)) size += chunk.length;
      res.setHeader("x-size", size);
      res.end();
    },
  );
  const put = (...lines: string[]): string =>
    `PUT /x HTTP/1.1\r\nHost: files.example.com\r\nConnection: close\r\n${lines.join("\r\n")}`;

  it("passes a body of the granted length on", async () => {
    expect((await send(reading, put("Content-Length: 3", "", "abc"))).headers).toContain("x-size: 3");
  });

  it.each([1, 5])("refuses an announced length of %i before a byte is read", async (length) => {
    expect(problemOf(await send(reading, put(`Content-Length: ${length}`, "", "")))).toEqual({
      status: 400,
      code: "BODY_LENGTH",
    });
  });

  it("breaks off an answer that had begun when the body was refused, and continues", async () => {
    const faults: unknown[] = [];
    const guarded = guardNode(
      granting([{ kind: "body-length", min: 2, max: 4 }]),
      async (grant, req: IncomingMessage, res: ServerResponse) => {
        res.writeHead(200).flushHeaders();
        for await (const _ of grant.limitBody(req));
        res.end("read");
      },
      { onFault: (fault) => faults.push(fault) },
    );
    const answer = await send(guarded, put("Transfer-Encoding: chunked", "", "5", "abcde", "0", "", ""));
    expect([answer.status, answer.body]).toEqual([200, ""]);
    expect(faults).toEqual([expect.objectContaining({ code: "BODY_LENGTH" })]);
  });

  it("answers what limitBody throws as a refusal", async () => {
    const head = put("Transfer-Encoding: chunked", "", "5", "abcde", "0", "", "");
    expect(problemOf(await send(reading, head))).toEqual({ status: 400, code: "BODY_LENGTH" });
  });

  it.each([
    [
      "that are not as they were signed",
      `5;chunk-signature=${"a".repeat(64)}\r\nhello\r\n0`,
      403,
      "SIGNATURE_MISMATCH",
    ],
    ["that are none", "hello", 400, "MALFORMED"],
  ])("answers what openBody throws at chunks %s as a refusal, and goes on", async (_, body, status, code) => {
    const guarded = guardNode(granting([]), async (_grant, req: IncomingMessage, res: ServerResponse) => {
      for await (const _ of openChunks(req, CHUNKED, SEED).bytes);
      res.end("read");
    });
    expect(problemOf(await send(guarded, put(`Content-Length: ${body.length}`, "", body)))).toEqual({ status, code });
  });

  it.each([
    ["content-length", "2"],
    ["transfer-encoding", "chunked"],
    // With a length Node throws at it, which would end the process.
    ["trailer", "x-sum"],
  ])("takes back the %s that the handler set when the body is refused", async (name, value) => {
    const guarded = guardNode(
      granting([{ kind: "body-length", min: 2, max: 4 }]),
      async (grant, req: IncomingMessage, res: ServerResponse) => {
        res.setHeader(name, value).setHeader("content-encoding", "gzip").setHeader("x-kept", "yes");
        for await (const _ of grant.limitBody(req));
        res.end("ok");
      },
    );
    const answer = await send(guarded, put("Transfer-Encoding: chunked", "", "5", "abcde", "0", "", ""));
    expect(problemOf(answer)).toEqual({ status: 400, code: "BODY_LENGTH" });
    expect(answer.headers).toMatch(new RegExp(`content-length: ${answer.body.length}`, "i"));
    expect(answer.headers).toContain("x-kept: yes");
    expect(answer.headers).not.toMatch(/gzip|transfer-encoding|trailer/i);
  });

  it("leaves a refusal before the handler what middleware has set", async () => {
    const guarded = guardNode(verifier, () => {});
    const answer = await send(
      (req, res) => guarded(req, res.setHeader("content-language", "de").setHeader("trailer", "server-timing")),
      get("/b/a.txt"),
    );
    // In chunks, as a trailer wants them.
    expect(answer).toMatchObject({ status: 403, body: expect.stringContaining('"NO_SIGNATURE"') });
    expect(answer.headers).toMatch(/content-language: de/i);
  });
});
