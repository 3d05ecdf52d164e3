import { once } from "node:events";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server, type Http2ServerResponse } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { guardNode, type NodeRequest } from "../../src/adapters/node/index.ts";
import { DaypassError, type Grant, type Verifier } from "../../src/index.ts";
import { s3Verifier } from "../../src/schemes/s3/index.ts";
import { AT, endpoint, get, granting, link, problemOf, send, verifier, verifierAt } from "./guard-fixture.ts";

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
  it.each(["a/%2e%2e/secret", "a/../secret", "a/./b", "/secret", "a//b", "a/;b", "x/..;/y", "x/..%3B/y"])(
    "refuses the validly signed key %j, which a router could read as another",
    async (key) => {
      const target = link(decodeURIComponent(key)).target;
      const raw = key.includes("%2e")
        ? target.replace("..", "%2e%2e")
        : key.includes(";")
          ? target.replace("%3B", ";")
          : target;
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
    // Also where the verifier would have taken it.
    const open = guardNode(granting([]), (_grant, _req, res) => res.end());
    const target = link("d/a.txt").target.replace("/b/d/a.txt", path);
    for (const guarded of [listener, open])
      expect(problemOf(await send(guarded, get(target)))).toEqual({ status: 400, code: "MALFORMED" });
  });

  it("closes the connection rather than swallow a refused body", async () => {
    const head = "PUT /b/a HTTP/1.1\r\nHost: files.example.com\r\nContent-Length: 1000000\r\n\r\n";
    expect((await send(listener, head)).headers.toLowerCase()).toContain("connection: close");
  });

  it("does not reset the connection while the client or a proxy still sends", async () => {
    const guard = guardNode(verifier, () => {});
    const server = createServer(async (req, res) => {
      await guard(req, res);
      // Koa, for one, answers by itself if no handler has answered.
      server.emit("guarded", res.writableEnded);
    });
    const guarded = once(server, "guarded");
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void server.close());
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.write("PUT /b/a HTTP/1.1\r\nHost: files.example.com\r\nContent-Length: 1000000000\r\n\r\n");
    const chunk = Buffer.alloc(64 * 1024);
    const sendOn = (error?: Error | null): void => {
      if (!error) socket.write(chunk, sendOn);
    };
    const stuck = once(socket.setTimeout(100), "timeout");
    sendOn();
    // The wait fails if the connection is reset. Otherwise the server has stopped reading.
    await stuck;
    const [answer] = await once(socket.setEncoding("latin1"), "data");
    expect(answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*}$/);
    socket.destroy();
    expect(await guarded).toEqual([true]);
  });

  it.each(["Content-Length: 9", "Connection: close"])(
    "refuses HEAD with %s also where the server throws at a body of its answer",
    async (header) => {
      const head = `HEAD /b/a HTTP/1.1\r\nHost: files.example.com\r\n${header}\r\n\r\n`;
      const answer = await send(listener, head, { rejectNonStandardBodyWrites: true });
      expect([answer.status, answer.body]).toEqual([403, ""]);
      expect(answer.headers).toContain("content-type: application/problem+json");
    },
  );

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
    onTestFinished(() => void server.close());
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

  it("answers 500 and continues when the key lookup fails and there is no next", async () => {
    const failing = s3Verifier({ credentials: () => Promise.reject(new Error("no database")), origins: [endpoint] });
    const faults: unknown[] = [];
    const guarded = guardNode(failing, () => {}, { onFault: (error) => faults.push(error) });
    const answer = await send((req, res) => void guarded(req, res), get(link("a.txt").target));
    expect([answer.status, answer.body]).toEqual([500, ""]);
    expect(faults).toEqual([new Error("no database")]);
  });

  it("answers 500 and continues when a signed response header cannot be sent", async () => {
    const headers = { "content-disposition": 'attachment; filename="—.pdf"' };
    const faults: unknown[] = [];
    const guarded = guardNode(granting([{ kind: "response", headers }]), (_grant, _req, res) => res.end("granted"), {
      onFault: (error) => faults.push(error),
    });
    const answer = await send((req, res) => void guarded(req, res), get("/b/a.txt"));
    expect([answer.status, answer.body]).toEqual([500, ""]);
    expect(faults).toEqual([
      new TypeError("content-disposition has characters that a header cannot carry. Sign another value"),
    ]);
  });

  it("rejects with the handler's own error if there is no next", async () => {
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

  it.each([1, 2])("does not reject if the client of HTTP/%i disconnects in the middle of its body", async (version) => {
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
      onTestFinished(() => void server.close());
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
  });

  it.each(["ECONNABORTED", "ABORT_ERR"])("does not reject if the reader of the body calls it %s", async (code) => {
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

  it("rejects with the handler's own error, also where its client has gone away", async () => {
    const own = new Error("the handler's own");
    const guarded = guardNode(verifier, () => Promise.reject(own));
    const outcomes: unknown[] = [];
    const gone: RequestListener = (req, res) => {
      Object.defineProperty(req, "aborted", { value: true });
      void guarded(req, res).then(
        () => outcomes.push("handled"),
        (error) => {
          outcomes.push(error);
          res.destroy();
        },
      );
    };
    await send(gone, get(link("a.txt").target));
    expect(outcomes).toEqual([own]);
  });

  it("hands the request on when the handler says so", async () => {
    const guarded = guardNode(verifier, (_grant, _req, _res, next) => next());
    const answer = await send((req, res) => void guarded(req, res, () => res.end("next")), get(link("a.txt").target));
    expect(answer.status).toBe(200);
  });
});

/** Never called: it is here to be type-checked. */
export function unverifiedDoesNotCompile(grant: Grant): void {
  // @ts-expect-error: a handler that takes no grant first is a request handler, and would run unverified
  guardNode(verifier, (_req: NodeRequest, _res: { end(): void }) => {});
  guardNode(verifier, () => grant.id);
}
