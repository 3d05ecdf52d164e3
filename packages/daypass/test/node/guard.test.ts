import { createServer, IncomingMessage, type RequestListener, ServerResponse } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server, type Http2ServerResponse } from "node:http2";
import { type AddressInfo, connect, Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Grant, Obligation, Verifier } from "../../src/index.ts";
import { DaypassError } from "../../src/index.ts";
import { guardNode, type NodeRequest } from "../../src/node/index.ts";
import { openChunks } from "../../src/s3/header/chunks.ts";
import { s3Signer, s3Verifier } from "../../src/s3/index.ts";
import { urlSigner, urlVerifier } from "../../src/url/index.ts";

const AT = new Date("2026-01-02T03:04:05Z");
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "example-secret" };
const endpoint = "http://files.example.com";

function link(key: string, method = "GET"): { target: string; headers: Readonly<Record<string, string>> } {
  const signer = s3Signer({ region: "auto", endpoint, credentials, clock: () => AT });
  const signed = signer.sign({ bucket: "b", key, method, expiresIn: 60, dotSegments: "sign" });
  return { target: signed.url.slice(endpoint.length), headers: signed.headers };
}

const verifierAt = (now: Date): Verifier => s3Verifier({ credentials, origins: [endpoint], clock: () => now });
const verifier = verifierAt(AT);

/** Grants everything, with the obligations given: what a guard does with them does not depend on a scheme. */
function granting(obligations: readonly Obligation[], target: (raw: string) => string = (raw) => raw): Verifier {
  return {
    detects: () => true,
    verify: async (request) => {
      const grant = await verifier.verify({ ...request, method: "GET", target: link("a.txt").target });
      const { scheme, id, keyId, methods, notBefore, expiresAt } = grant;
      const limitBody = (body: AsyncIterable<Uint8Array>) => atMost(body, 4);
      return {
        scheme,
        id,
        keyId,
        methods,
        notBefore,
        expiresAt,
        obligations,
        target: target(request.target),
        limitBody,
      };
    },
  };
}

async function* atMost(body: AsyncIterable<Uint8Array>, max: number): AsyncGenerator<Uint8Array> {
  let received = 0;
  for await (const chunk of body) {
    received += chunk.length;
    if (received > max) throw new DaypassError("BODY_LENGTH", "expected fewer bytes");
    yield chunk;
  }
}

const CHUNKED = { signed: true, length: 5, trailers: [] };
const SEED = {
  secretAccessKey: "example-secret",
  scope: { date: "20260102", region: "auto", service: "s3" },
  time: "20260102T030405Z",
  signature: "0".repeat(64),
};

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Answer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** Sends bytes as they are: a client with a URL parser would mend what these tests need broken. */
async function send(listener: RequestListener, head: string): Promise<Answer> {
  const server = createServer(listener);
  closers.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const answer = await new Promise<string>((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(head));
    socket.setEncoding("utf8").on("data", (data) => {
      text += data;
    });
    socket.on("error", reject).on("end", () => resolve(text));
  });
  const end = answer.indexOf("\r\n\r\n");
  return { status: Number(answer.slice(9, 12)), headers: answer.slice(0, end), body: answer.slice(end + 4) };
}

const get = (target: string, method = "GET"): string =>
  `${method} ${target} HTTP/1.1\r\nHost: files.example.com\r\nConnection: close\r\n\r\n`;

const problemOf = (answer: Answer): unknown => ({ status: answer.status, code: JSON.parse(answer.body).code });

