import { describe, expect, it } from "vitest";
import { uriSigningRegex, uriSigningRenewer, uriSigningVerifier } from "../../src/schemes/uri-signing/index.ts";
import { clock, get, NOW } from "../edge-fixture.ts";
import { ANY, origins, secret, token, withToken } from "./fixture.ts";

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

  it("sets Secure for https origins, and renews iat and jti", async () => {
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
