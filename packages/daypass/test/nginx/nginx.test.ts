import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { isDaypassError, type WireRequest } from "../../src/index.ts";
import { type NginxVerifierOptions, nginxSigner, nginxVerifier } from "../../src/schemes/nginx/index.ts";
import { wireRequest } from "../wire-request.ts";

const NOW = new Date("2026-01-02T03:04:05Z");
const clock = (): Date => NOW;
const origins = ["https://files.example.com"];
const url = "https://files.example.com/s/link";

const outcome = async (request: WireRequest, options: Partial<NginxVerifierOptions> = {}): Promise<string> =>
  nginxVerifier({ secrets: "secret", origins, clock, ...options })
    .verify(request)
    .then(
      () => "accepted",
      (error: unknown) => (isDaypassError(error) ? error.code : String(error)),
    );
const get = (target: string, more: Partial<WireRequest> = {}): WireRequest => ({
  method: "GET",
  target,
  authority: "files.example.com",
  headers: [],
  ...more,
});

describe("the link of nginx' documentation", () => {
  // https://nginx.org/en/docs/http/ngx_http_secure_link_module.html, secure_link_md5
  const expression = "$secure_link_expires$uri$remote_addr $secret";
  const target = "/s/link?md5=_e4Nc3iduzkWRm01TBBNYw&expires=2147483647";

  it("signs the link of the documentation", () => {
    const signer = nginxSigner({ secret: "secret", expression, clock });
    const link = signer.sign({ url, expiresAt: new Date(2147483647_000), bind: { ip: "127.0.0.1" } });
    expect(link.url).toBe(`https://files.example.com${target}`);
    expect(signer.weak).toEqual(["plain-md5", "unseparated-fields"]);
    expect(link.warnings).toHaveLength(2);
  });

  it("accepts the link from its address and from no other", async () => {
    expect(await outcome(get(target, { remoteAddress: "127.0.0.1" }), { expression })).toBe("accepted");
    expect(await outcome(get(target, { remoteAddress: "::ffff:127.0.0.1" }), { expression })).toBe("accepted");
    for (const remoteAddress of ["127.0.0.2", "::1", undefined]) {
      expect(await outcome(get(target, { remoteAddress }), { expression })).toBe("SIGNATURE_MISMATCH");
    }
  });
});

