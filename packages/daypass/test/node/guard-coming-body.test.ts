import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { guardNode } from "../../src/adapters/node/index.ts";
import { granting, verifier } from "./guard-fixture.ts";

describe("guardNode, refusing a body that is still coming", () => {
  it("waits no longer for a body whose client has gone, and hands on what middleware throws at the end", async () => {
    // Sockets have other timers.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const fault = new Error("of middleware");
    const guard = guardNode(verifier, () => {});
    const server = createServer((req, res) => {
      res.end = () => {
        throw fault;
      };
      void guard(req, res, (error) => server.emit("handed", error));
    });
    const handed = once(server, "handed");
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void server.close());
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.write("PUT /b/a HTTP/1.1\r\nHost: files.example.com\r\nContent-Length: 9\r\n\r\n");
    await once(socket, "data");
    socket.destroy();
    expect(await handed).toEqual([fault]);
  });

  it("does not reset the connection while a proxy still sends, even after a partly read body", async () => {
    // The time until the connection ends whatever comes. On a busy machine it would be over before the other end has stopped.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const guard = guardNode(
      granting([{ kind: "body-length", min: 2, max: 4 }]),
      async (grant, req: IncomingMessage) => {
        for await (const _ of grant.limitBody(req));
      },
    );
    const server = createServer(guard);
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void server.close());
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1").pause();
    socket.write("PUT /b/a HTTP/1.1\r\nHost: files.example.com\r\nTransfer-Encoding: chunked\r\n\r\n");
    const chunk = Buffer.from(`10000\r\n${"x".repeat(65_536)}\r\n`);
    const send = (error?: Error | null): void => {
      if (!error) socket.write(chunk, send);
    };
    const stuck = once(socket.setTimeout(100), "timeout");
    send();
    // The wait fails if the connection is reset. Otherwise the guard has stopped reading.
    await stuck;
    const [answer] = await once(socket.resume(), "data");
    expect(String(answer)).toMatch(/^HTTP\/1\.1 400 [\s\S]*"BODY_LENGTH"/);
    // What it still sends fails.
    const ended = new Promise((resolve) => socket.on("error", () => {}).on("close", resolve));
    vi.advanceTimersByTime(500);
    await ended;
  });

  it("sends the trailer that middleware has announced", async () => {
    const guard = guardNode(verifier, () => {});
    const server = createServer((req, res) => void guard(req, res.setHeader("trailer", "server-timing")));
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void server.close());
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.write("PUT /b/a HTTP/1.1\r\nHost: files.example.com\r\nContent-Length: 9\r\n\r\n");
    expect(String((await once(socket, "data"))[0])).toMatch(/^HTTP\/1\.1 403 [\s\S]*"NO_SIGNATURE"/);
    socket.destroy();
  });
});
