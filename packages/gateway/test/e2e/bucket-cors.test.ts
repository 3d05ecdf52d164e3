import { beforeEach, describe, expect, it } from "vitest";
import { disk } from "../../src/storage/disk/index.ts";
import { testGateway } from "../../src/testing/index.ts";
import { callBucket, contentMd5, text, texts } from "./bucket-client.ts";
import { daypassUrl, s3Code, s3Field, s3For, send, useGateway, withoutIds } from "./clients.ts";

const APP = "https://app.example.com";
const rule = (inside: string) => `<CORSConfiguration><CORSRule>${inside}</CORSRule></CORSConfiguration>`;
const RULE = rule(
  `<ID>app</ID><AllowedOrigin>${APP}</AllowedOrigin><AllowedOrigin>https://*.example.org</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedHeader>Content-*</AllowedHeader><AllowedHeader>x-amz-meta-a</AllowedHeader><ExposeHeader>ETag</ExposeHeader><ExposeHeader>x-amz-meta-a</ExposeHeader><MaxAgeSeconds>300</MaxAgeSeconds>`,
);
const gateway = useGateway({ files: { "media/hello.txt": "hello", "plain/a.txt": "a", "any/a.txt": "a" } });
beforeEach(async () => {
  expect((await set(RULE)).status).toBe(200);
  await set(rule("<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"), "any");
});

const set = (body: string, bucket = "media", headers = contentMd5(body)) =>
  callBucket(gateway, { method: "PUT", bucket, query: { cors: "" }, body, headers });

const preflight = (path: string, headers: Record<string, string>) =>
  fetch(`${gateway.url}${path}`, { method: "OPTIONS", headers });

const asked = (origin: string, method: string, names?: string) => ({
  origin,
  "access-control-request-method": method,
  ...(names === undefined ? {} : { "access-control-request-headers": names }),
});

const allowed = (reply: Response) => reply.headers.get("access-control-allow-origin");

describe("the rules of a bucket", () => {
  it("are read as they were set, and taken away", async () => {
    const got = await callBucket(gateway, { query: { cors: "" } });
    expect(texts(got, "AllowedOrigin")).toEqual([APP, "https://*.example.org"]);
    expect(texts(got, "AllowedMethod")).toEqual(["GET", "PUT"]);
    expect(texts(got, "AllowedHeader")).toEqual(["Content-*", "x-amz-meta-a"]);
    expect(texts(got, "ExposeHeader")).toEqual(["ETag", "x-amz-meta-a"]);
    expect([text(got, "ID"), text(got, "MaxAgeSeconds")]).toEqual(["app", "300"]);
    expect((await callBucket(gateway, { method: "DELETE", query: { cors: "" } })).status).toBe(204);
    const none = await callBucket(gateway, { query: { cors: "" } });
    expect([none.status, s3Code(none.body)]).toEqual([404, "NoSuchCORSConfiguration"]);
    expect((await preflight("/media/hello.txt", asked(APP, "GET"))).status).toBe(403);
  });

  it("outlive the gateway", async () => {
    const own = await testGateway({ files: { "media/a": "a" } });
    const body = RULE;
    await callBucket(own, { method: "PUT", query: { cors: "" }, body, headers: contentMd5(body) });
    await own.server.drain(1000);
    const again = await disk({ root: own.root });
    expect((await again.corsRules("media"))[0]?.id).toBe("app");
    await again.close();
    await own.close();
  });

  const one = "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>";
  it.each([
    ["a method that is none", one.replace("GET", "PATCH"), "InvalidRequest"],
    ["a method in lower case", one.replace("GET", "get"), "InvalidRequest"],
    ["two wildcards in an origin", one.replace("*", "https://*.*.com"), "InvalidRequest"],
    ["a space in an origin", one.replace("*", "https://a b.example"), "MalformedXML"],
    ["a header that begins with a space", `${one}<AllowedHeader>&#32;x-a</AllowedHeader>`, "MalformedXML"],
    ["a header that ends in no letter of a header", `${one}<AllowedHeader>x-é</AllowedHeader>`, "MalformedXML"],
    ["two wildcards in a header", `${one}<AllowedHeader>x-*-*</AllowedHeader>`, "InvalidRequest"],
    ["a wildcard to expose", `${one}<ExposeHeader>x-*</ExposeHeader>`, "InvalidRequest"],
    ["a line break to expose", `${one}<ExposeHeader>x-a&#13;&#10;set-cookie</ExposeHeader>`, "MalformedXML"],
    ["an age that is no number", `${one}<MaxAgeSeconds>soon</MaxAgeSeconds>`, "MalformedXML"],
    ["a negative age", `${one}<MaxAgeSeconds>-1</MaxAgeSeconds>`, "MalformedXML"],
    ["two ages", `${one}<MaxAgeSeconds>1</MaxAgeSeconds><MaxAgeSeconds>2</MaxAgeSeconds>`, "MalformedXML"],
    ["no origin", "<AllowedMethod>GET</AllowedMethod>", "MalformedXML"],
    ["no method", "<AllowedOrigin>*</AllowedOrigin>", "MalformedXML"],
    ["an ID of 256 characters", `<ID>${"i".repeat(256)}</ID>${one}`, "MalformedXML"],
    ["something unknown", `${one}<AllowCredentials>true</AllowCredentials>`, "MalformedXML"],
  ])("with %s are refused", async (_, inside, code) => {
    const reply = await set(rule(inside));
    expect([reply.status, s3Code(reply.body)]).toEqual([400, code]);
    expect((await preflight("/media/hello.txt", asked(APP, "GET"))).status).toBe(200);
  });

  it("are one to a hundred, in sixty-four kilobytes, with a digest, for a bucket that exists", async () => {
    const rules = (count: number) =>
      `<CORSConfiguration>${`<CORSRule>${one}</CORSRule>`.repeat(count)}</CORSConfiguration>`;
    expect((await set(rules(100))).status).toBe(200);
    const besides = await set(
      RULE.replace("</CORSConfiguration>", "<AllowedOrigin>*</AllowedOrigin></CORSConfiguration>"),
    );
    expect(s3Code(besides.body)).toBe("MalformedXML");
    for (const count of [0, 101]) expect(s3Code((await set(rules(count))).body)).toBe("MalformedXML");
    const long = await set(`${RULE}${" ".repeat(64 * 1024)}`);
    expect(s3Code(long.body)).toBe("MaxMessageLengthExceeded");
    expect(s3Code((await set(RULE, "media", {})).body)).toBe("InvalidRequest");
    expect(s3Code((await set(RULE, "media", contentMd5("x"))).body)).toBe("BadDigest");
    expect(s3Code((await set(RULE, "no-such-bucket")).body)).toBe("NoSuchBucket");
    expect(s3Field((await set(rule(one.replace("GET", "PATCH")))).body, "Message")).toBe(
      "Found unsupported HTTP method in CORS config. Unsupported method is PATCH",
    );
  });
});

