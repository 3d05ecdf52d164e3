import { describe, expect, it } from "vitest";
import { daypassUrl, s3Code, s3For, until } from "../e2e/clients.ts";
import { attack, gateway, get, openSite, sign, targetOf } from "./site.ts";

openSite();

describe("what leaves the gateway", () => {
  it("CVE-2026-28683: an SVG is never shown inline", async () => {
    const reply = await attack({ target: get("page.svg") });
    expect(reply.headers["content-disposition"]).toMatch(/^attachment/);
    expect(reply.headers["content-security-policy"]).toContain("sandbox");
    expect(reply.headers["x-content-type-options"]).toBe("nosniff");
  });

  it.each(["S3", "a Daypass URL"])(
    "CVE-2018-16477: a stored or signed `inline` does not make HTML a page, by %s",
    async (dialect) => {
      const response = { contentType: "text/html", contentDisposition: "inline" };
      const target =
        dialect === "S3"
          ? sign({ bucket: "media", key: "page.svg", expiresIn: 60, response })
          : targetOf(daypassUrl(gateway, "/media/page.svg", { response }));
      const reply = await attack({ target });
      expect(reply.headers["content-type"]).toBe("text/html");
      expect(reply.headers["content-disposition"]).toMatch(/^attachment/);
      expect(reply.headers["content-security-policy"]).toContain("sandbox");
    },
  );

  it("header injection: a signed response header cannot bring its own line", async () => {
    const target = sign({
      bucket: "media",
      key: "hello.txt",
      expiresIn: 60,
      response: { contentType: "text/plain\r\nset-cookie: a=b" },
    });
    const reply = await attack({ target });
    expect([reply.status, reply.headers["set-cookie"], reply.calls]).toEqual([400, undefined, 0]);
  });

  it("header injection: a parameter of an upload makes no header of an invalid name", async () => {
    for (const name of ["x-amz-meta-a\r\nset-cookie", "x-amz-meta-a b", "x-amz-meta-é", "x-amz-meta-"]) {
      const target = sign({ method: "PUT", bucket: "media", key: "named.txt", expiresIn: 60, query: { [name]: "1" } });
      const reply = await attack({ method: "PUT", target, body: "x" });
      expect([name, reply.status, s3Code(reply.body), reply.calls]).toEqual([name, 400, "InvalidArgument", 0]);
    }
  });

  it("CVE-2017-8761: no log line holds a signature, a token or a credential", async () => {
    const token = "FwoGZXIvYXdzEXAMPLETOKEN";
    const s3 = s3For(gateway, { credentials: { ...gateway.accessKey, sessionToken: token } });
    const targets = [
      get(),
      targetOf(s3.sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url),
      targetOf(daypassUrl(gateway, "/media/hello.txt")),
      "/media/x?secretalone",
    ];
    const before = gateway.events.length;
    for (const target of targets) await attack({ target });
    await until(() => gateway.events.length >= before + targets.length);
    const log = JSON.stringify(gateway.events.slice(before));
    for (const target of targets) {
      for (const value of target.matchAll(/(?:[Ss]ignature|X-Amz-Credential)=([^&]+)/g))
        expect(log).not.toContain(value[1]);
    }
    expect(log).not.toContain(token);
    expect(log).not.toContain("secretalone");
    expect(log).not.toContain(gateway.accessKey.secretAccessKey);
  });

  it("oracle: no answer shows the expected signature", async () => {
    const target = get();
    const right = /X-Amz-Signature=([0-9a-f]+)/.exec(target)?.[1] ?? "";
    const reply = await attack({ target: target.replace(right, "0".repeat(64)) });
    expect(s3Code(reply.body)).toBe("SignatureDoesNotMatch");
    expect(reply.body.toString()).not.toContain(right);
  });

  it("a refusal runs nothing in a browser, and no cache keeps it", async () => {
    const problem = targetOf(daypassUrl(gateway, "/media/none"));
    const nothing = /^default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/;
    // A page has its own style and script, by their hashes.
    const own =
      /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; [^*]*; base-uri 'none'; frame-ancestors 'none'$/;
    for (const [type, policy, sent] of [
      ["application/xml", nothing, { target: get("none") }],
      ["application/problem+json", nothing, { target: problem }],
      [
        "text/html; charset=utf-8",
        own,
        { target: problem, headers: { accept: "text/html", "user-agent": "Mozilla/5.0" } },
      ],
    ] as const) {
      const reply = await attack(sent);
      expect(reply.headers).toMatchObject({
        "content-type": type,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "content-security-policy": expect.stringMatching(policy),
        "referrer-policy": "no-referrer",
      });
    }
  });

  it("reflected markup in an error is text", async () => {
    const reply = await attack({ target: get("<script>alert(1)</script>\u0001") });
    expect(reply.body.toString()).not.toContain("<script>");
    expect(reply.headers["content-type"]).toBe("application/xml");
  });
});
