import { describe, expect, it } from "vitest";
import { type RequestFacts, requestToWire } from "../../src/adapters/fetch/index.ts";
import { isDaypassError, type WireRequest } from "../../src/index.ts";

/** A request as a host hands it over, `Host` included, which `new Request` would leave out. */
function received(url: string, headers: Record<string, string> = {}): Request {
  const list = new Headers({ host: new URL(url).host, ...headers });
  return { method: "GET", url, headers: list } as unknown as Request;
}

function codeOf(request: Request, facts: RequestFacts = {}): string {
  try {
    requestToWire(request, facts);
  } catch (error) {
    return isDaypassError(error) ? `${error.code} ${error.details["part"]}` : String(error);
  }
  return "accepted";
}

describe("requestToWire", () => {
  it("takes target and authority from the URL in its own spelling", () => {
    const request = new Request("https://api.example.com/a%20b/%7e'x?q=1&&flag&r=%2F", { headers: { "X-One": "1" } });
    expect(requestToWire(request, { remoteAddress: "192.0.2.7" })).toEqual({
      method: "GET",
      target: "/a%20b/%7e'x?q=1&&flag&r=%2F",
      authority: "api.example.com",
      headers: [["x-one", "1"]],
      remoteAddress: "192.0.2.7",
    } satisfies WireRequest);
  });

  it("puts back what the host took off the path", () => {
    const request = new Request("https://api.example.com/x?q=1");
    expect(requestToWire(request, { basePath: "/api" }).target).toBe("/api/x?q=1");
    expect(requestToWire(request, { basePath: "/api", rawTarget: "/api/x?q='" }).target).toBe("/api/x?q='");
    expect(codeOf(request, { basePath: "/api", rawTarget: "/x?q=1" })).toBe("MALFORMED target");
    expect(codeOf(request, { basePath: "/api", rawTarget: "/api/../x?q=1" })).toBe("MALFORMED target");
  });

  it("takes the authority as Host spells it, where both name one host", () => {
    const request = received("https://api.example.com/x", { host: "API.example.com:443" });
    expect(requestToWire(request).authority).toBe("API.example.com:443");
  });

  it.each([
    [
      "a Host that names another authority",
      received("https://api.example.com/x", { host: "other.example" }),
      {},
      "host",
    ],
    [
      "two Content-Types joined by the host",
      received("https://a.example/x", { "content-type": "a/b, c/d" }),
      {},
      "content-type",
    ],
    ["a URL with a fragment", received("https://a.example/x#y"), {}, "target"],
    ["a URL of another scheme", received("ftp://a.example/x"), {}, "target"],
    [
      "a raw path that the URL parser collapsed",
      received("https://a.example/secret"),
      { rawTarget: "/b/%2e%2e/secret" },
      "target",
    ],
    [
      "a raw target in absolute form for another host",
      received("https://a.example/x"),
      { rawTarget: "http://b.example/x" },
      "host",
    ],
  ] satisfies [string, Request, RequestFacts, string][])("refuses %s", (_, request, facts, part) => {
    expect(codeOf(request, facts)).toBe(`MALFORMED ${part}`);
  });

  it("hands on the raw target where the host keeps it", () => {
    const request = received("https://a.example/x?q=%27");
    expect(requestToWire(request, { rawTarget: "/x?q='" }).target).toBe("/x?q='");
  });

  it("says whose authority it needs when a framework has put its own name into the URL", () => {
    const request = received("http://localhost/x", { host: "api.example.com" });
    const message = "Host names another authority than the URL. Pass facts.authority";
    expect(() => requestToWire(request)).toThrow(message);
  });

  it("takes the authority from the host where the URL has another", () => {
    const request = received("http://localhost:3000/x", { host: "api.example.com" });
    expect(codeOf(request)).toBe("MALFORMED host");
    expect(requestToWire(request, { authority: "api.example.com" }).authority).toBe("api.example.com");
  });
});

describe("requestToWire behind a host that serialises the query as a form", () => {
  /** What Next does to a query. */
  const reserialised = (url: string): Request => {
    const parsed = new URL(url);
    parsed.search = new URLSearchParams(parsed.search).toString();
    return received(parsed.href);
  };

  it.each([
    "?q=a%20b",
    "?flag=&other=",
    "?q=%2Fa%3Ab~c%21%27%28%29%2A",
    "?q=%C3%BC%F0%9F%98%80&q=2",
    "?plus=%2B&percent=%25",
    "?dp-audience=ab*c._-&dp-date=20260102T030405Z&dp-response-content-disposition=attachment%3Bfilename%3D%22a.pdf%22&lang=de",
    "",
  ])("finds the signed spelling again: %s", (query) => {
    const signed = `/invoices/7.pdf${query}`;
    const request = reserialised(`https://api.example.com${signed}`);
    expect(requestToWire(request, { query: "form" }).target).toBe(signed);
  });

  it("leaves the bytes of dp-* parameters alone, so that no other spelling becomes a signed one", () => {
    const request = received("https://api.example.com/x?dp-audience=a+b&dp-x=%7e&a=%7e+");
    expect(requestToWire(request, { query: "form" }).target).toBe("/x?dp-audience=a+b&dp-x=%7e&a=~%20");
  });
});