describe("a preflight", () => {
  it("is answered by the rules, without a signature", async () => {
    const reply = await preflight("/media/hello.txt", asked(APP, "PUT", "content-type, X-Amz-Meta-A"));
    expect(reply.status).toBe(200);
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      "access-control-allow-origin": APP,
      "access-control-allow-methods": "GET, PUT",
      "access-control-allow-headers": "content-type, x-amz-meta-a",
      "access-control-expose-headers": "ETag, x-amz-meta-a",
      "access-control-max-age": "300",
      vary: "origin, access-control-request-method, access-control-request-headers",
    });
    expect(reply.headers.has("access-control-allow-credentials")).toBe(false);
    const any = Object.fromEntries((await preflight("/any/a.txt", asked("https://else.example", "GET"))).headers);
    expect(Object.entries(any).filter(([name]) => name.startsWith("access-control-"))).toEqual([
      ["access-control-allow-methods", "GET"],
      ["access-control-allow-origin", "*"],
    ]);
    expect(allowed(await preflight("/media/x", asked("https://a.b.example.org", "GET")))).toBe(
      "https://a.b.example.org",
    );
  });

  it.each([
    ["another origin", asked("https://evil.example.com", "GET")],
    ["an origin that ends alike", asked("https://app.example.com.evil.test", "GET")],
    ["an origin that begins alike", asked("https://.example.org.evil.test", "GET")],
    // What a rule allows is sent back.
    ["an origin that no header can hold everywhere", asked("https://é.example.org", "GET")],
    ["another method", asked(APP, "DELETE")],
    ["a header that is none", asked(APP, "GET", "content-type, content-a b")],
    // Each is held against each pattern of each rule.
    [
      "more headers than a request may have",
      asked(APP, "GET", Array.from({ length: 101 }, (_, i) => `content-${i}`).join()),
    ],
    ["another header", asked(APP, "GET", "content-type, x-amz-meta-b")],
  ])("is refused for %s", async (_, headers) => {
    const reply = await preflight("/media/hello.txt", headers);
    const body = await reply.text();
    expect([reply.status, allowed(reply), s3Code(body)]).toEqual([403, null, "AccessForbidden"]);
    expect(s3Field(body, "Message")).toMatch(
      /^CORSResponse: This CORS request is not allowed\. This is usually because/,
    );
    expect(s3Field(body, "RequestId")).toBe(reply.headers.get("x-amz-request-id"));
    expect([reply.headers.get("vary"), reply.headers.get("cache-control")]).toEqual([
      "origin, access-control-request-method, access-control-request-headers",
      "no-store",
    ]);
  });

  it("answers 400 to a preflight without a method or an origin", async () => {
    for (const [headers, message] of [
      [{ "access-control-request-method": "GET" }, "Insufficient information. Origin request header needed."],
      [{}, "Insufficient information. Origin request header needed."],
      [{ origin: APP }, "Invalid Access-Control-Request-Method: null"],
    ] as const) {
      for (const path of ["/media/hello.txt", "/no-such-bucket/a"]) {
        const reply = await preflight(path, headers);
        const body = await reply.text();
        expect([reply.status, allowed(reply), s3Code(body), s3Field(body, "Message")]).toEqual([
          400,
          null,
          "BadRequest",
          message,
        ]);
      }
    }
  });

  it("answers a preflight alike for a missing bucket, a bucket without rules and a bucket of another origin", async () => {
    const answers = [];
    for (const path of [
      "/no-such-bucket/a",
      "/plain/a.txt",
      "/plain/none",
      "/media/hello.txt",
      "/media/none",
      "/",
      "/%ff/a",
    ]) {
      const reply = await preflight(path, asked("https://evil.example.com", "GET"));
      answers.push(await withoutIds(reply));
    }
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    const there = await preflight("/media/hello.txt", asked(APP, "GET"));
    const missing = await preflight("/media/none", asked(APP, "GET"));
    expect([there.status, missing.status]).toEqual([200, 200]);
  });
});

