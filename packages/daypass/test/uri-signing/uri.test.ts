import { describe, expect, it } from "vitest";
import { uriSigningRegex, uriSigningVerifier } from "../../src/schemes/uri-signing/index.ts";
import { normalizeUri } from "../../src/schemes/uri-signing/uri.ts";
import { clock, get, outcome } from "../edge-fixture.ts";
import { ANY, origins, secret, signer, token, url, verifier } from "./fixture.ts";

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

  it("finds a token in a cookie if the URI has none", async () => {
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

  it("selects an origin in any case and with its default port", async () => {
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

  it("refuses a broken escape, which normalisation would complete", async () => {
    const request = (path: string) =>
      get(`https://cdn.example.com${path}?URISigningPackage=${token({ ...ANY, cdniuc: "regex:.*/[^s][^/]*" })}`);
    expect(await outcome(verifier(), request("/public"))).toBe("accepted");
    expect(await outcome(verifier(), request("/secret"))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(verifier(), request("/%73ecret"))).toBe("SIGNATURE_MISMATCH");
    for (const path of ["/%%37%33ecret", "/%7%33ecret", "/a%", "/a%zz", "/a%4", "/a?x=%%32%36"]) {
      expect(await outcome(verifier(), request(path)), path).toBe("MALFORMED");
    }
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