describe("guardNode", () => {
  const listener = guardNode(verifier, (grant, req, res) => {
    res.setHeader("content-length", "2");
    res.end(grant.keyId === "AKIDEXAMPLE" && req.method === "GET" ? "ok" : "no");
  });

  it("hands the grant of a verified request to the handler", async () => {
    expect(await send(listener, get(link("a.txt").target))).toMatchObject({ status: 200, body: "ok" });
  });

  it("answers one changed character with problem details that hold the code only", async () => {
    const answer = await send(listener, get(link("a.txt").target.replace("/b/a", "/b/b")));
    expect(answer.status).toBe(403);
    expect(answer.headers).toContain("content-type: application/problem+json");
    expect(answer.headers).toContain("cache-control: no-store");
    expect(JSON.parse(answer.body)).toEqual({
      title: "Forbidden",
      status: 403,
      code: "SIGNATURE_MISMATCH",
      detail: "the signature does not belong to this request",
    });
  });

  it.each([
    ["an unsigned request", get("/b/a.txt"), 403, "NO_SIGNATURE"],
    ["another host", get(link("a.txt").target).replace("files.", "other."), 421, "WRONG_ORIGIN"],
    ["another method", get(link("a.txt").target, "DELETE"), 403, "SIGNATURE_MISMATCH"],
    ["two Host headers", get(link("a.txt").target).replace("Connection", "Host: x\r\nConnection"), 400, "MALFORMED"],
  ])("refuses %s", async (_, head, status, code) => {
    expect(problemOf(await send(listener, head))).toEqual({ status, code });
  });

  it("refuses a URL that has ended", async () => {
    const late = guardNode(verifierAt(new Date(AT.getTime() + 60_000)), (_grant, _req, res) => res.end());
    expect(problemOf(await send(late, get(link("a.txt").target)))).toEqual({ status: 403, code: "EXPIRED" });
  });

  // Each of these has a signature that is right for the raw path. A router, or `new URL`, would read another one.
  it.each(["a/%2e%2e/secret", "a/../secret", "a/./b", "/secret", "a//b", "x/..;/y"])(
    "refuses the validly signed key %j, which a router could read as another",
    async (key) => {
      const target = link(decodeURIComponent(key)).target;
      const raw = key.includes("%2e") ? target.replace("..", "%2e%2e") : target.replace("%3B", ";");
      expect(problemOf(await send(listener, get(raw)))).toEqual({ status: 400, code: "MALFORMED" });
    },
  );

  it.each([
    ["an encoded slash", "/b/d%2Fa.txt"],
    ["a needlessly encoded letter", "/b/d/%61.txt"],
    ["an encoded NUL", "/b/d/a%00.txt"],
    ["bytes that are not UTF-8", "/b/d/%FF.txt"],
    ["half a percent-encoding", "/b/d/%4"],
    ["a character that a URL parser would encode", "/b/d/<a>.txt"],
  ])("refuses a path with %s", async (_, path) => {
    const target = link("d/a.txt").target.replace("/b/d/a.txt", path);
    expect(problemOf(await send(listener, get(target)))).toEqual({ status: 400, code: "MALFORMED" });
  });

  it("closes the connection rather than swallow a refused body", async () => {
    const head = "PUT /b/a HTTP/1.1\r\nHost: files.example.com\r\nContent-Length: 1000000\r\n\r\n";
    expect((await send(listener, head)).headers.toLowerCase()).toContain("connection: close");
  });

  it("closes it as well where the length of the body may be among the headers that Node has dropped", async () => {
    // Node drops headers in blocks of 32, so that some more than its thousand are still there.
    const many = Array.from({ length: 1100 }, (_, i) => `a${i}: 1\r\n`).join("");
    const head = `PUT /b/a HTTP/1.1\r\nHost: files.example.com\r\n${many}Content-Length: 1000000\r\n\r\n`;
    expect((await send(listener, head)).headers.toLowerCase()).toContain("connection: close");
  });

  it("keeps the connection where a refused request has no body", async () => {
    const keeping = get("/b/a.txt").replace("close", "keep-alive");
    const both = `${keeping}${get("/b/a.txt")}`;
    const { headers, body } = await send(listener, both);
    expect(headers).not.toContain("connection: close");
    expect(`${headers}${body}`.match(/HTTP\/1\.1 403/g)).toHaveLength(2);
  });

  it("refuses an upload over HTTP/2, where a connection header is forbidden", async () => {
    const server = createHttp2Server((req, res) => void guardNode(verifier, () => {})(req, res));
    closers.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const session = connectHttp2(
      `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    );
    const status = await new Promise((resolve, reject) => {
      const stream = session.request({
        ":method": "PUT",
        ":path": "/b/a",
        ":authority": "files.example.com",
        "content-length": 2,
      });
      stream.on("error", reject).on("response", (headers) => resolve(headers[":status"]));
      stream.resume().end("hi");
    });
    session.close();
    expect(status).toBe(403);
  });

  it("gives the full error to onRefusal, and leaves the answer to it", async () => {
    let seen: DaypassError | undefined;
    const guarded = guardNode(verifier, () => {}, {
      onRefusal(error, _req, res) {
        seen = error;
        res.statusCode = 418;
        res.end("mine");
      },
    });
    expect(await send(guarded, get("/b/a.txt"))).toMatchObject({ status: 418 });
    expect(seen?.code).toBe("NO_SIGNATURE");
  });

  it("passes the identity that the caller proved to the verifier", async () => {
    let subject: string | undefined;
    const asking: Verifier = {
      ...granting([]),
      verify(request, proof) {
        subject = proof?.subject;
        return granting([]).verify(request);
      },
    };
    const guarded = guardNode(asking, (_grant, _req, res) => res.end(), { subject: () => "cus_42" });
    await send(guarded, get("/x"));
    expect(subject).toBe("cus_42");
  });

  /** What a guarded listener hands to `next` for a request with a valid signature. */
  const passedOn = (guarded: ReturnType<typeof guardNode>): Promise<unknown> =>
    new Promise((resolve) => {
      const listener: RequestListener = (req, res) => {
        void guarded(req, res, (error) => {
          res.end();
          resolve(error);
        });
      };
      void send(listener, get(link("a.txt").target));
    });

  it("passes a handler's own error to next, even one of ours", async () => {
    const error = new DaypassError("EXPIRED", "of another URL that the handler looked at");
    expect(await passedOn(guardNode(verifier, () => Promise.reject(error)))).toBe(error);
  });

  it("passes a failing key lookup to next instead of refusing", async () => {
    const failing = s3Verifier({ credentials: () => Promise.reject(new Error("no database")), origins: [endpoint] });
    expect(await passedOn(guardNode(failing, () => {}))).toEqual(new Error("no database"));
  });

  it("answers 500 and goes on when the key lookup fails and there is no next", async () => {
    const failing = s3Verifier({ credentials: () => Promise.reject(new Error("no database")), origins: [endpoint] });
    const faults: unknown[] = [];
    const guarded = guardNode(failing, () => {}, { onFault: (error) => faults.push(error) });
    const answer = await send((req, res) => void guarded(req, res), get(link("a.txt").target));
    expect([answer.status, answer.body]).toEqual([500, ""]);
    expect(faults).toEqual([new Error("no database")]);
  });

  it("answers 500 and goes on where a signed response header cannot be sent", async () => {
    const headers = { "content-disposition": 'attachment; filename="—.pdf"' };
    const faults: unknown[] = [];
    const guarded = guardNode(granting([{ kind: "response", headers }]), (_grant, _req, res) => res.end("granted"), {
      onFault: (error) => faults.push(error),
    });
    const answer = await send((req, res) => void guarded(req, res), get("/b/a.txt"));
    expect([answer.status, answer.body]).toEqual([500, ""]);
    expect(faults).toEqual([
      new TypeError(
        "expected content-disposition in characters that a header can carry, found others: sign another value",
      ),
    ]);
  });

  it("rejects with the handler's own error where there is no next", async () => {
    const guarded = guardNode(verifier, () => {
      throw new Error("handler");
    });
    let failure: unknown;
    await send(
      async (req, res) => {
        await guarded(req, res).catch((error: unknown) => {
          failure = error;
        });
        res.end();
      },
      get(link("a.txt").target),
    );
    expect(failure).toEqual(new Error("handler"));
  });

  it.each([1, 2])(
    "does not reject where the client of HTTP/%i goes away in the middle of its body",
    async (version) => {
      const faults: unknown[] = [];
      const outcomes: Promise<unknown>[] = [];
      const guarded = guardNode(
        granting([]),
        async (grant, req: NodeRequest & AsyncIterable<Uint8Array>) => {
          for await (const _ of grant.limitBody(req)) leave();
        },
        { onFault: (error) => faults.push(error) },
      );
      let leave = (): void => {};
      const answered = new Promise<void>((resolve) => {
        const listener = (
          req: NodeRequest & AsyncIterable<Uint8Array>,
          res: ServerResponse | Http2ServerResponse,
        ): void => {
          outcomes.push(guarded(req, res));
          resolve();
        };
        const server = version === 1 ? createServer(listener) : createHttp2Server(listener);
        closers.push(() => server.close());
        server.listen(0, "127.0.0.1", () => {
          const { port } = server.address() as AddressInfo;
          if (version === 1) {
            const socket = connect(port, "127.0.0.1");
            leave = () => void socket.destroy();
            socket.write("PUT /a HTTP/1.1\r\nHost: files.example.com\r\nContent-Length: 9\r\n\r\nabc");
          } else {
            const client = connectHttp2(`http://127.0.0.1:${port}`).on("error", () => {});
            leave = () => void client.destroy();
            client
              .request({ ":method": "PUT", ":path": "/a", ":authority": "files.example.com" })
              .on("error", () => {})
              .write("abc");
          }
        });
      });
      await answered;
      await Promise.all(outcomes);
      expect(faults).toHaveLength(1);
    },
  );

  it.each(["ECONNABORTED", "ABORT_ERR"])("does not reject where what reads the body calls it %s", async (code) => {
    const faults: unknown[] = [];
    const error = Object.assign(new Error("request aborted"), { code });
    const guarded = guardNode(verifier, () => Promise.reject(error), { onFault: (fault) => faults.push(fault) });
    const gone: RequestListener = (req, res) => {
      Object.defineProperty(req, "aborted", { value: true });
      void guarded(req, res);
    };
    await send(gone, get(link("a.txt").target));
    expect(faults).toEqual([error]);
  });

  it("hands the request on when the handler says so", async () => {
    const guarded = guardNode(verifier, (_grant, _req, _res, next) => next());
    const answer = await send((req, res) => void guarded(req, res, () => res.end("next")), get(link("a.txt").target));
    expect(answer.status).toBe(200);
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

  it("takes no body for short of which somebody else has read all", async () => {
    const answer = await send(async (req, res) => {
      for await (const _ of req);
      await reading(req, res, (error) => res.end(String(Object(error).code)));
    }, `${upload}4\r\nabcd\r\n0\r\n\r\n`);
    expect(answer.body).toContain("INVALID_INPUT");
  });

  it("reads a body that nobody has touched, however late", async () => {
    const late: RequestListener = (req, res) => void setTimeout(() => void reading(req, res), 20);
    expect((await send(late, `${upload}0\r\n\r\n`)).body).toContain("read");
    expect(problemOf(await send(late, `${upload}4\r\nabcd\r\n0\r\n\r\n`))).toMatchObject({ code: "BODY_LENGTH" });
  });
});

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
    // Where there is a `next`, a rejection that nobody waits for would end the process.
    const handed: unknown[] = [];
    await guarded(request as never, reply as never, (error) => handed.push(error));
    expect(handed).toEqual([expect.objectContaining({ message: expect.stringContaining("request.raw") })]);
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
  ])("with %s", async (_, request, expected) => {
    expect(await check(request)).toBe(expected);
  });
});

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
    const strip = granting([{ kind: "strip", names: ["utm_source"] }], (raw) => raw.replace("&utm_source=m", ""));
    const guarded = guardNode(strip, (_grant, req, res) => {
      res.setHeader("x-url", req.url ?? "");
      res.end();
    });
    expect((await send(guarded, get("/x?a=1&utm_source=m"))).headers).toContain("x-url: /x?a=1");
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

  it("lets a body of the granted length through", async () => {
    expect((await send(reading, put("Content-Length: 3", "", "abc"))).headers).toContain("x-size: 3");
  });

  it("refuses an announced length before a byte is read", async () => {
    expect(problemOf(await send(reading, put("Content-Length: 5", "", "")))).toEqual({
      status: 400,
      code: "BODY_LENGTH",
    });
  });

  it("breaks off an answer that had begun when the body was refused, and goes on", async () => {
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

/** Never called: it is here to be type-checked. */
export function unverifiedDoesNotCompile(grant: Grant): void {
  // @ts-expect-error: a handler that takes no grant first is a request handler, and would run unverified
  guardNode(verifier, (_req: NodeRequest, _res: { end(): void }) => {});
  guardNode(verifier, () => grant.id);
}
