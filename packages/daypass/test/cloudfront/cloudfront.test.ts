import {
  type CloudfrontSignRequest,
  cloudfrontCookieSigner,
  cloudfrontSigner,
  cloudfrontVerifier,
} from "daypass/cloudfront";
import { describe, expect, it } from "vitest";
import { wireRequest } from "../wire-request.ts";
import {
  clock,
  end,
  epoch,
  keyPairId,
  keys,
  later,
  origin,
  policy,
  policyOf,
  refusal,
  rejects,
  sign,
  signedBy,
  signer,
  url,
  verifier,
} from "./fixture.ts";
import { EC, RSA } from "./keys.ts";

describe("signed URLs", () => {
  it("binds every byte of a URL with a canned policy", async () => {
    const link = await sign({ url: `${url}?lang=de&x` });
    expect(link.url).toMatch(
      /\?lang=de&x&Expires=\d+&Key-Pair-Id=K2JCJMDEHXQW5F&Signature=[^&]+&Hash-Algorithm=SHA256$/,
    );
    const request = wireRequest(link);
    const grant = await verifier.verify(request);
    expect(grant).toMatchObject({
      policy: "canned",
      via: "url",
      methods: ["GET", "HEAD"],
      target: "/talks/keynote.mp4?lang=de&x",
      url: `${url}?lang=de&x`,
      id: link.id,
    });
    const changed = (from: string | RegExp, to: string) =>
      refusal({ ...request, target: request.target.replace(from, to) });
    expect(await changed("lang=de", "lang=en")).toBe("SIGNATURE_MISMATCH");
    expect(await changed("&x&", "&")).toBe("SIGNATURE_MISMATCH");
    expect(await changed("&x&", "&x=&")).toBe("SIGNATURE_MISMATCH");
    expect(await changed("keynote", "keynot%65")).toBe("SIGNATURE_MISMATCH");
    expect(await changed(/Expires=(\d+)/, `Expires=${epoch + 601}`)).toBe("SIGNATURE_MISMATCH");
    expect(await refusal({ ...request, authority: "media.example.com:8080" })).toBe("SIGNATURE_MISMATCH");
  });

  it("refuses a * in a canned policy, which a custom policy would read as a wildcard", async () => {
    for (const wish of [{ url: `${origin}/users/7/*` }, { url: `${url}?q=*` }]) {
      await rejects(sign(wish), "INVALID_INPUT");
      const open = await sign({ ...wish, resource: wish.url });
      expect(open.unbound).toContain("what * and ? stand for");
      expect(policyOf(open.url)).toContain(`"Resource":"${wish.url}"`);
    }
    const link = await sign({ url: `${origin}/users/7/%2A` });
    const canned = policy(
      { DateLessThan: { "AWS:EpochTime": link.expiresAt.getTime() / 1000 } },
      `${origin}/users/7/%2A`,
    );
    const text = btoa(canned).replaceAll("+", "-").replaceAll("=", "_").replaceAll("/", "~");
    const request = wireRequest(link);
    const custom = { ...request, target: request.target.replace(/Expires=\d+/, `Policy=${text}`) };
    expect(await refusal(custom)).toBe("accepted");
    expect(await refusal({ ...custom, target: custom.target.replace("%2A", "private.txt") })).toBe("KEY_SCOPE");
  });

  it("accepts the parameters in any order and place", async () => {
    const request = wireRequest(await sign({ url: `${url}?a=1&b=2` }));
    const [path, query = ""] = request.target.split("?");
    const tokens = query.split("&");
    const moved = [...tokens.slice(2), ...tokens.slice(0, 2)].join("&");
    expect((await verifier.verify({ ...request, target: `${path}?${moved}` })).target).toBe(`${path}?a=1&b=2`);
  });

  it("bind a start and a network of IPv4 or IPv6 by a custom policy", async () => {
    const link = await sign({ notBefore: later(60), bind: { ip: "203.0.113.9" } });
    expect(policyOf(link.url)).toBe(
      `{"Statement":[{"Resource":"${url}","Condition":{"DateLessThan":{"AWS:EpochTime":${epoch + 600}},"DateGreaterThan":{"AWS:EpochTime":${epoch + 60}},"IpAddress":{"AWS:SourceIp":"203.0.113.9/32"}}}]}`,
    );
    expect(link.bound).toEqual([`resource ${url}`, "end", "start", "ip 203.0.113.9/32"]);
    const request = { ...wireRequest(link), remoteAddress: "203.0.113.9" };
    const at = (seconds: number) => cloudfrontVerifier({ keys, origins: [origin], clock: () => later(seconds) });
    expect(await refusal(request)).toBe("NOT_YET_VALID");
    expect(await refusal(request, at(60))).toBe("accepted");
    expect(await refusal(request, at(600))).toBe("EXPIRED");
    expect(await refusal({ ...request, remoteAddress: "203.0.113.8" }, at(60))).toBe("IP_NOT_GRANTED");
    expect(await refusal({ ...request, remoteAddress: undefined }, at(60))).toBe("IP_NOT_GRANTED");

    const v6 = wireRequest(await sign({ bind: { ip: "2001:db8::/32" } }));
    expect(await refusal({ ...v6, remoteAddress: "2001:db8:1::1" })).toBe("accepted");
    expect(await refusal({ ...v6, remoteAddress: "2001:db9::1" })).toBe("IP_NOT_GRANTED");
  });

  it("accepts the URLs of a resource with wildcards, including scheme and query", async () => {
    const link = await sign({ url: `${origin}/hls/1/a.ts`, resource: `${origin}/hls/*` });
    // A * may stand for a slash, and then capitals are of a path.
    expect((await sign({ url: `${origin}/a.M3U8`, resource: "https://*.M3U8" })).bound).toContain(
      "resource https://*.M3U8",
    );
    // No dot segment: the ? stands for the rest of a name.
    expect((await sign({ url: `${origin}/a/..x`, resource: `${origin}/a/..?` })).bound).toContain(
      `resource ${origin}/a/..?`,
    );
    expect(link.unbound).toContain("what * and ? stand for");
    const request = wireRequest(link);
    const at = (path: string) => ({ ...request, target: request.target.replace("/hls/1/a.ts", path) });
    const grant = await verifier.verify(at("/hls/2/b.ts?x=1&y".replace("?x=1&y", "")));
    expect(grant).toMatchObject({
      policy: "custom",
      resource: `${origin}/hls/*`,
      url: `${origin}/hls/2/b.ts`,
      id: link.id,
    });
    expect(await refusal({ ...request, target: `${request.target}&x=1` })).toBe("accepted");
    expect(await refusal(at("/other/a.ts"))).toBe("KEY_SCOPE");
    expect(await refusal({ ...request, authority: "media.example.com:8080" })).toBe("KEY_SCOPE");
    const anyScheme = wireRequest(await sign({ resource: "http*://media.example.com*/talks/*" }));
    expect(await refusal({ ...anyScheme, authority: "media.example.com:8080" })).toBe("accepted");
    expect((await sign({ resource: "http*://*" })).warnings).toEqual([expect.stringContaining("other hosts")]);
    expect((await sign({ prefix: "/talks/" })).bound).toContain(`resource ${origin}/talks/*`);
  });

  it.each(["..", "%2e%2e", ".%2E/x", "x/..%2f..", "%252e%252e/x", "x/..%5c", "..;a/x"])(
    "sloppy prefix: a wildcard does not open %s",
    async (path) => {
      const request = wireRequest(await sign({ url: `${origin}/hls/a.ts`, resource: `${origin}/hls/*` }));
      expect(await refusal({ ...request, target: request.target.replace("a.ts", path) })).toBe("MALFORMED");
    },
  );

  it("grant the methods that the verifier says, as none is bound", async () => {
    const request = wireRequest(await sign());
    expect(await refusal({ ...request, method: "HEAD" })).toBe("accepted");
    expect(await refusal({ ...request, method: "PUT" })).toBe("METHOD_NOT_GRANTED");
    const uploads = cloudfrontVerifier({ keys, origins: [origin], methods: ["PUT"], clock });
    expect((await uploads.verify({ ...request, method: "PUT" })).methods).toEqual(["PUT"]);
    expect(await refusal(request, uploads)).toBe("METHOD_NOT_GRANTED");
  });

  it("algorithm confusion: the hash belongs to the key, and the kind of key to the key", async () => {
    const only = (hashes: readonly ("sha1" | "sha256")[], publicKey = RSA.publicKey) =>
      cloudfrontVerifier({ keys: { keyPairId, publicKey, hashes }, origins: [origin], clock });
    const strong = wireRequest(await sign());
    const weak = wireRequest(
      await cloudfrontSigner({ keyPairId, privateKey: RSA.privateKey, clock }).sign({ url, expiresIn: 60 }),
    );
    expect(weak.target).not.toContain("Hash-Algorithm");
    expect(await refusal(strong, only(["sha256"]))).toBe("accepted");
    expect(await refusal(weak, only(["sha1"]))).toBe("accepted");
    expect(await refusal(strong, only(["sha1"]))).toBe("SIGNATURE_MISMATCH");
    expect(await refusal(weak, only(["sha256"]))).toBe("SIGNATURE_MISMATCH");
    expect(await refusal({ ...strong, target: strong.target.replace("SHA256", "SHA1") })).toBe("SIGNATURE_MISMATCH");
    expect(await refusal({ ...strong, target: strong.target.replace("SHA256", "none") })).toBe("MALFORMED");
    expect(await refusal(strong, only(["sha256"], EC.publicKey))).toBe("SIGNATURE_MISMATCH");
  });

  it("signs with P-256 keys and either hash, differently each time", async () => {
    for (const hash of ["sha1", "sha256"] as const) {
      const ecSigner = cloudfrontSigner({ keyPairId, privateKey: EC.privateKey, hash, clock });
      const ecVerifier = cloudfrontVerifier({
        keys: { keyPairId, publicKey: EC.publicKey, hashes: [hash] },
        origins: [origin],
        clock,
      });
      const [a, b] = [await ecSigner.sign({ url, expiresIn: 60 }), await ecSigner.sign({ url, expiresIn: 60 })];
      expect(a.url).not.toBe(b.url);
      expect(a.id).toBe(b.id);
      expect(await refusal(wireRequest(a), ecVerifier)).toBe("accepted");
      expect(await refusal(wireRequest(b), ecVerifier)).toBe("accepted");
    }
  });

  it("refuses a resource together with a prefix", async () => {
    const both = { resource: "https://d111111abcdef8.cloudfront.net/*", prefix: "/" };
    await rejects(
      cloudfrontSigner({ keyPairId, privateKey: EC.privateKey, clock }).sign({ url, expiresIn: 60, ...both }),
      "INVALID_INPUT",
    );
  });

  it("refuses stableWindow with P-256 keys", async () => {
    const options = { keyPairId, privateKey: EC.privateKey, clock };
    const wish = { expiresIn: 600, stableWindow: 60 };
    await rejects(cloudfrontSigner(options).sign({ url, ...wish }), "UNSUPPORTED_CONSTRAINT");
    await rejects(cloudfrontCookieSigner(options).sign({ resource: url, ...wish }), "UNSUPPORTED_CONSTRAINT");
    expect((await sign(wish)).url).toBe((await sign(wish)).url);
  });

  it("warns of SHA-1", async () => {
    const weak = cloudfrontSigner({ keyPairId, privateKey: RSA.privateKey, clock });
    expect((await weak.sign({ url, expiresIn: 60 })).warnings).toEqual([expect.stringContaining("SHA-1")]);
    expect((await sign()).warnings).toEqual([]);
  });

  it("accepts a policy written by hand", async () => {
    const text = `{\n  "Statement": [{ "Resource": "${origin}/talks/*", "Condition": { "DateLessThan": { "AWS:EpochTime": ${epoch + 90} } } }]\n}`;
    const link = await signer.sign({ url, policy: text });
    expect(policyOf(link.url)).toBe(text);
    expect(link.expiresAt).toEqual(later(90));
    expect((await verifier.verify(wireRequest(link))).id).toBe(link.id);
    await rejects(signer.sign({ url, policy: text, expiresIn: 60 }), "INVALID_INPUT");
    await expect(signer.sign({ url, policy: text, expiresAt: new Date() })).rejects.toThrow(/policy.*expiresAt/);
    await rejects(signer.sign({ url: `${origin}/other`, policy: text }), "INVALID_INPUT");
    await rejects(signer.sign({ url, policy: text.replace("DateLessThan", "DateLess") }), "INVALID_INPUT");
    await rejects(signer.sign({ url, policy: text.replace("talks", "tälks") }), "INVALID_INPUT");
  });

  it.each<[string, Partial<CloudfrontSignRequest>, string]>([
    ["a type", { bind: { contentType: "a/b" } }, "UNSUPPORTED_CONSTRAINT"],
    ["a length", { bind: { contentLength: 1 } }, "UNSUPPORTED_CONSTRAINT"],
    ["a digest", { bind: { sha256: "0".repeat(64) } }, "UNSUPPORTED_CONSTRAINT"],
    ["a header", { bind: { headers: { a: "b" } } }, "UNSUPPORTED_CONSTRAINT"],
    ["a response header", { response: { contentType: "a/b" } }, "UNSUPPORTED_CONSTRAINT"],
    ["two networks", { bind: { ip: ["10.0.0.1", "10.0.0.2"] } }, "UNSUPPORTED_CONSTRAINT"],
    ["host bits", { bind: { ip: "10.0.0.1/8" } }, "INVALID_INPUT"],
    ["a start after the end", { notBefore: later(600) }, "INVALID_INPUT"],
    ["a resource that does not cover the URL", { resource: `${origin}/hls/*` }, "INVALID_INPUT"],
    ["a prefix within a word", { prefix: "/ta" }, "INVALID_INPUT"],
    ["no life", { expiresIn: 0 }, "INVALID_EXPIRY"],
    ["a dot segment", { url: `${origin}/a/../b` }, "DOT_SEGMENTS"],
    ["an encoded dot segment", { url: `${origin}/a/%2E%2e` }, "DOT_SEGMENTS"],
    ["a space", { url: `${origin}/a b` }, "INVALID_INPUT"],
    ["a quote in the query", { url: `${origin}/a?q='x'` }, "INVALID_INPUT"],
    ["a fragment", { url: `${url}#x` }, "INVALID_INPUT"],
    ["no path", { url: origin }, "INVALID_INPUT"],
    ["a host in upper case", { url: "https://MEDIA.example.com/a" }, "INVALID_INPUT"],
    ["the usual port", { url: "https://media.example.com:443/a" }, "INVALID_INPUT"],
    ["a parameter of CloudFront's own", { url: `${url}?Expires=1` }, "INVALID_INPUT"],
  ])("do not bind or carry %s", async (_, wish, code) => {
    await rejects(sign(wish), code);
  });
});

