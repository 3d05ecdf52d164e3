import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { uriSigningRs256 } from "../../src/schemes/uri-signing/index.ts";
import { get, NOW, outcome } from "../edge-fixture.ts";
import { ANY, rs256, secret, token, verifier, withToken } from "./fixture.ts";

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

  it("an extension by its whole name, if a text replaces a list", async () => {
    const named = verifier({ extensions: "role" as never });
    expect(await outcome(named, withToken({ ...ANY, role: "a" }))).toBe("accepted");
    expect(await outcome(named, withToken({ ...ANY, ro: "a" }))).toBe("MALFORMED");
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

  it("accepts a token without its header if the verifier knows it", async () => {
    const whole = token(ANY);
    const header = whole.split(".")[0] as string;
    const short = get(`https://cdn.example.com/a/b?URISigningPackage=${whole.slice(header.length + 1)}`);
    expect(await outcome(verifier({ header }), short)).toBe("accepted");
    expect(await outcome(verifier(), short)).toBe("MALFORMED");
  });
});

it("refuses a token whose header, claims or a nested claim name a member twice", async () => {
  const whole = JSON.stringify(ANY);
  expect(await outcome(verifier(), withToken(whole))).toBe("accepted");
  for (const [claims, header] of [
    [whole.replace("{", '{"exp":1,')],
    [whole.replace("{", '{"exp" :1,')],
    [whole.replace("{", '{"cdniuc":"regex:x",')],
    [whole, '{"alg":"HS256","kid":"k1","kid":"k1"}'],
    [whole, '{"alg":"none","alg":"HS256","kid":"k1"}'],
  ] as const)
    expect(await outcome(verifier(), withToken(claims, header)), claims).toBe("MALFORMED");
});