describe("a request of a page", () => {
  const get = (url: string, origin = APP) => fetch(url, { headers: { origin } });
  const signed = (bucket = "media", key = "hello.txt") => s3For(gateway).sign({ bucket, key, expiresIn: 60 }).url;

  it("may read what the rules allow, and its errors", async () => {
    const reply = await get(signed());
    expect([reply.status, allowed(reply), reply.headers.get("access-control-expose-headers")]).toEqual([
      200,
      APP,
      "ETag, x-amz-meta-a",
    ]);
    expect(reply.headers.get("vary")).toBe("origin");
    const missing = await get(signed("media", "none"));
    expect([missing.status, allowed(missing)]).toEqual([404, APP]);
    const unsigned = await get(`${gateway.url}/media/hello.txt`);
    expect([unsigned.status, allowed(unsigned)]).toEqual([403, APP]);
    const forged = await get(`${signed()}0`);
    expect([forged.status, allowed(forged)]).toEqual([403, APP]);
  });

  it("may not read anything else", async () => {
    for (const [url, origin] of [
      [signed(), "https://evil.example.com"],
      [signed("plain", "a.txt"), APP],
    ] as const) {
      const reply = await get(url, origin);
      expect([reply.status, allowed(reply), reply.headers.get("vary")]).toEqual([200, null, "origin"]);
    }
    const { url } = s3For(gateway).sign({ method: "DELETE", bucket: "media", key: "none", expiresIn: 60 });
    expect(allowed(await fetch(url, { method: "DELETE", headers: { origin: APP } }))).toBe(null);
  });

  it("is kept apart from others by caches, also from those without an origin", async () => {
    expect((await fetch(signed())).headers.get("vary")).toBe("origin");
  });

  it("counts the same for Daypass URLs", async () => {
    expect(allowed(await get(daypassUrl(gateway, "/media/hello.txt")))).toBe(APP);
    expect(allowed(await get(daypassUrl(gateway, "/plain/a.txt")))).toBe(null);
  });
});

describe("the operator's policy and a bucket's rules", () => {
  it("each allow what they allow, and a bucket is found in the host as well", async () => {
    const own = await testGateway({
      files: { "media/hello.txt": "hello", "plain/a.txt": "a" },
      gateway: (port) => ({
        cors: { origins: ["https://operator.example"] },
        origins: [`http://127.0.0.1:${port}`, `http://*.s3.localhost:${port}`],
      }),
    });
    await callBucket(own, { method: "PUT", query: { cors: "" }, body: RULE, headers: contentMd5(RULE) });
    const ask = async (path: string, origin: string, host = `127.0.0.1:${own.port}`) => {
      // In the capitals of a browser.
      const headers = { Origin: origin, "Access-Control-Request-Method": "GET", Host: host };
      return (await send(own, { method: "OPTIONS", target: path, headers })).headers["access-control-allow-origin"];
    };
    expect(await ask("/plain/a.txt", "https://operator.example")).toBe("https://operator.example");
    expect(await ask("/media/hello.txt", "https://operator.example")).toBe("https://operator.example");
    expect(await ask("/media/hello.txt", APP)).toBe(APP);
    expect(await ask("/plain/a.txt", APP)).toBe(undefined);
    expect(await ask("/hello.txt", APP, `media.s3.localhost:${own.port}`)).toBe(APP);
    expect(await ask("/media/hello.txt", APP, `plain.s3.localhost:${own.port}`)).toBe(undefined);
    const { url } = s3For(own).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 });
    for (const origin of [APP, "https://operator.example"]) {
      expect((await fetch(url, { headers: { origin } })).headers.get("access-control-allow-origin")).toBe(origin);
    }
    await own.close();
  });
});
