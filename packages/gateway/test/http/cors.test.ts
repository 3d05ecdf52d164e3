import { describe, expect, it } from "vitest";
import { corsHeaders, preflight } from "../../src/http/cors.ts";

const ORIGIN = "https://app.example.com";
const policy = { origins: [ORIGIN] };

describe("CORS", () => {
  it("allows no origin unless told", () => {
    expect(preflight({}, { origin: ORIGIN, method: "GET" })).toBeUndefined();
    for (const nobody of [{}, { origins: [] }]) expect(corsHeaders(nobody, ORIGIN)).toBeUndefined();
  });

  it("answers a preflight for an allowed origin, method and headers", () => {
    const request = { origin: ORIGIN, method: "PUT", headers: "Content-Type, x-amz-meta-a" };
    const headers = Object.fromEntries(preflight(policy, request) ?? []);
    expect(headers).toMatchObject({
      "access-control-allow-origin": ORIGIN,
      "access-control-allow-methods": "PUT",
      "access-control-allow-headers": "content-type, x-amz-meta-a",
    });
    expect(headers["vary"]).toContain("origin");
  });

  it("takes the names of headers in any case, from the policy and from the page", () => {
    const own = { ...policy, headers: ["X-Custom", "X-Other-*"] };
    for (const headers of ["x-custom", "X-CUSTOM, x-other-a"]) {
      expect(preflight(own, { origin: ORIGIN, method: "GET", headers })).toBeDefined();
    }
  });

  it.each([
    { origin: "https://app.example.com.evil.test", method: "GET" },
    { origin: "https://APP.example.com", method: "GET" },
    { origin: "http://app.example.com", method: "GET" },
    { origin: "null", method: "GET" },
    { origin: undefined, method: "GET" },
    { origin: ORIGIN, method: undefined },
    { origin: ORIGIN, method: "PATCH" },
    { origin: ORIGIN, method: "get" },
    { origin: ORIGIN, method: "GET", headers: "x-forwarded-for" },
    { origin: ORIGIN, method: "GET", headers: "cookie" },
    { origin: ORIGIN, method: "GET", headers: "my-x-amz-a" },
    { origin: ORIGIN, method: "GET", headers: "x-amzn-a" },
    { origin: ORIGIN, method: "GET", headers: "x-amz-a\r\nb" },
  ])("refuses the preflight %j", (request) => {
    expect(preflight(policy, request)).toBeUndefined();
  });

  it("never allows credentials, also not for every origin", () => {
    const answers = [
      preflight({ origins: ["*"] }, { origin: ORIGIN, method: "GET" }),
      corsHeaders({ origins: ["*"] }, ORIGIN),
    ];
    for (const headers of answers) {
      expect(Object.fromEntries(headers ?? [])["access-control-allow-origin"]).toBe("*");
      expect(Object.fromEntries(headers ?? [])).not.toHaveProperty("access-control-allow-credentials");
    }
  });

  it("exposes the ETag to an allowed origin, and lets caches keep the others apart", () => {
    const headers = Object.fromEntries(corsHeaders(policy, ORIGIN) ?? []);
    const exposed = headers["access-control-expose-headers"];
    for (const name of ["etag", "x-request-id", "x-amz-request-id"]) expect(exposed?.split(", ")).toContain(name);
    expect(headers["vary"]).toBe("origin");
    expect(corsHeaders(policy, "https://other.example")).toBeUndefined();
    expect(corsHeaders({ origins: ["*"] }, undefined)).toBeUndefined();
  });

  it.each(["GET", "HEAD", "PUT", "POST", "DELETE"])("allows %s, or only what the operator names", (method) => {
    expect(preflight(policy, { origin: ORIGIN, method })).toBeDefined();
    expect(preflight({ ...policy, methods: [method] }, { origin: ORIGIN, method })).toBeDefined();
    expect(preflight({ ...policy, methods: ["PATCH"] }, { origin: ORIGIN, method })).toBeUndefined();
  });

  it("allows what a signed upload or a download of a part may have to send", () => {
    const names = ["content-type", "content-md5", "if-none-match", "range", "authorization", "x-amz-checksum-crc32"];
    for (const name of names) {
      const allowed = Object.fromEntries(preflight(policy, { origin: ORIGIN, method: "PUT", headers: name }) ?? []);
      expect(allowed["access-control-allow-headers"]).toBe(name);
    }
  });

  it("tells how long a browser may remember it: ten minutes, or what the operator says", () => {
    const told = (maxAge?: number) =>
      Object.fromEntries(preflight({ ...policy, maxAge }, { origin: ORIGIN, method: "GET" }) ?? []);
    expect([told(), told(0), told(5)].map((headers) => headers["access-control-max-age"])).toEqual(["600", "0", "5"]);
    expect(told()).not.toHaveProperty("access-control-allow-headers");
  });
});
