import type { WireRequest } from "daypass";
import { type SwiftKey, type SwiftSignRequest, swiftSigner, swiftVerifier } from "daypass/swift";
import { describe, expect, it } from "vitest";
import { wireRequest } from "../wire-request.ts";

const now = new Date("2026-11-24T12:00:00Z");
const clock = () => now;
const endpoint = "https://swift.example.com";
const account = "AUTH_test";
const key = "mykey";
const origins = [endpoint];
const signer = swiftSigner({ endpoint, account, key, clock });
const WISH = { container: "media", object: "a", expiresIn: 60 };
const verifier = swiftVerifier({ keys: { account, key }, origins, clock });

const sign = (extra: Partial<SwiftSignRequest> = {}) =>
  signer.sign({ container: "media", object: "a/b.txt", expiresIn: 600, ...extra });
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "accepted",
    (error: { readonly code: string }) => error.code,
  );
const refusal = (request: WireRequest, by = verifier) => codeOf(by.verify(request));

describe("TempURLs", () => {
  it("carry hostile names", async () => {
    for (const object of ["é/ü +%?#.txt", "/lead", "x//y", "100%.txt", "a%2Fb", "'()!*~", "日本/🚀", "dir/", "a\nb"]) {
      const link = sign({ object });
      const grant = await verifier.verify(wireRequest(link));
      expect(grant).toMatchObject({ account, container: "media", object, methods: ["GET", "HEAD"], keyId: account });
      expect(grant.id).toBe(link.id);
      expect(grant.expiresAt).toEqual(link.expiresAt);
    }
  });

  it.each([
    ["GET", ["GET", "HEAD"]],
    ["PUT", ["PUT", "HEAD"]],
    ["POST", ["POST", "HEAD"]],
    ["HEAD", ["HEAD"]],
    ["DELETE", ["DELETE"]],
  ])("grants the methods of Swift for %s", async (method, methods) => {
    const link = sign({ method });
    for (const other of ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "COPY"]) {
      const request = { ...wireRequest(link), method: other };
      const expected = methods.includes(other) ? "accepted" : "SIGNATURE_MISMATCH";
      expect(await refusal(request), other).toBe(expected);
      if (methods.includes(other)) {
        const grant = await verifier.verify(request);
        expect(grant.methods).toEqual(methods);
        expect(grant.id).toBe(link.id);
      }
    }
  });

  it("tries both keys of the account and the keys of the container only", async () => {
    const keys: readonly SwiftKey[] = [
      { account, key: "new" },
      { account, key },
      { account, container: "media", key: "container's" },
      { account: "AUTH_other", key: "other" },
    ];
    const rotating = swiftVerifier({ keys, origins, clock });
    const by = (secret: string, owner = account) =>
      swiftSigner({ endpoint, account: owner, key: secret, clock }).sign({
        container: "media",
        object: "a",
        expiresIn: 60,
      });
    expect((await rotating.verify(wireRequest(by("new")))).keyId).toBe(account);
    expect((await rotating.verify(wireRequest(by(key)))).keyId).toBe(account);
    expect((await rotating.verify(wireRequest(by("container's")))).keyId).toBe("AUTH_test/media");
    expect(await refusal(wireRequest(by("other")), rotating)).toBe("SIGNATURE_MISMATCH");
    expect(await refusal(wireRequest(by("other", "AUTH_other")), rotating)).toBe("accepted");
    const elsewhere = wireRequest(by("container's"));
    const target = elsewhere.target.replace("/media/", "/secret/");
    expect(await refusal({ ...elsewhere, target }, rotating)).toBe("SIGNATURE_MISMATCH");
    expect(await refusal(wireRequest(by("new", "AUTH_none")), rotating)).toBe("UNKNOWN_KEY");
  });

  it("find their keys by a function that is asked with account and container", async () => {
    const asked: string[] = [];
    const finding = swiftVerifier({
      keys: async (id) => {
        asked.push(id);
        return [{ account, key }];
      },
      origins,
      clock,
    });
    expect(await refusal(wireRequest(sign()), finding)).toBe("accepted");
    expect(asked).toEqual(["AUTH_test/media"]);
  });

  it("refuses a method of two lines, which would contain the signed network", async () => {
    const request = wireRequest(sign({ bind: { ip: "10.0.0.0/8" } }));
    expect(await refusal(request)).toBe("IP_NOT_GRANTED");
    const target = request.target.replace(/&temp_url_ip_range=[^&]*/, "");
    expect(await refusal({ ...request, target, method: "ip=10.0.0.0/8\nGET" })).toBe("MALFORMED");
  });

  it("accepts only the digests that the key allows", async () => {
    const weak = swiftSigner({ endpoint, account, key, digest: "sha1", clock });
    const link = weak.sign({ container: "media", object: "a", expiresIn: 60 });
    expect(link.warnings).toEqual([expect.stringContaining("HMAC-SHA1")]);
    expect(await refusal(wireRequest(link))).toBe("SIGNATURE_MISMATCH");
    const lenient = swiftVerifier({ keys: { account, key, digests: ["sha1"] }, origins, clock });
    expect(await lenient.verify(wireRequest(link))).toMatchObject({ digest: "sha1" });
    expect(await refusal(wireRequest(sign()), lenient)).toBe("SIGNATURE_MISMATCH");
  });

  it("grants objects below a prefix, and refuses dot segments in any spelling", async () => {
    const link = sign({ object: undefined, prefix: "photos/2026/" });
    expect(link.unbound).toContain("path below the prefix");
    const request = wireRequest(link);
    const below = (path: string) => ({ ...request, target: request.target.replace("/photos/2026/?", `/${path}?`) });
    expect(await verifier.verify(below("photos/2026/a/b.jpg"))).toMatchObject({
      object: "photos/2026/a/b.jpg",
      prefix: "photos/2026/",
      id: link.id,
    });
    expect(await refusal(below("photos/2025/a.jpg"))).toBe("KEY_SCOPE");
    for (const path of ["..", ".", "%2e%2e/%2e", "a/..%2f..", "%252e%252E", "a%5c..%5cb", "..;x", "%25252e/x"]) {
      expect(await refusal(below(`photos/2026/${path}`)), path).toBe("MALFORMED");
    }
    expect(await refusal(below("photos/2026/..a/.b"))).toBe("accepted");
    expect(await refusal({ ...below("photos/2026/a"), target: `${below("photos/2026/a").target}x` })).toBe("KEY_SCOPE");
    expect(await refusal({ ...request, target: request.target.replace(/&temp_url_prefix=.*/, "") })).toBe(
      "SIGNATURE_MISMATCH",
    );
  });

  it("sloppy prefix: `pre` does not grant `private` unless both sides ask for it", async () => {
    expect(() => sign({ prefix: "p", object: "private" })).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
    expect(() => sign({ prefix: "", object: "private" })).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
    const link = sign({ prefix: "p", object: "private", prefixMatch: "text" });
    expect(link.warnings).toEqual([expect.stringContaining("within a word")]);
    expect(await refusal(wireRequest(link))).toBe("KEY_SCOPE");
    const loose = swiftVerifier({ keys: { account, key }, origins, prefixMatch: "text", clock });
    expect(await loose.verify(wireRequest(link))).toMatchObject({ prefix: "p", object: "private" });
    const whole = sign({ prefix: "", object: "anything", prefixMatch: "text" });
    expect(await loose.verify(wireRequest(whole))).toMatchObject({ prefix: "" });
    expect(() => sign({ prefix: "a/", object: "b" })).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  });

  it("binds a network of IPv4 or IPv6", async () => {
    for (const [ip, inside, outside] of [
      ["203.0.113.0/24", "203.0.113.9", "203.0.114.9"],
      ["203.0.113.9", "::ffff:203.0.113.9", "203.0.113.8"],
      ["2001:db8::/32", "2001:db8::1", "2001:db9::1"],
    ] as const) {
      const link = sign({ bind: { ip } });
      expect(link.bound).toContain(`ip ${ip}`);
      const request = wireRequest(link);
      expect(await refusal({ ...request, remoteAddress: inside })).toBe("accepted");
      expect(await refusal({ ...request, remoteAddress: outside })).toBe("IP_NOT_GRANTED");
      expect(await refusal({ ...request, remoteAddress: undefined })).toBe("IP_NOT_GRANTED");
      const target = request.target.replace(/&temp_url_ip_range=[^&]*/, "");
      expect(await refusal({ ...request, target })).toBe("SIGNATURE_MISMATCH");
    }
    expect(() => sign({ bind: { ip: "203.0.113.9/24" } })).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
    expect(() => sign({ bind: { ip: ["203.0.113.9", "203.0.113.8"] } })).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED_CONSTRAINT" }),
    );
  });

  it("Swift: a path with a line feed cannot pose as a network, since the network stands first", async () => {
    const request = wireRequest(sign({ object: "o\n127.0.0.1" }));
    const target = request.target.replace("%0A127.0.0.1", "").concat("&temp_url_ip_range=127.0.0.1");
    expect(await refusal({ ...request, target })).toBe("SIGNATURE_MISMATCH");
    expect(await refusal({ ...request, target: `${request.target}&temp_url_ip_range=` })).toBe("MALFORMED");
  });

  it("accepts the unsigned filename and inline by name only", async () => {
    const link = sign({ filename: "Übersicht 1.pdf", inline: true });
    expect(link.url).toMatch(/&filename=%C3%9Cbersicht%201\.pdf&inline$/);
    expect(link.warnings).toEqual([expect.stringContaining("not signed")]);
    expect(await refusal(wireRequest(link))).toBe("UNSIGNED_PARAMETER");
    // One name as a text: a set of it would be one of letters.
    const named = swiftVerifier({ keys: { account, key }, origins, allowUnsigned: "filename" as never, clock });
    expect(await refusal(wireRequest(sign({ filename: "a" })), named)).toBe("accepted");
    const letter = wireRequest(sign());
    expect(await refusal({ ...letter, target: `${letter.target}&f=1` }, named)).toBe("UNSIGNED_PARAMETER");
    const lenient = swiftVerifier({ keys: { account, key }, origins, allowUnsigned: ["filename", "inline"], clock });
    expect((await lenient.verify(wireRequest(link))).unsignedParameters).toEqual([
      ["filename", "Übersicht 1.pdf"],
      ["inline", ""],
    ]);
    const twice = { ...wireRequest(link), target: `${wireRequest(link).target}&filename=b` };
    expect(await refusal(twice, lenient)).toBe("MALFORMED");
    const manifest = { ...wireRequest(sign()), target: `${wireRequest(sign()).target}&multipart-manifest=put` };
    expect(await refusal(manifest, lenient)).toBe("UNSIGNED_PARAMETER");
  });

  it.each([
    ["X-Object-Manifest", "other/segments"],
    ["x-symlink-target", "other/secret"],
    ["X-Symlink-Target-Account", "AUTH_other"],
    ["x-copy-from", "/other/secret"],
    ["x-timestamp", "1"],
  ])("CVE-2015-5223: an upload with %s, which points at other data, is refused", async (name, value) => {
    const request = wireRequest(sign({ method: "PUT" }));
    expect(await refusal({ ...request, headers: [["x-object-meta-a", "1"]] })).toBe("accepted");
    expect(await refusal({ ...request, headers: [[name, value]] })).toBe("UNSIGNED_HEADER");
  });

  it("refuses a TempURL with other authentication", async () => {
    const request = wireRequest(sign());
    expect(await refusal({ ...request, headers: [["X-Auth-Token", "t"]] })).toBe("AMBIGUOUS_AUTHENTICATION");
  });

  it("end at one instant in either spelling", async () => {
    const unix = sign();
    const iso = sign({ expiresAs: "iso" });
    expect(iso.url).toContain("temp_url_expires=2026-11-24T12:10:00Z");
    expect(iso.id).toBe(unix.id);
    const request = wireRequest(iso);
    expect((await verifier.verify(request)).expiresAt).toEqual(unix.expiresAt);
    for (const end of ["2026-11-31T12:10:00Z", "2026-11-24 12:10:00Z", "2026-11-24T12:10:00", "2026-11-24T12:10:60Z"]) {
      const target = request.target.replace(/temp_url_expires=[^&]*/, `temp_url_expires=${encodeURIComponent(end)}`);
      expect(await refusal({ ...request, target }), end).toBe("MALFORMED");
    }
  });

  it("accepts a TempURL below an unsigned base path", async () => {
    const rgw = swiftSigner({ endpoint: "https://rgw.example.com/swift", account, key, clock });
    const link = rgw.sign({ container: "media", object: "a", expiresIn: 60 });
    expect(link.url).toMatch(/^https:\/\/rgw\.example\.com\/swift\/v1\/AUTH_test\/media\/a\?/);
    const options = { keys: { account, key }, origins: ["https://rgw.example.com"], clock };
    expect(await refusal(wireRequest(link), swiftVerifier({ ...options, basePath: "/swift" }))).toBe("accepted");
    expect(await refusal(wireRequest(link), swiftVerifier(options))).toBe("MALFORMED");
  });

  it("refuses a lifetime over maxLife", async () => {
    const strict = swiftVerifier({ keys: { account, key }, origins, maxLife: 599, clock });
    expect(await refusal(wireRequest(sign()), strict)).toBe("KEY_SCOPE");
  });

  it("accepts one spelling of the signature, with or without padding", async () => {
    const strong = await swiftSigner({ endpoint, account, key, digest: "sha512", clock }).sign({
      container: "media",
      object: "a",
      expiresIn: 60,
    });
    const request = wireRequest(strong);
    const signature = /sha512:([\w-]+)/.exec(request.target)?.[1] ?? "";
    const spelled = (text: string) =>
      refusal({ ...request, target: request.target.replace(`sha512:${signature}`, text) });
    expect(await spelled(`sha512:${signature}==`)).toBe("accepted");
    const standard = signature.replaceAll("-", "%2B").replaceAll("_", "%2F");
    const hex = [...atob(signature.replaceAll("-", "+").replaceAll("_", "/"))]
      .map((character) => character.charCodeAt(0).toString(16).padStart(2, "0"))
      .join("");
    for (const other of [`sha512:${signature}=`, `SHA512:${signature}`, `sha256:${signature}`, hex, signature]) {
      expect(await spelled(other), other).not.toBe("accepted");
    }
    if (standard !== signature) expect(await spelled(`sha512:${standard}`)).toBe("MALFORMED");
  });

  it.each<[string, Partial<SwiftSignRequest>, string]>([
    ["a start", { notBefore: now }, "UNSUPPORTED_CONSTRAINT"],
    ["a response header", { response: { contentType: "text/plain" } }, "UNSUPPORTED_CONSTRAINT"],
    ["a type", { bind: { contentType: "text/plain" } }, "UNSUPPORTED_CONSTRAINT"],
    ["a length", { bind: { contentLength: 1 } }, "UNSUPPORTED_CONSTRAINT"],
    ["a digest", { bind: { sha256: "0".repeat(64) } }, "UNSUPPORTED_CONSTRAINT"],
    ["a header", { bind: { headers: { a: "b" } } }, "UNSUPPORTED_CONSTRAINT"],
    ["a parameter", { bind: { query: { a: "b" } } }, "UNSUPPORTED_CONSTRAINT"],
    ["a dot segment", { object: "a/../b" }, "DOT_SEGMENTS"],
    ["no object", { object: undefined }, "INVALID_INPUT"],
    ["a container with a slash", { container: "a/b" }, "INVALID_INPUT"],
    ["a method of its own", { method: "COPY" }, "INVALID_INPUT"],
    ["no life", { expiresIn: 0 }, "INVALID_EXPIRY"],
  ])("do not bind or carry %s", (_, wish, code) => {
    expect(() => sign(wish)).toThrow(expect.objectContaining({ code }));
  });

  it("refuses an endpoint with the version or the account, as in Keystone", () => {
    for (const path of ["/v1", "/v1/", "/v1/AUTH_test", "/swift/v1", "/swift/v1/AUTH_test/"]) {
      const at = { endpoint: endpoint + path, account, key };
      expect(() => swiftSigner(at), path).toThrow(/^endpoint is "https:.* without \/v1/);
    }
    for (const path of ["/v12", "/v1.0"]) {
      const { url } = swiftSigner({ endpoint: endpoint + path, account, key }).sign(WISH);
      expect(url.startsWith(`${endpoint}${path}/v1/AUTH_test/media/a?`), url).toBe(true);
    }
  });

  it("signs the same TempURL for an endpoint with a slash at its end", () => {
    const plain = swiftSigner({ endpoint, account, key, clock }).sign(WISH).url;
    expect(swiftSigner({ endpoint: `${endpoint}/`, account, key, clock }).sign(WISH).url).toBe(plain);
    const given = { endpoint: new URL(endpoint) as never, account, key, clock };
    expect(swiftSigner(given).sign(WISH).url).toBe(plain);
  });

  it("check options when they are made", () => {
    const bad = (options: object) => () => swiftSigner({ endpoint, account, key, ...options });
    expect(bad({ endpoint: "swift.example.com" })).toThrow("scheme://host");
    expect(bad({ account: "a/b" })).toThrow("account");
    expect(bad({ key: "" })).toThrow(expect.objectContaining({ code: "INVALID_KEY" }));
    expect(bad({ digest: "md5" })).toThrow(expect.objectContaining({ code: "INVALID_KEY" }));
    expect(() => swiftVerifier({ keys: { account, key, digests: [] }, origins })).toThrow(
      expect.objectContaining({ code: "INVALID_KEY" }),
    );
    expect(() => swiftVerifier({ keys: [], origins, basePath: "/swift/" })).toThrow("basePath");
  });

  it("refuses a key with a line break, as a file of secrets ends with one", () => {
    const refused = expect.objectContaining({
      code: "INVALID_KEY",
      message: expect.stringContaining("a line of text"),
    });
    expect(() => swiftSigner({ endpoint, account, key: `${key}\n` })).toThrow(refused);
    expect(() => swiftSigner({ endpoint, account, key: `${key}\n`, digest: "sha512" })).toThrow(refused);
    expect(() => swiftVerifier({ keys: { account, key: `${key}\n` }, origins })).toThrow(refused);
  });
});
