import { describe, expect, it } from "vitest";
import { corsHeaders, preflight } from "../../src/http/cors.ts";

const ORIGIN = "https://app.example.com";
const policy = { origins: [ORIGIN] };

describe("CORS", () => {
  it("allows no origin unless told", () => {
    expect(preflight({}, { origin: ORIGIN, method: "GET" })).toBeUndefined();
    expect(corsHeaders({}, ORIGIN)).toEqual([]);
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
    const exposed = Object.fromEntries(corsHeaders(policy, ORIGIN))["access-control-expose-headers"];
    for (const name of ["etag", "x-request-id", "x-amz-request-id"]) expect(exposed?.split(", ")).toContain(name);
    expect(corsHeaders(policy, "https://other.example")).toEqual([["vary", "origin"]]);
    expect(corsHeaders(policy, undefined)).toEqual([["vary", "origin"]]);
  });
});