describe("policies", () => {
  it("reads policies strictly", async () => {
    expect(await refusal(await signedBy(policy(end)))).toBe("accepted");
    const twice = policy(end).replace('"DateLessThan"', '"DateLessThan":{"AWS:EpochTime":9999999999},"DateLessThan"');
    const resources = policy(end).replace('"Resource"', `"Resource":"${origin}/none","Resource"`);
    const deep = `{"Statement":[{"Resource":"${url}","Condition":{"DateLessThan":{"AWS:EpochTime":${epoch + 60}},"IpAddress":${"[".repeat(4000)}${"]".repeat(4000)}}}]}`;
    for (const [name, text] of Object.entries({
      "a member twice": twice,
      "a resource twice": resources,
      "no end": policy({}),
      "an end as text": policy({ DateLessThan: { "AWS:EpochTime": String(epoch + 60) } }),
      "an end that is no whole number": policy({ DateLessThan: { "AWS:EpochTime": epoch + 0.5 } }),
      "an end without bound": policy({ DateLessThan: { "AWS:EpochTime": 1e20 } }),
      "another operator": policy({ ...end, DateEquals: { "AWS:EpochTime": epoch } }),
      "another member": policy({ ...end, DateLessThan: { "AWS:EpochTime": epoch + 60, x: 1 } }),
      "a start as text": policy({ ...end, DateGreaterThan: { "AWS:EpochTime": "0" } }),
      "a network that is none": policy({ ...end, IpAddress: { "AWS:SourceIp": "any" } }),
      "several networks": policy({ ...end, IpAddress: { "AWS:SourceIp": ["10.0.0.0/8"] } }),
      "no resource": JSON.stringify({ Statement: [{ Condition: end }] }),
      "a resource that is no text": policy(end, [url]),
      "two statements": JSON.stringify({ Statement: [...Array(2)].map(() => ({ Resource: url, Condition: end })) }),
      "a statement alone": JSON.stringify({ Statement: { Resource: url, Condition: end } }),
      "a version": `{"Version":"2012-10-17",${policy(end).slice(1)}`,
      "text that is no JSON": "{Statement:[]}",
      "a list": "[]",
      "beyond ASCII": policy(end, `${origin}/é*`),
      "a deep one": deep,
    })) {
      expect(await refusal(await signedBy(text)), name).toBe("MALFORMED");
    }
  });

  it("accepts policies with white space, and with colons inside their texts", async () => {
    expect(await refusal(await signedBy(JSON.stringify(JSON.parse(policy(end)), null, 2)))).toBe("accepted");
    expect(await refusal(await signedBy(policy(end).replaceAll("/", "\\/")))).toBe("accepted");
    const odd = `${origin}/a:b"`;
    expect(await refusal(await signedBy(policy(end, `${origin}/*`), `${origin}/a:b`))).toBe("accepted");
    expect(await refusal(await signedBy(policy(end, odd), `${origin}/a`))).toBe("KEY_SCOPE");
  });

  it("mask the host bits of a network, as CloudFront does", async () => {
    const request = await signedBy(policy({ ...end, IpAddress: { "AWS:SourceIp": "192.168.0.1/24" } }));
    expect(await refusal({ ...request, remoteAddress: "192.168.0.77" })).toBe("accepted");
    expect(await refusal({ ...request, remoteAddress: "192.168.1.77" })).toBe("IP_NOT_GRANTED");
  });

  it("refuses a lifetime over maxLife", async () => {
    const strict = cloudfrontVerifier({ keys, origins: [origin], maxLife: 599, clock });
    expect(await refusal(wireRequest(await sign()), strict)).toBe("KEY_SCOPE");
  });
});

