import { describe, expect, it } from "vitest";
import {
  type UriSigningRequest,
  uriSigningEncryption,
  uriSigningRegex,
  uriSigningSigner,
  uriSigningVerifier,
} from "../../src/schemes/uri-signing/index.ts";
import { clock, get, NOW, outcome } from "../edge-fixture.ts";
import { origins, secret, signer, url, verifier } from "./fixture.ts";

it("says that an expression leaves the path open", () => {
  const signer = uriSigningSigner({ key: secret, clock });
  const regex = uriSigningRegex("https://cdn.example.com/live/.*");
  expect(signer.sign({ url, regex, expiresIn: 60 }).unbound).toEqual(
    expect.arrayContaining(["path in the regex", "query"]),
  );
  expect(signer.sign({ url, prefix: "/live/", expiresIn: 60 }).unbound).toContain("path below the prefix");
  expect(signer.sign({ url, expiresIn: 60 }).unbound).not.toContain("query");
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

  it("binds the whole URI where a column of a database has null for a prefix", () => {
    const [plain, none] = [undefined, null].map((prefix) =>
      signer.sign({ url, expiresIn: 60, prefix } as unknown as UriSigningRequest),
    );
    expect(none).toEqual(plain);
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
    // An unreadable subject equals no other subject.
    const broken = signer.sign({ url, expiresIn: 60, encrypted: { subject: "x...." } });
    await expect(reading.verify(get(broken.url))).rejects.toMatchObject({ code: "WRONG_SUBJECT" });
  });

  it("makes nonces, and signs further claims", async () => {
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
    [{ regex: "" }, "INVALID_INPUT"],
    [{ regex: ".*" }, "INVALID_INPUT"],
    [{ regex: null }, "INVALID_INPUT"],
    [{ prefix: "" }, "INVALID_INPUT"],
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
