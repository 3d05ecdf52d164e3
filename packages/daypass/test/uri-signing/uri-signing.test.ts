import { createHmac, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Verifier, WireRequest } from "../../src/index.ts";
import { normalizeUri } from "../../src/uri-signing/canonical.ts";
import {
  type UriSigningRequest,
  type UriSigningVerifierOptions,
  uriSigningEdDsa,
  uriSigningEncryption,
  uriSigningEs256,
  uriSigningRegex,
  uriSigningRenewer,
  uriSigningRs256,
  uriSigningSigner,
  uriSigningVerifier,
} from "../../src/uri-signing/index.ts";
import { clock, get, NOW, outcome } from "../edge-fixture.ts";
import { testScheme } from "../scheme-contract.ts";
import { rfcEncryption } from "./rfc9246.ts";

const secret = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODw" } as const;
const foreign = { ...secret, k: "_____________________w" };
const origins = ["https://cdn.example.com"];
const url = "https://cdn.example.com/live/1/a%20b.m3u8?x=1&y=2";
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" }) as {
  x: string;
  y: string;
  d: string;
};
const es256 = { kty: "EC", crv: "P-256", alg: "ES256", kid: "k1", x: ec.x, y: ec.y, d: ec.d } as const;
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const { n, e } = rsa.publicKey.export({ format: "jwk" }) as { n: string; e: string };
const rs256 = { kty: "RSA", alg: "RS256", kid: "k1", n, e } as const;
const rsaPem = rsa.privateKey.export({ format: "pem", type: "pkcs8" }) as string;
// RFC 8032 section 7.1, test 1.
const okp = {
  kty: "OKP",
  crv: "Ed25519",
  alg: "EdDSA",
  kid: "k1",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
} as const;

const common = {
  scheme: "uri-signing",
  required: ["URISigningPackage"],
  signatureParameter: "URISigningPackage",
  signaturePattern: /\.([^.]*)$/,
  timeParameter: "URISigningPackage",
  futureSkew: undefined,
  otherMethod: "PUT",
} as const;
const asymmetric = {
  ES256: { signing: uriSigningEs256(es256), right: uriSigningEs256({ ...es256, d: undefined } as never) },
  RS256: { signing: uriSigningRs256(rs256, rsaPem), right: uriSigningRs256(rs256) },
  EdDSA: { signing: uriSigningEdDsa(okp), right: uriSigningEdDsa({ ...okp, d: undefined } as never) },
};

it("takes no key pair of another purpose, and no public half to sign with", () => {
  const invalid = expect.objectContaining({ code: "INVALID_KEY" });
  for (const purpose of [{ use: "enc" }, { key_ops: ["encrypt"] }]) {
    expect(() => uriSigningEs256({ ...es256, ...purpose })).toThrow(invalid);
    expect(() => uriSigningRs256({ ...rs256, ...purpose })).toThrow(invalid);
    expect(() => uriSigningEdDsa({ ...okp, ...purpose })).toThrow(invalid);
  }
  uriSigningEs256({ ...es256, use: "sig", key_ops: ["sign"] });
  for (const { right } of Object.values(asymmetric)) {
    expect(() => uriSigningSigner({ key: right as never })).toThrow(invalid);
  }
});

it("refuses where its key sets cannot be had", async () => {
  const request = get(uriSigningSigner({ key: secret, clock }).sign({ url, expiresIn: 60 }).url);
  const code = (found: unknown) =>
    outcome(uriSigningVerifier({ keySets: async () => found as never, origins, clock }), request);
  expect(await code(undefined)).toBe("UNKNOWN_KEY");
  expect(await code({})).toBe("INVALID_KEY");
  expect(await code([{ keys: [secret] }])).toBe("accepted");
});

it("says that an expression leaves the path open", () => {
  const signer = uriSigningSigner({ key: secret, clock });
  const regex = uriSigningRegex("https://cdn.example.com/live/.*");
  expect(signer.sign({ url, regex, expiresIn: 60 }).unbound).toEqual(
    expect.arrayContaining(["path in the regex", "query"]),
  );
  expect(signer.sign({ url, prefix: "/live/", expiresIn: 60 }).unbound).toContain("path below the prefix");
  expect(signer.sign({ url, expiresIn: 60 }).unbound).not.toContain("query");
});

