import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { guardNode } from "../../src/node/index.ts";
import { verifier } from "./guard-fixture.ts";

describe("guardNode, refusing a body that is still coming", () => {
  it("waits no longer for a body whose client has gone, and hands on what middleware throws at the end", async () => {
    // Those of sockets are others.
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