describe("keys", () => {
  it("checks keys when a signer or verifier is created", () => {
    const make = (options: object) => () => cloudfrontSigner({ keyPairId, privateKey: RSA.privateKey, ...options });
    const invalid = expect.objectContaining({ code: "INVALID_KEY" });
    for (const options of [{ privateKey: RSA.publicKey }, { privateKey: "" }, { hash: "md5" }, { keyPairId: "a&b" }]) {
      expect(make(options)).toThrow(invalid);
    }
    const verify = (options: object) => () => cloudfrontVerifier({ keys: { ...keys, ...options }, origins: [origin] });
    for (const options of [{ publicKey: RSA.privateKey }, { hashes: [] }, { hashes: undefined }, { hashes: ["md5"] }]) {
      expect(verify(options)).toThrow(invalid);
    }
    expect(() => cloudfrontVerifier({ keys, origins: [origin], methods: ["get"] })).toThrow("methods");
  });

  it("finds keys by a function, and several keys during rotation", async () => {
    const rotating = cloudfrontVerifier({
      keys: async (id) => (id === keyPairId ? [{ ...keys, publicKey: EC.publicKey }, keys] : undefined),
      origins: [origin],
      clock,
    });
    const request = wireRequest(await sign());
    expect(await refusal(request, rotating)).toBe("accepted");
    expect(await refusal({ ...request, target: request.target.replace(keyPairId, "KOTHER") }, rotating)).toBe(
      "UNKNOWN_KEY",
    );
  });

  it("signs a list and continues after a bad item", async () => {
    const results = [];
    for await (const item of signer.signMany([
      { url, expiresIn: 60 },
      { url: "x", expiresIn: 60 },
    ]))
      results.push(item);
    expect(results).toEqual([expect.objectContaining({ method: "GET" }), { error: expect.any(Error) }]);
  });
});
