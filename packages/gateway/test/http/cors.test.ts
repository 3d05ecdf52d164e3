import { describe, expect, it } from "vitest";
import {
  type CorsPolicy,
  METHODS,
  type PreflightRequest,
  policyRule,
  preflight,
  responseHeaders,
} from "../../src/http/cors.ts";

const ORIGIN = "https://app.example.com";
const policy = { origins: [ORIGIN] };

const byPolicy = (asked: Partial<PreflightRequest>, own: CorsPolicy = policy) => {
  const headers = preflight([policyRule(own)], { origin: ORIGIN, method: "GET", ...asked });
  return headers === undefined ? undefined : Object.fromEntries(headers);
};

describe("preflight", () => {
  it("answers an allowed origin, method and headers", () => {
    expect(byPolicy({ method: "PUT", headers: "Content-Type, x-amz-meta-a" })).toEqual({
      "access-control-allow-origin": ORIGIN,
      "access-control-expose-headers": expect.stringContaining("etag, "),
      "access-control-allow-methods": "GET, HEAD, PUT, POST, DELETE",
      "access-control-allow-headers": "content-type, x-amz-meta-a",
      "access-control-max-age": "600",
      vary: "origin, access-control-request-method, access-control-request-headers",
    });
  });

  it.each<[string, Partial<PreflightRequest>, CorsPolicy?]>([
    ["a header name in another case", { headers: "x-custom" }, { ...policy, headers: ["X-Custom"] }],
    ["a header that a pattern matches", { headers: "X-CUSTOM, x-other-a" }, { ...policy, headers: ["x-*"] }],
    ["any origin", { origin: "https://other.example" }, { origins: ["*"] }],
    ...METHODS.map((method): [string, Partial<PreflightRequest>] => [method, { method }]),
    ["a method that the operator names", { method: "PATCH" }, { ...policy, methods: ["PATCH"] }],
    ...["content-type", "content-md5", "if-none-match", "range", "authorization", "x-amz-checksum-crc32"].map(
      (headers): [string, Partial<PreflightRequest>] => [`the header ${headers}`, { method: "PUT", headers }],
    ),
  ])("allows %s", (_, asked, own) => {
    const answer = byPolicy(asked, own);
    expect(answer?.["access-control-allow-headers"]).toBe(asked.headers?.toLowerCase());
    expect(answer).not.toHaveProperty("access-control-allow-credentials");
  });

  it.each<[string, Partial<PreflightRequest>, CorsPolicy?]>([
    ["every origin by default", {}, {}],
    ["every origin of an empty list", {}, { origins: [] }],
    ["an origin with an allowed one as its prefix", { origin: "https://app.example.com.evil.test" }],
    ["an origin in another case", { origin: "https://APP.example.com" }],
    ["an origin with another scheme", { origin: "http://app.example.com" }],
    ["an opaque origin", { origin: "null" }],
    ["a request without an origin", { origin: undefined }],
    ["a request without a method", { method: undefined }],
    ["an unknown method", { method: "PATCH" }],
    ["a method in lower case", { method: "get" }],
    ["a method that the operator does not name", { method: "PUT" }, { ...policy, methods: ["GET"] }],
    ["x-forwarded-for", { headers: "x-forwarded-for" }],
    ["cookie", { headers: "cookie" }],
    ["a header that contains a pattern", { headers: "my-x-amz-a" }],
    ["a header that a pattern almost matches", { headers: "x-amzn-a" }],
    ["a header with a line break", { headers: "x-amz-a\r\nb" }],
  ])("refuses %s", (_, asked, own) => {
    expect(byPolicy(asked, own)).toBeUndefined();
  });

  it("sends the lifetime that the operator sets", () => {
    const ages = [undefined, 0, 5].map((maxAge) => byPolicy({}, { ...policy, maxAge })?.["access-control-max-age"]);
    expect(ages).toEqual(["600", "0", "5"]);
  });

  it("uses the first rule that allows the whole request", () => {
    const rule = { origins: ["https://*.example.com"], methods: ["GET"], headers: [], exposeHeaders: [] };
    const rules = [rule, { ...rule, methods: ["PUT", "GET"], headers: ["X-*-A"], exposeHeaders: ["ETag"], maxAge: 7 }];
    const answer = preflight(rules, { origin: ORIGIN, method: "GET", headers: "x-b-a" });
    expect(Object.fromEntries(answer ?? [])).toMatchObject({
      "access-control-allow-methods": "PUT, GET",
      "access-control-max-age": "7",
    });
    expect(preflight(rules, { origin: ORIGIN, method: "GET", headers: "x-a" })).toBeUndefined();
  });
});

describe("responseHeaders", () => {
  const headersOf = (own: CorsPolicy, origin = ORIGIN, method = "HEAD") => {
    const rule = { origins: ["https://rule.example"], methods: ["GET"], headers: [], exposeHeaders: [] };
    return responseHeaders(policyRule(own), [rule], { origin, method });
  };

  it("exposes the ETag to an allowed origin, for any method", () => {
    const headers = Object.fromEntries(headersOf({ ...policy, methods: ["GET"] }) ?? []);
    const exposed = headers["access-control-expose-headers"]?.split(", ");
    for (const name of ["etag", "x-request-id", "x-amz-request-id"]) expect(exposed).toContain(name);
    expect([headers["access-control-allow-origin"], headers["vary"]]).toEqual([ORIGIN, "origin"]);
  });

  it("sends * without credentials when every origin is allowed", () => {
    const headers = Object.fromEntries(headersOf({ origins: ["*"] }) ?? []);
    expect(headers["access-control-allow-origin"]).toBe("*");
    expect(headers).not.toHaveProperty("access-control-allow-credentials");
  });

  it("applies a bucket's rule to its methods only", () => {
    expect(headersOf(policy, "https://rule.example", "GET")).toEqual([
      ["access-control-allow-origin", "https://rule.example"],
      ["vary", "origin"],
    ]);
    expect(headersOf(policy, "https://rule.example", "HEAD")).toBeUndefined();
  });

  it.each(["https://other.example", "https://app.example.com ", "null"])("returns nothing for %j", (origin) => {
    expect(headersOf(policy, origin)).toBeUndefined();
  });
});
