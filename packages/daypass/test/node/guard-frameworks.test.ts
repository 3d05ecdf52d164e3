import { IncomingMessage, type RequestListener, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { guardNode, type NodeRequest } from "../../src/adapters/node/index.ts";
import { urlSigner, urlVerifier } from "../../src/schemes/url/index.ts";
import { endpoint, link, problemOf, send, verifier } from "./guard-fixture.ts";

describe("guardNode with what frameworks hand over", () => {
  it("verifies a request that was made of an event, which has no raw headers", async () => {
    const socket = new Socket();
    const made = Object.assign(new IncomingMessage(socket), {
      ...{ method: "GET", url: link("a.txt").target, httpVersionMajor: "1" as unknown as number },
      headers: { host: "files.example.com", "content-length": 0 as unknown as string },
    });
    const keyIds: string[] = [];
    await guardNode(verifier, (grant) => keyIds.push(grant.keyId))(made, new ServerResponse(made));
    expect(keyIds).toEqual(["AKIDEXAMPLE"]);
    socket.destroy();
  });

  it("rejects a framework's own request and response by saying what to hand over", async () => {
    const reply = { send: () => {} };
    const request = { method: "GET", url: "/b/a.txt", headers: { host: "files.example.com" }, raw: {} };
    const guarded = guardNode(verifier, () => {});
    await expect(guarded(request as never, reply as never)).rejects.toThrow(/request\.raw/);
    await expect(guarded({ req: {}, res: {} } as never, (() => {}) as never)).rejects.toThrow(/ctx\.req/);
    // If there is a `next`, an unhandled rejection would end the process.
    const handed: unknown[] = [];
    await guarded(request as never, reply as never, (error) => handed.push(error));
    expect(handed).toEqual([expect.objectContaining({ message: expect.stringContaining("request.raw") })]);
  });
});

describe("guardNode behind a body parser", () => {
  const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
  const bind = { contentLength: { max: 4 } };
  const signed = urlSigner({ key }).sign({ url: `${endpoint}/x`, methods: ["PUT"], bind, expiresIn: 60 });
  const bounded = urlVerifier({ keys: [key], origins: [endpoint], enforces: ["body-length"] });
  const reading = guardNode(bounded, async (grant, req: IncomingMessage, res: ServerResponse) => {
    for await (const _ of grant.limitBody(req));
    res.end("read");
  });
  const upload = `PUT ${signed.url.slice(endpoint.length)} HTTP/1.1\r\nHost: files.example.com\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n`;

  it("accepts a body that another reader has read completely", async () => {
    const answer = await send(async (req, res) => {
      for await (const _ of req);
      await reading(req, res, (error) => res.end(String(Object(error).code)));
    }, `${upload}4\r\nabcd\r\n0\r\n\r\n`);
    expect(answer.body).toContain("INVALID_INPUT");
  });

  it("reads an untouched body after a delay", async () => {
    const late: RequestListener = (req, res) => void setTimeout(() => void reading(req, res), 20);
    expect((await send(late, `${upload}0\r\n\r\n`)).body).toContain("read");
    expect(problemOf(await send(late, `${upload}4\r\nabcd\r\n0\r\n\r\n`))).toMatchObject({ code: "BODY_LENGTH" });
  });
});

describe("guardNode behind a mount", () => {
  const check = async (request: Partial<NodeRequest>): Promise<string> => {
    let outcome = "";
    const answer = {
      statusCode: 200,
      headersSent: false,
      setHeader: () => {},
      end: (body?: string) => (outcome = body ?? ""),
    };
    const { target } = link("d/a.txt");
    const guarded = guardNode(verifier, () => (outcome = "handled"));
    const replaced = request.url === undefined ? {} : { url: target.replace("/b/d/a.txt", request.url) };
    await guarded(
      {
        method: "GET",
        originalUrl: target,
        rawHeaders: ["Host", "files.example.com"],
        httpVersionMajor: 1,
        socket: {},
        ...request,
        ...replaced,
      },
      answer,
    );
    return outcome === "handled" ? outcome : JSON.parse(outcome).code;
  };

  it.each([
    ["no mount", { url: "/b/d/a.txt" }, "handled"],
    ["a mount that removed a prefix", { url: "/d/a.txt", baseUrl: "/b" }, "handled"],
    ["a mount without baseUrl, as Connect has it", { url: "/d/a.txt" }, "handled"],
    ["a mount of the whole path", { url: "/", baseUrl: "/b/d/a.txt" }, "handled"],
    ["a mount of the whole path that leaves nothing of it, as h3 has it", { url: "" }, "handled"],
    ["a path that middleware rewrote", { url: "/secret", baseUrl: "" }, "MALFORMED"],
    ["a prefix that middleware rewrote", { url: "/d/a.txt", baseUrl: "/c" }, "MALFORMED"],
    ["a rewritten path without baseUrl", { url: "/secret" }, "MALFORMED"],
    ["the end of the path without its slash", { url: "a.txt" }, "MALFORMED"],
  ])("with %s", async (_, request, expected) => {
    expect(await check(request)).toBe(expected);
  });
});
