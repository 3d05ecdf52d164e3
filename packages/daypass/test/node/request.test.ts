import { createServer, type IncomingMessage } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type NodeRequest, toWireRequest, type WireOptions } from "../../src/adapters/node/index.ts";
import { isDaypassError, type WireRequest } from "../../src/index.ts";

const plain: NodeRequest = {
  method: "GET",
  url: "/b/k?x=1",
  rawHeaders: ["Host", "files.example.com"],
  httpVersionMajor: 1,
  socket: { remoteAddress: "192.0.2.7" },
};

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return isDaypassError(error) ? `${error.code} ${error.details["part"]}` : String(error);
  }
  return "accepted";
}

const withHeaders = (...rawHeaders: string[]): NodeRequest => ({ ...plain, rawHeaders });
const host = ["Host", "files.example.com"] as const;

describe("toWireRequest", () => {
  it("hands on method, target, authority, headers and peer as they stood on the wire", () => {
    const rawHeaders = [...host, "X-Twice", "1", "x-twice", "2"];
    expect(toWireRequest({ ...plain, url: "/b/%2e%2e/s'ecret?a=%7e&&b", rawHeaders })).toEqual({
      method: "GET",
      target: "/b/%2e%2e/s'ecret?a=%7e&&b",
      authority: "files.example.com",
      headers: [
        ["Host", "files.example.com"],
        ["X-Twice", "1"],
        ["x-twice", "2"],
      ],
      remoteAddress: "192.0.2.7",
    } satisfies WireRequest);
  });

  it("takes the target from before a mount", () => {
    expect(toWireRequest({ ...plain, url: "/k", originalUrl: "/b/k" }).target).toBe("/b/k");
  });

  it.each([
    ["two Host headers", withHeaders(...host, "host", "files.example.com"), "host"],
    ["no Host header, as in HTTP/1.0", withHeaders(), "host"],
    ["an empty Host header", withHeaders("Host", ""), "host"],
    ["an absolute-form target for another authority", { ...plain, url: "http://other.example/b/k" }, "host"],
    ["an absolute-form target with user information", { ...plain, url: "http://u@files.example.com/b" }, "host"],
    [
      "a Host beside another :authority, as HTTP/2 has it",
      { ...plain, httpVersionMajor: 2, rawHeaders: [":authority", "files.example.com", "host", "other.example"] },
      "host",
    ],
    ["two Content-Type headers", withHeaders(...host, "Content-Type", "a/b", "content-type", "a/b"), "content-type"],
    ["two Content-Types in one header", withHeaders(...host, "Content-Type", "a/b, c/d"), "content-type"],
    [
      "two Content-Length headers",
      withHeaders(...host, "Content-Length", "1", "Content-Length", "1"),
      "content-length",
    ],
    ["a Content-Length that is no number", withHeaders(...host, "Content-Length", "1, 1"), "content-length"],
    ["an empty Content-Length", withHeaders(...host, "Content-Length", ""), "content-length"],
    ["a Content-Length with a sign", withHeaders(...host, "Content-Length", "+5"), "content-length"],
    [
      "a Transfer-Encoding other than chunked",
      withHeaders(...host, "Transfer-Encoding", "gzip, chunked"),
      "transfer-encoding",
    ],
    [
      "a Transfer-Encoding beside a Content-Length",
      withHeaders(...host, "Transfer-Encoding", "chunked", "Content-Length", "5"),
      "transfer-encoding",
    ],
    ["a fragment in the target", { ...plain, url: "/b/k#x" }, "target"],
    ["a backslash in the target", { ...plain, url: "/b\\k" }, "target"],
    ["a target that is not ASCII", { ...plain, url: "/b/é" }, "target"],
    ["the asterisk form", { ...plain, url: "*" }, "target"],
  ])("refuses %s", (_, request, part) => {
    expect(codeOf(() => toWireRequest(request))).toBe(`MALFORMED ${part}`);
  });

  it("accepts the absolute form for the authority in Host, default port or not", () => {
    expect(toWireRequest({ ...plain, url: "HTTP://FILES.example.com:80/b/k?x" })).toMatchObject({
      target: "/b/k?x",
      authority: "files.example.com",
    });
    expect(toWireRequest({ ...plain, url: "http://files.example.com?x" }).target).toBe("/?x");
  });

  it("accepts a quoted comma in a media type, and chunked in any case", () => {
    const request = withHeaders(...host, "Content-Type", 'm/x; boundary="a,b"', "Transfer-Encoding", "Chunked");
    expect(codeOf(() => toWireRequest(request))).toBe("accepted");
  });

  it("accepts other headers, repeated or not, whose names are as long as those that it checks", () => {
    const names = ["Link", "Authenticate", "Accept-Charset", "If-Modified-Since"];
    const request = withHeaders(...host, ...[...names, ...names].flatMap((name) => [name, "a, b"]));
    expect(codeOf(() => toWireRequest(request))).toBe("accepted");
  });

  it("slow patterns: a Content-Type of quotes that never end is read in one pass, before any signature", () => {
    // 3.7 s for a pattern that starts again at each quote; the test's own time limit is the bar.
    const endless = `a/b;c=",${'\\"'.repeat(100_000)}`;
    expect(codeOf(() => toWireRequest(withHeaders(...host, "Content-Type", endless)))).toBe("MALFORMED content-type");
    const closed = toWireRequest(withHeaders(...host, "Content-Type", 'a/b;c="\\"x,y\\\\"'));
    expect(closed.headers[1]?.[1]).toBe('a/b;c="\\"x,y\\\\"');
    expect(codeOf(() => toWireRequest(withHeaders(...host, "Content-Type", 'a/b;c="\\\\",d/e')))).toBe(
      "MALFORMED content-type",
    );
  });

  it("refuses as many headers as the server reads, for more would have been dropped", () => {
    const many = (count: number): NodeRequest =>
      withHeaders(...host, ...Array.from({ length: count - 1 }, (_, i) => [`h${i}`, "1"]).flat());
    expect(codeOf(() => toWireRequest(many(999)))).toBe("accepted");
    expect(codeOf(() => toWireRequest(many(1000)))).toBe("MALFORMED headers");
    expect(codeOf(() => toWireRequest(many(50), { maxHeadersCount: 50 }))).toBe("MALFORMED headers");
    expect(codeOf(() => toWireRequest(many(1), { maxHeadersCount: Number.NaN }))).toBe("MALFORMED headers");
  });

  it.each([
    ["no trusted proxy", {}, "192.0.2.7"],
    ["one trusted proxy", { trustedHops: 1 }, "198.51.100.2"],
    ["two trusted proxies", { trustedHops: 2 }, "203.0.113.9"],
    ["a chain shorter than the trusted one", { trustedHops: 4 }, undefined],
    ["an address known otherwise", { trustedHops: 1, remoteAddress: "2001:db8::1" }, "2001:db8::1"],
  ] satisfies [string, WireOptions, string | undefined][])(
    "tells the client's address behind %s",
    (_, options, expected) => {
      const request = withHeaders(
        ...host,
        "X-Forwarded-For",
        "6.6.6.6, 203.0.113.9",
        "x-forwarded-for",
        "198.51.100.2",
      );
      expect(toWireRequest(request, options).remoteAddress).toBe(expected);
    },
  );

  it("reports an invalid number of trusted proxies", () => {
    expect(codeOf(() => toWireRequest(plain, { trustedHops: -1 }))).toBe("INVALID_INPUT undefined");
  });
});