describe("expressions", () => {
  it.each([
    ["$secure_link_expires$uri $secret", false],
    [`\${secure_link_expires}\${uri} \${secret}`, false],
    ["$secure_link_expires$uri$secret", false],
    ["$secure_link_expires $remote_addr $uri $secret", false],
    ["$secure_link_expires$uri $remote_addr $secret", false],
    ["$secure_link_expires$uri$remote_addr $secret", true],
    ["$uri$secure_link_expires $secret", true],
    ["$secure_link_expires $uri $arg_user $secret", true],
    ["$secure_link_expires$remote_addr$uri $secret", true],
    ["$secure_link_expires $http_user_agent 1$remote_addr $secret", true],
  ])("%s: ambiguous is %s", (expression, ambiguous) => {
    const { weak } = nginxSigner({ secret: "s", expression });
    expect(weak.includes("unseparated-fields")).toBe(ambiguous);
  });

  it("signs two requests with one text by an ambiguous expression", () => {
    const expression = "$secure_link_expires$uri$remote_addr $secret";
    const signer = nginxSigner({ secret: "secret", expression, clock });
    const one = signer.sign({ url: "https://files.example.com/a1", expiresIn: 60, bind: { ip: "1.2.3.4" } });
    const other = signer.sign({ url: "https://files.example.com/a", expiresIn: 60, bind: { ip: "11.2.3.4" } });
    expect(one.url.split("?")[1]).toBe(other.url.split("?")[1]);
  });

  it.each([
    "",
    "$secure_link_expires$uri secret",
    "$secret $secure_link_expires$uri",
    "$secure_link_expires$uri $secret$secret",
    "$secure_link_expires$request_uri $secret",
    "$secure_link_expires$uri$ $secret",
    "$secure_link_expires$URI $secret",
  ])("refuses %j", (expression) => {
    expect(() => nginxSigner({ secret: "s", expression })).toThrowError(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
    expect(() => nginxVerifier({ secrets: "s", origins, expression })).toThrowError(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
  });

  it("length extension (Flickr, 2009): a secret in front, where MD5 could be continued, is refused on both sides", () => {
    for (const expression of ["$secret$uri", "$secret $secure_link_expires$uri", "x$secret$uri"]) {
      expect(() => nginxVerifier({ secrets: "s", origins, expression, withoutExpiry: "accept" })).toThrowError(
        /could be continued/,
      );
    }
  });

  it("signs the query parameters, headers, host, scheme and method that it names", async () => {
    const expression = "$secure_link_expires $request_method $scheme $host $arg_user $http_user_agent $uri $secret";
    const signer = nginxSigner({ secret: "secret", expression, clock });
    const link = signer.sign({ url: `${url}?user=7`, expiresIn: 60, bind: { headers: { "User-Agent": "app 1" } } });
    const request = wireRequest(link);
    expect(link.headers).toEqual({ "user-agent": "app 1" });
    expect(await outcome(request, { expression })).toBe("accepted");
    expect(await outcome({ ...request, target: request.target.replace("user=7", "user=8") }, { expression })).toBe(
      "SIGNATURE_MISMATCH",
    );
    const twins = { headers: { "User-Agent": "app 1", "user-agent": "app\n2" } };
    expect(() => signer.sign({ url, expiresIn: 60, bind: twins })).toThrowError(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
    expect(await outcome({ ...request, method: "HEAD" }, { expression })).toBe("SIGNATURE_MISMATCH");
    expect(await outcome({ ...request, headers: [["user-agent", "app 2"]] }, { expression })).toBe(
      "SIGNATURE_MISMATCH",
    );
    expect(await outcome({ ...request, headers: [...request.headers, ["User-Agent", "x"]] }, { expression })).toBe(
      "MALFORMED",
    );
    expect(await outcome({ ...request, target: `${request.target}&USER=8` }, { expression })).toBe("MALFORMED");
    const mirror = { expression, origins: ["http://files.example.com", "https://mirror.example.com"] };
    expect(await outcome(request, mirror)).toBe("SIGNATURE_MISMATCH");
    expect(await outcome({ ...request, authority: "mirror.example.com" }, mirror)).toBe("SIGNATURE_MISMATCH");
  });
});

describe("what a link leaves open", () => {
  const signer = nginxSigner({ secret: "secret", clock });

  it("refuses unsigned parameters unless allowed by name", async () => {
    const link = signer.sign({ url: `${url}?download=1`, expiresIn: 60 });
    expect(link.warnings.at(-1)).toContain("download");
    expect(await outcome(wireRequest(link))).toBe("UNSIGNED_PARAMETER");
    const verifier = nginxVerifier({ secrets: "secret", origins, clock, allowUnsigned: ["download"] });
    const grant = await verifier.verify(wireRequest(link));
    expect(grant.unsignedParameters).toEqual([["download", "1"]]);
    expect(grant.target).toBe("/s/link");
    expect(grant.weak).toEqual(["plain-md5"]);
  });

  it("supabase#1135: a link to read does not write", async () => {
    const request = wireRequest(signer.sign({ url, expiresIn: 60 }));
    expect(await outcome({ ...request, method: "PUT" })).toBe("METHOD_NOT_GRANTED");
    expect(await outcome({ ...request, method: "PUT" }, { methods: ["PUT"] })).toBe("accepted");
  });

  it("refuses the module's parameters in another case or encoding", async () => {
    const { target } = wireRequest(signer.sign({ url, expiresIn: 60 }));
    for (const more of ["MD5=x", "Expires=9999999999", "%6dd5=x", "expires[]=1"]) {
      expect(await outcome(get(`${target}&${more}`)), more).toBe(
        more === "expires[]=1" ? "UNSIGNED_PARAMETER" : "MALFORMED",
      );
    }
    expect(await outcome(get(target.replace("md5=", "MD5=")))).toBe("MALFORMED");
  });

  it.each([
    [{ bind: { ip: "10.0.0.1" } }, "UNSUPPORTED_CONSTRAINT"],
    [{ bind: { headers: { "x-a": "1" } } }, "UNSUPPORTED_CONSTRAINT"],
    [{ bind: { contentType: "text/plain" } }, "UNSUPPORTED_CONSTRAINT"],
    [{ bind: { query: { w: "1" } } }, "UNSUPPORTED_CONSTRAINT"],
    [{ prefix: "/s/" }, "UNSUPPORTED_CONSTRAINT"],
    [{ notBefore: NOW }, "UNSUPPORTED_CONSTRAINT"],
    [{ response: { contentType: "text/plain" } }, "UNSUPPORTED_CONSTRAINT"],
    [{ expiresIn: 0 }, "INVALID_EXPIRY"],
    [{ withoutExpiry: "accept", expiresIn: undefined }, "UNSUPPORTED_CONSTRAINT"],
    [{ url: "https://files.example.com/a/../b" }, "DOT_SEGMENTS"],
    [{ url: "https://files.example.com/a//b" }, "INVALID_INPUT"],
    [{ url: "https://files.example.com/a%2Fb" }, "INVALID_INPUT"],
    [{ url: "https://files.example.com/a?md5=1" }, "INVALID_INPUT"],
    [{ url: "https://FILES.example.com/a" }, "INVALID_INPUT"],
    [{ url: "/a" }, "INVALID_INPUT"],
    [{ expiersIn: 3 }, "INVALID_INPUT"],
  ])("refuses to sign %j with %s", (wish, code) => {
    expect(() => signer.sign({ url, expiresIn: 60, ...wish } as never)).toThrowError(expect.objectContaining({ code }));
  });

  it("accepts links without an expiry only if both sides permit it", async () => {
    const expression = "$uri $secret";
    expect(() => nginxVerifier({ secrets: "secret", origins, expression })).toThrowError(/withoutExpiry/);
    const endless = nginxSigner({ secret: "secret", expression, clock });
    expect(() => endless.sign({ url })).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
    const link = endless.sign({ url, withoutExpiry: "accept" });
    expect(link.warnings.join()).toMatch(/never ends/);
    const grant = await nginxVerifier({
      secrets: "secret",
      origins,
      expression,
      clock,
      withoutExpiry: "accept",
    }).verify(wireRequest(link));
    expect(grant.expiresAt).toEqual(link.expiresAt);
    expect(grant.weak).toContain("no-expiry");
    const options = { expression, withoutExpiry: "accept", maxLife: 3600 } as const;
    expect(await outcome(wireRequest(link), options)).toBe("KEY_SCOPE");
  });
});

it("hashes the decoded path, as $uri is", async () => {
  const link = nginxSigner({ secret: "secret", clock }).sign({
    url: "https://files.example.com/a%20b/%C3%BC.txt",
    expiresIn: 60,
  });
  const expires = NOW.getTime() / 1000 + 60;
  const md5 = createHash("md5").update(`${expires}/a b/ü.txt secret`).digest("base64url");
  expect(link.url).toContain(`md5=${md5}&`);
});

it("the id of a grant does not depend on the secret", async () => {
  const ids = ["secret", "other"].map((secret) => nginxSigner({ secret, clock }).sign({ url, expiresIn: 60 }).id);
  expect(ids[0]).toBe(ids[1]);
});

/** What many databases return: it has the `then` of a promise, and is no instance of one. */
function query(found: string): Promise<string> {
  const { prototype } = Promise;
  return new Proxy(Promise.resolve(found), {
    getPrototypeOf: () => null,
    get: (target, name) => (prototype[name as keyof typeof prototype] as () => unknown).bind(target),
  });
}

it("fetches secrets, and refuses empty ones", async () => {
  const request = wireRequest(nginxSigner({ secret: "secret", clock }).sign({ url, expiresIn: 60 }));
  expect(await outcome(request, { secrets: async () => ["old", "secret"] })).toBe("accepted");
  expect(await outcome(request, { secrets: () => query("secret") })).toBe("accepted");
  expect(await outcome(request, { secrets: () => [] })).toBe("UNKNOWN_KEY");
  expect(() => nginxSigner({ secret: "" })).toThrowError(expect.objectContaining({ code: "INVALID_KEY" }));
});