testScheme({
  ...common,
  sign: ({ at, expiresIn, method }) =>
    uriSigningSigner({ key: secret, clock: () => at }).sign({ url, method, expiresIn }),
  verifier: ({ now, key }) =>
    uriSigningVerifier({
      keySets: [{ keys: [{ right: secret, foreign, unknown: { ...secret, kid: "k2" } }[key]] }],
      origins,
      clock: () => now,
    }),
});
for (const { signing, right } of Object.values(asymmetric)) {
  testScheme({
    ...common,
    sign: ({ at, expiresIn, method }) =>
      uriSigningSigner({ key: signing, issuer: "csp", clock: () => at }).sign({
        url,
        prefix: "/live/",
        method,
        expiresIn,
        notBefore: at,
      }),
    verifier: ({ now, key }) =>
      uriSigningVerifier({
        keySets: [{ issuer: "csp", keys: [{ right, foreign, unknown: { ...secret, kid: "k2" } }[key]] }],
        regex: uriSigningRegex,
        origins,
        clock: () => now,
      }),
    futureSkew: 0,
  });
}

/** A token with these claims, whatever they are. */
function token(claims: object, header: object = { alg: "HS256", kid: "k1" }): string {
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${input}.${createHmac("sha256", Buffer.from(secret.k, "base64url")).update(input).digest("base64url")}`;
}
const ANY = { cdniuc: "regex:.*", exp: NOW.getTime() / 1000 + 60 };
const withToken = (claims: object, header?: object): WireRequest =>
  get(`https://cdn.example.com/a/b?URISigningPackage=${token(claims, header)}`);
const verifier = (options: Partial<UriSigningVerifierOptions> = {}): Verifier =>
  uriSigningVerifier({ keySets: [{ keys: [secret] }], regex: uriSigningRegex, origins, clock, ...options });
const signer = uriSigningSigner({ key: secret, clock });

describe("claims", () => {
  it.each([
    [{}, "accepted"],
    [{ cdniuc: undefined }, "MALFORMED"],
    [{ cdniuc: "" }, "MALFORMED"],
    [{ cdniuc: ["regex:.*"] }, "MALFORMED"],
    [{ cdniuc: "uri:https://cdn.example.com/a/b" }, "UNENFORCED_CONSTRAINT"],
    [{ cdniuc: "hash:sha-256-32;AAAAAA" }, "UNENFORCED_CONSTRAINT"],
    [{ cdniuc: "hash:md5;AAAA" }, "UNENFORCED_CONSTRAINT"],
    [{ cdniuc: "regex:(" }, "MALFORMED"],
    [{ cdniuc: "regex:.*?" }, "MALFORMED"],
    [{ cdniuc: "regex:https://cdn.example.com/a" }, "SIGNATURE_MISMATCH"],
    [{ exp: undefined }, "MALFORMED"],
    [{ exp: "9999999999" }, "MALFORMED"],
    [{ exp: null }, "MALFORMED"],
    [{ exp: -1 }, "MALFORMED"],
    [{ exp: 1e300 }, "MALFORMED"],
    [{ exp: [] }, "MALFORMED"],
    [{ exp: NOW.getTime() / 1000 }, "EXPIRED"],
    [{ exp: NOW.getTime() / 1000 + 0.5 }, "accepted"],
    [{ nbf: NOW.getTime() / 1000 }, "accepted"],
    [{ nbf: NOW.getTime() / 1000 + 1 }, "NOT_YET_VALID"],
    [{ iat: NOW.getTime() / 1000 + 60 }, "accepted"],
    [{ iat: NOW.getTime() / 1000 + 61 }, "NOT_YET_VALID"],
    [{ iss: "csp" }, "SIGNATURE_MISMATCH"],
    [{ aud: "cdn" }, "WRONG_AUDIENCE"],
    [{ aud: [] }, "WRONG_AUDIENCE"],
    [{ aud: [1] }, "MALFORMED"],
    [{ sub: "not a JWE" }, "UNENFORCED_CONSTRAINT"],
    [{ cdniip: "10.0.0.0/8" }, "UNENFORCED_CONSTRAINT"],
    [{ jti: "n" }, "UNENFORCED_CONSTRAINT"],
    [{ cdniv: 1 }, "accepted"],
    [{ cdniv: 2 }, "MALFORMED"],
    [{ cdniv: "1" }, "MALFORMED"],
    [{ cdnistt: 0 }, "accepted"],
    [{ cdnistt: 2, cdniets: 30 }, "MALFORMED"],
    [{ cdnistt: 1 }, "MALFORMED"],
    [{ cdnistt: 1, cdniets: 0 }, "MALFORMED"],
    [{ cdnistt: 1, cdniets: 30, cdnistd: -1 }, "MALFORMED"],
    [{ cdnistt: 1, cdniets: 30, cdnistd: 1 }, "accepted"],
    [{ role: "admin" }, "MALFORMED"],
    [{ cdnixx: 1 }, "MALFORMED"],
    [{ cdnicrit: "role" }, "MALFORMED"],
    [{ cdnicrit: "" }, "MALFORMED"],
  ])("%j: %s", async (claims, expected) => {
    expect(await outcome(verifier(), withToken({ ...ANY, ...claims }))).toBe(expected);
  });

  it.each([
    [{ role: "a" }, "accepted"],
    [{ role: "a", cdnicrit: "role" }, "accepted"],
    [{ cdnicrit: "role" }, "MALFORMED"],
    [{ role: "a", cdnicrit: "role,role" }, "MALFORMED"],
    [{ role: "a", cdnicrit: "role,exp" }, "MALFORMED"],
    [{ role: "a", cdnicrit: "role,other" }, "MALFORMED"],
    [{ role: "a", cdnicrit: "role, x" }, "MALFORMED"],
  ])("extensions that the caller acts on, %j: %s", async (claims, expected) => {
    expect(await outcome(verifier({ extensions: ["role"] }), withToken({ ...ANY, ...claims }))).toBe(expected);
  });

  it("audience, issuer, nonce and no end where they are wanted", async () => {
    expect(await outcome(verifier({ audience: "b" }), withToken({ ...ANY, aud: ["a", "b"] }))).toBe("accepted");
    expect(await outcome(verifier({ audience: "b" }), withToken(ANY))).toBe("WRONG_AUDIENCE");
    expect(
      await outcome(verifier({ keySets: [{ issuer: "csp", keys: [secret] }] }), withToken({ ...ANY, iss: "csp" })),
    ).toBe("accepted");
    expect(await outcome(verifier({ keySets: [{ issuer: "csp", keys: [secret] }] }), withToken(ANY))).toBe(
      "SIGNATURE_MISMATCH",
    );
    expect(await outcome(verifier({ enforces: ["uses"] }), withToken({ ...ANY, jti: "n" }))).toBe("accepted");
    expect(await outcome(verifier({ withoutExpiry: "accept" }), withToken({ cdniuc: ANY.cdniuc }))).toBe("accepted");
  });
});

describe("the header", () => {
  it("algorithm confusion: the algorithm is the key's, whatever the token says", async () => {
    for (const alg of ["none", "HS512", "RS256", "ES256", "EdDSA", "hs256", ""]) {
      expect(await outcome(verifier(), withToken(ANY, { alg, kid: "k1" }))).toBe("SIGNATURE_MISMATCH");
    }
    const none = token(ANY, { alg: "none" }).replace(/[^.]*$/, "");
    expect(await outcome(verifier(), get(`https://cdn.example.com/a?URISigningPackage=${none}`))).toBe("MALFORMED");
    // HS256 with the bytes of a public key as secret, the classic.
    const publicBytes = Buffer.from(rs256.n, "base64url");
    const input = token(ANY).split(".").slice(0, 2).join(".");
    const mac = createHmac("sha256", publicBytes).update(input).digest("base64url");
    const rsaOnly = verifier({ keySets: [{ keys: [uriSigningRs256(rs256)] }] });
    expect(await outcome(rsaOnly, get(`https://cdn.example.com/a/b?URISigningPackage=${input}.${mac}`))).toBe(
      "SIGNATURE_MISMATCH",
    );
  });

  it.each([
    [{ kid: "k1" }, "MALFORMED"],
    [{ alg: "HS256", kid: 1 }, "MALFORMED"],
    [{ alg: "HS256", kid: "k1", crit: ["b64"], b64: false }, "MALFORMED"],
    [{ alg: "HS256", kid: "k2" }, "UNKNOWN_KEY"],
    [{ alg: "HS256" }, "accepted"],
    [{ alg: "HS256", kid: "k1", typ: "JWT" }, "accepted"],
    [{ alg: "HS256", kid: "k1", jku: "https://evil.example/keys" }, "accepted"],
  ])("%j: %s", async (header, expected) => {
    expect(await outcome(verifier(), withToken(ANY, header))).toBe(expected);
  });

  it("may be known beforehand and not be sent", async () => {
    const whole = token(ANY);
    const header = whole.split(".")[0] as string;
    const short = get(`https://cdn.example.com/a/b?URISigningPackage=${whole.slice(header.length + 1)}`);
    expect(await outcome(verifier({ header }), short)).toBe("accepted");
    expect(await outcome(verifier(), short)).toBe("MALFORMED");
  });
});

describe("where a token is found, and the URI without it", () => {
  const made = token(ANY);
  const { verify } = uriSigningVerifier({ keySets: [{ keys: [secret] }], regex: uriSigningRegex, origins, clock });

  it.each([
    ["/a?URISigningPackage=T", "/a"],
    ["/a?x=1&URISigningPackage=T", "/a?x=1"],
    ["/a?URISigningPackage=T&x=1", "/a?x=1"],
    ["/a?x=1&URISigningPackage=T&y=2", "/a?x=1&y=2"],
    ["/a;URISigningPackage=T", "/a"],
    ["/a;URISigningPackage=T/b", "/a/b"],
    ["/a;URISigningPackage=T;v=1/b?x", "/a;v=1/b?x"],
    ["/a/URISigningPackage=T?x=1", "/a?x=1"],
    ["/a/b/URISigningPackage=T/c", "/a/b/c"],
    ["/a?xURISigningPackage=1&URISigningPackage=T", "/a?xURISigningPackage=1"],
  ])("%s is %s", async (target, rest) => {
    const grant = await verify(get(`https://cdn.example.com${target.replace("T", made)}`));
    expect(grant.uri).toBe(`https://cdn.example.com${rest}`);
    expect(grant.target).toBe(rest);
  });

  it("in a cookie, where the URI has none", async () => {
    const headers = [["Cookie", `a=b; URISigningPackage=${made}`]] as const;
    expect((await verify(get("https://cdn.example.com/a?x=1", { headers }))).uri).toBe("https://cdn.example.com/a?x=1");
    const twice = [["cookie", `URISigningPackage=${made}; URISigningPackage=${made}`]] as const;
    expect(await outcome(verifier(), get("https://cdn.example.com/a", { headers: twice }))).toBe("MALFORMED");
    // The URI comes first, and what it brings is not made good by a cookie.
    const expired = token({ ...ANY, exp: 1 });
    expect(await outcome(verifier(), get(`https://cdn.example.com/a?URISigningPackage=${expired}`, { headers }))).toBe(
      "EXPIRED",
    );
  });

  it("twice in the URI is refused, and so is nothing", async () => {
    for (const target of [
      `/a?URISigningPackage=${made}&URISigningPackage=${made}`,
      `/a;URISigningPackage=${made}?URISigningPackage=${made}`,
      `/a?URISigningPackage=${made}=`,
      "/a?URISigningPackage=",
      "/a?URISigningPackage",
    ]) {
      expect(await outcome(verifier(), get(`https://cdn.example.com${target}`)), target).not.toBe("accepted");
    }
    expect(await outcome(verifier(), get("https://cdn.example.com/a"))).toBe("NO_SIGNATURE");
  });

  it("under another name", async () => {
    const other = verifier({ attribute: "usp" });
    expect(await outcome(other, get(`https://cdn.example.com/a?usp=${made}`))).toBe("accepted");
    expect(await outcome(other, get(`https://cdn.example.com/a?URISigningPackage=${made}`))).toBe("NO_SIGNATURE");
  });
});

describe("normalisation", () => {
  it.each([
    ["http://cdn.example", "/%7euser/%41%2f?q=%3d%2D", "http://cdn.example", "/~user/A%2F", "?q=%3D-"],
    ["https://h", "/a/./b/../c/", "https://h", "/a/c/", ""],
    ["https://h:8443", "", "https://h:8443", "/", ""],
    ["https://h", "/..", "https://h", "/", ""],
    ["https://h", "/a/%2e%2e/b", "https://h", "/b", ""],
    ["https://h", "/a//b/.", "https://h", "/a//b/", ""],
    ["https://h", "/../../a?../b", "https://h", "/a", "?../b"],
    ["https://h", "/%zz?", "https://h", "/%zz", "?"],
  ])("%s%s", (origin, target, ...expected) => {
    const uri = normalizeUri(origin, target);
    expect([uri.origin, uri.path, uri.query]).toEqual(expected);
  });

  it("of the host is done by the choice among origins: case and default port mean nothing", async () => {
    const { url: made } = signer.sign({ url, expiresIn: 60 });
    for (const authority of ["CDN.example.com", "cdn.example.com:443"]) {
      expect(await outcome(verifier(), get(made, { authority }))).toBe("accepted");
    }
  });

  it("makes equivalent URIs one, and the handler sees what was verified", async () => {
    const link = signer.sign({ url: "https://cdn.example.com/a~b/c?x=%7E", expiresIn: 60 });
    const other = get(link.url.replace("/a~b/c", "/%61%7eb/x/../c"));
    const grant = await uriSigningVerifier({ keySets: [{ keys: [secret] }], origins, clock }).verify(other);
    expect(grant).toMatchObject({ path: "/a~b/c", target: "/a~b/c?x=~", id: link.id });
  });

  it("dot segments do not climb out of a prefix", async () => {
    const link = signer.sign({ url: "https://cdn.example.com/a/b", prefix: "/a/", expiresIn: 60 });
    for (const [path, expected] of [
      ["/a/x/../c", "accepted"],
      ["/a/../secret", "SIGNATURE_MISMATCH"],
      ["/a/%2e%2e/secret", "SIGNATURE_MISMATCH"],
      ["/ab", "SIGNATURE_MISMATCH"],
    ] as const) {
      expect(await outcome(verifier(), get(link.url.replace("/a/b", path))), path).toBe(expected);
    }
  });
});

describe("the signer", () => {
  it("CVE-like: an expression that is anchored at neither end is anchored at both (Traffic Server: at the start only)", async () => {
    const link = signer.sign({
      url: "https://cdn.example.com/a/x",
      regex: uriSigningRegex("https://cdn\\.example\\.com/a/x"),
      expiresIn: 60,
    });
    expect(await outcome(verifier(), get(link.url))).toBe("accepted");
    expect(await outcome(verifier(), get(link.url.replace("/a/x", "/a/xyz")))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(verifier(), get(link.url.replace("?", "?https://cdn.example.com/a/x&")))).toBe(
      "SIGNATURE_MISMATCH",
    );
  });

  it.each(["query", "path", "cookie"] as const)("puts the token into the %s", async (place) => {
    const link = signer.sign({ url, expiresIn: 60, place });
    const grant = await uriSigningVerifier({ keySets: [{ keys: [secret] }], origins, clock }).verify(
      get(link.url, { headers: Object.entries(link.headers) }),
    );
    expect(grant.uri).toBe(url);
    expect(grant.id).toBe(link.id);
    expect(link.url.includes("URISigningPackage")).toBe(place !== "cookie");
  });

  it("binds prefixes with hostile characters as they are", async () => {
    const prefix = "/a.b*(c)+[d]$/";
    const link = signer.sign({ url: `https://cdn.example.com${prefix}x?y`, prefix, expiresIn: 60 });
    expect(await outcome(verifier(), get(link.url))).toBe("accepted");
    expect(await outcome(verifier(), get(link.url.replace("a.b", "axb")))).toBe("SIGNATURE_MISMATCH");
  });

  it("encrypts who it is for, and from where", async () => {
    const encryption = uriSigningEncryption({ kty: "oct", kid: "e1", alg: "A256GCM", k: "A".repeat(43) });
    const encrypted = { subject: await encryption.encrypt("cus_42"), ip: await encryption.encrypt("203.0.113.0/24") };
    const link = signer.sign({ url, expiresIn: 60, encrypted });
    expect(link.url).not.toContain(Buffer.from("cus_42").toString("base64url"));
    const reading = verifier({ encryption });
    const from = (remoteAddress: string) => get(link.url, { remoteAddress });
    await expect(reading.verify(from("203.0.113.9"), { subject: "cus_42" })).resolves.toMatchObject({
      subject: "cus_42",
    });
    await expect(reading.verify(from("203.0.114.9"), { subject: "cus_42" })).rejects.toMatchObject({
      code: "IP_NOT_GRANTED",
    });
    await expect(reading.verify(from("203.0.113.9"), { subject: "cus_43" })).rejects.toMatchObject({
      code: "WRONG_SUBJECT",
    });
    await expect(reading.verify(from("203.0.113.9"))).rejects.toMatchObject({ code: "WRONG_SUBJECT" });
    // A subject that cannot be read is nobody, and equals nobody's.
    const broken = signer.sign({ url, expiresIn: 60, encrypted: { subject: "x...." } });
    await expect(reading.verify(get(broken.url))).rejects.toMatchObject({ code: "WRONG_SUBJECT" });
  });

  it("makes nonces, and signs claims of one's own", async () => {
    const link = signer.sign({
      url,
      expiresIn: 60,
      nonce: true,
      claims: { role: "a" },
      critical: ["role"],
      issuedAt: true,
    });
    const reading = uriSigningVerifier({
      keySets: [{ keys: [secret] }],
      origins,
      clock,
      extensions: ["role"],
      enforces: ["uses"],
    });
    const { claims } = await reading.verify(get(link.url));
    expect(claims).toMatchObject({ role: "a", cdnicrit: "role", iat: NOW.getTime() / 1000 });
    expect(claims.jti).toMatch(/^[\w-]{22}$/);
  });

  it.each([
    [{ bind: { ip: "10.0.0.1" } }, "UNSUPPORTED_CONSTRAINT"],
    [{ bind: { headers: { a: "b" } } }, "UNSUPPORTED_CONSTRAINT"],
    [{ prefix: "/live/", bind: { query: { w: "1" } } }, "UNSUPPORTED_CONSTRAINT"],
    [{ regex: uriSigningRegex(".*"), bind: { query: { w: "1" } } }, "UNSUPPORTED_CONSTRAINT"],
    [{ response: { contentType: "a/b" } }, "UNSUPPORTED_CONSTRAINT"],
    [{ prefix: "/live" }, "INVALID_INPUT"],
    [{ prefix: "/other/" }, "INVALID_INPUT"],
    [{ prefix: "/live/", regex: uriSigningRegex(".*") }, "INVALID_INPUT"],
    [{ regex: uriSigningRegex("https://other/.*") }, "INVALID_INPUT"],
    [{ url: `${url}&URISigningPackage=1` }, "INVALID_INPUT"],
    [{ renewal: { every: 0 } }, "INVALID_INPUT"],
    [{ renewal: { every: 1.5 } }, "INVALID_INPUT"],
    [{ renewal: { every: 30, depth: -1 } }, "INVALID_INPUT"],
    [{ critical: ["role"] }, "INVALID_INPUT"],
    [{ claims: { exp: 1 }, critical: ["exp"] }, "INVALID_INPUT"],
    [{ nonce: "" }, "INVALID_INPUT"],
    [{ expiresIn: undefined }, "INVALID_INPUT"],
  ])("refuses to sign %j with %s", (wish, code) => {
    expect(() => signer.sign({ url, expiresIn: 60, ...wish } as UriSigningRequest)).toThrowError(
      expect.objectContaining({ code }),
    );
  });
});

describe("keys", () => {
  it.each([
    () => uriSigningSigner({ key: { ...secret, kid: "" } }),
    () => uriSigningSigner({ key: { ...secret, k: "AAAA" } }),
    () => uriSigningSigner({ key: { ...secret, alg: "HS512" } as never }),
    () => verifier({ keySets: [{ keys: [secret, foreign] }] }),
    () => verifier({ keySets: [{ keys: [{ ...secret, kid: undefined } as never] }] }),
    () => uriSigningEs256({ ...es256, alg: "HS256" } as never),
    () => uriSigningEs256({ ...es256, kid: "" }),
    () => uriSigningRs256({ ...rs256, alg: "RS512" } as never),
    () => uriSigningEdDsa({ ...okp, x: "A".repeat(43) }),
    () => uriSigningEdDsa({ ...okp, crv: "Ed448" } as never),
    () => uriSigningEncryption({ ...rfcEncryption, k: "AAAA" }),
    () => uriSigningEncryption({ ...rfcEncryption, alg: "A256GCM" }),
    () => uriSigningRenewer({ renewalKeys: [{ key: secret }, { key: { ...secret, kid: "k2" } }] }),
  ])("%s is refused", (load) => {
    expect(load).toThrowError(expect.objectContaining({ code: "INVALID_KEY" }));
  });

  it("are fetched for each request where a function gives them", async () => {
    const { url: made } = signer.sign({ url, expiresIn: 60 });
    let keys: readonly (typeof secret)[] = [];
    const fetching = verifier({ keySets: async () => [{ keys }] });
    expect(await outcome(fetching, get(made))).toBe("UNKNOWN_KEY");
    keys = [secret];
    expect(await outcome(fetching, get(made))).toBe("accepted");
  });
});

describe("renewal", () => {
  const renewer = uriSigningRenewer({ renewalKeys: [{ key: secret }] });
  const renewed = async (claims: object, path = "/a/b/c.ts", origin = origins[0]) => {
    const at = uriSigningVerifier({
      keySets: [{ keys: [secret] }],
      regex: uriSigningRegex,
      origins: [String(origin)],
      clock,
      enforces: ["uses"],
    });
    return renewer.renew(await at.verify(get(`${origin}${path}?URISigningPackage=${token({ ...ANY, ...claims })}`)));
  };

  it("counts from the verification, so that asking often collects no time", async () => {
    const next = await renewed({ cdnistt: 1, cdniets: 30, exp: NOW.getTime() / 1000 + 10_000 });
    expect(next?.expiresAt).toEqual(new Date(NOW.getTime() + 30_000));
  });

  it.each([
    [{ cdnistt: 1, cdniets: 30 }, "/a/b/c.ts", "/"],
    [{ cdnistt: 1, cdniets: 30, cdnistd: 0 }, "/a/b/c.ts", "/"],
    [{ cdnistt: 1, cdniets: 30, cdnistd: 2 }, "/a/b/c.ts", "/a/b"],
    [{ cdnistt: 1, cdniets: 30, cdnistd: 3 }, "/a/b/c.ts", "/a/b/c.ts"],
    [{ cdnistt: 1, cdniets: 30, cdnistd: 4 }, "/a/b/c.ts", undefined],
    [{ cdnistt: 1, cdniets: 30, cdnistd: 1 }, "/a;Domain=evil/b", undefined],
    [{ cdnistt: 0, cdniets: 30 }, "/a", undefined],
    [{}, "/a", undefined],
  ])("%j and %s: the path %s", async (claims, path, expected) => {
    const next = await renewed(claims, path);
    expect(next && / Path=([^;]*);/.exec(next.setCookie)?.[1]).toBe(expected);
  });

  it("is secure where the origin is, and dates iat and jti anew", async () => {
    const next = await renewed({ cdnistt: 1, cdniets: 30, iat: 1, jti: "old" });
    expect(next?.setCookie).toMatch(/; HttpOnly; Secure$/);
    const payload = JSON.parse(Buffer.from(next?.token.split(".")[1] as string, "base64url").toString());
    expect(payload.iat).toBe(NOW.getTime() / 1000);
    expect(payload.jti).not.toBe("old");
    expect((await renewed({ cdnistt: 1, cdniets: 30 }, "/a", "http://cdn.example.com"))?.setCookie).not.toContain(
      "Secure",
    );
  });

  it("needs a key for the issuer", async () => {
    const none = uriSigningRenewer({ renewalKeys: [{ issuer: "csp", key: secret }] });
    const grant = await uriSigningVerifier({
      keySets: [{ keys: [secret] }],
      regex: uriSigningRegex,
      origins,
      clock,
    }).verify(withToken({ ...ANY, cdnistt: 1, cdniets: 30 }));
    expect(await none.renew(grant)).toBeUndefined();
  });
});