describe("toWireRequest on real servers", () => {
  const closers: (() => void)[] = [];
  afterEach(() => {
    for (const close of closers.splice(0)) close();
  });

  async function sendRaw(head: string, options: WireOptions = {}): Promise<string> {
    const server = createServer((req: IncomingMessage, res) => {
      res.setHeader("connection", "close");
      res.end(codeOf(() => toWireRequest(req, options)));
    });
    closers.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return new Promise((resolve, reject) => {
      let answer = "";
      const socket = connect(port, "127.0.0.1", () => socket.write(head));
      socket.setEncoding("utf8").on("data", (text) => {
        answer += text;
      });
      socket
        .on("error", reject)
        .on("end", () => resolve(/\r\n\r\n(?:[0-9a-f]+\r\n)?([^\r]+)/.exec(answer)?.[1] ?? answer));
    });
  }

  it.each([
    ["a plain request", "GET /b/%2e%2e/k HTTP/1.1\r\nHost: a\r\n\r\n", "accepted"],
    ["HTTP/1.0 without Host", "GET /b HTTP/1.0\r\n\r\n", "MALFORMED host"],
    ["two Host headers", "GET /b HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "MALFORMED host"],
    ["absolute form for another host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "MALFORMED host"],
    ["a fragment", "GET /b#c HTTP/1.1\r\nHost: a\r\n\r\n", "MALFORMED target"],
    [
      "two Content-Types",
      "PUT /b HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n",
      "MALFORMED content-type",
    ],
    [
      "gzip, chunked",
      "PUT /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      "MALFORMED transfer-encoding",
    ],
    ["999 headers", `GET /b HTTP/1.1\r\nHost: a\r\n${"h: 1\r\n".repeat(998)}\r\n`, "accepted"],
  ])("answers %s over a socket", async (_, head, expected) => {
    expect(await sendRaw(head)).toBe(expected);
  });

  it("refuses 1200 headers over a socket, or Node does so itself", async () => {
    const answer = await sendRaw(`GET /b HTTP/1.1\r\nHost: a\r\n${"h: 1\r\n".repeat(1200)}\r\n`);
    // Node drops what exceeds its limit up to 24; 22.23 and 26 answer by themselves.
    expect(answer).toMatch(/^(?:MALFORMED headers$|HTTP\/1\.1 4(?:31|00) )/);
  });

  it("takes HTTP/2's :authority and leaves the other pseudo-headers out", async () => {
    let seen: WireRequest | undefined;
    const server = createHttp2Server((req, res) => {
      seen = toWireRequest(req);
      res.end();
    });
    closers.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const session = connectHttp2(
      `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    );
    await new Promise<void>((resolve, reject) => {
      const stream = session.request({ ":path": "/b/%2e%2e/k?x", ":authority": "files.example.com", "x-one": "1" });
      stream.on("error", reject).on("close", resolve).resume().end();
    });
    session.close();
    expect(seen).toMatchObject({ method: "GET", target: "/b/%2e%2e/k?x", authority: "files.example.com" });
    expect(seen?.headers).toEqual([["x-one", "1"]]);
  });
});
