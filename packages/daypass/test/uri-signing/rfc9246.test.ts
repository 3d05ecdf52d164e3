import { createCipheriv } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Verifier } from "../../src/index.ts";
import {
  type UriSigningVerifierOptions,
  uriSigningEncryption,
  uriSigningRegex,
  uriSigningRenewer,
  uriSigningVerifier,
} from "../../src/schemes/uri-signing/index.ts";
import { get, outcome } from "../edge-fixture.ts";
import { rfcEncryption, rfcJwes, rfcKey, rfcNow, rfcTokens } from "./rfc9246.ts";

const origins = ["http://cdni.example"];
const verifier = (options: Partial<UriSigningVerifierOptions> = {}): Verifier =>
  uriSigningVerifier({
    keySets: [{ issuer: "uCDN Inc", keys: [rfcKey] }, { keys: [rfcKey] }],
    regex: uriSigningRegex,
    origins,
    clock: () => rfcNow,
    ...options,
  });

describe("RFC 9246 appendix A", () => {
  it("A.1: the simple example is for one URI", async () => {
    const url = `http://cdni.example/foo/bar?URISigningPackage=${rfcTokens.simple}`;
    const grant = await uriSigningVerifier({
      keySets: [{ issuer: "uCDN Inc", keys: [rfcKey] }],
      origins,
      clock: () => rfcNow,
    }).verify(get(url));
    expect(grant).toMatchObject({
      uri: "http://cdni.example/foo/bar",
      target: "/foo/bar",
      keyId: rfcKey.kid,
      claims: { iss: "uCDN Inc" },
      expiresAt: new Date(1641079223_000),
      obligations: [],
    });
    expect(await outcome(verifier(), get(url.replace("/bar?", "/baz?")))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(verifier({ clock: () => new Date(1641079223_000) }), get(url))).toBe("EXPIRED");
    expect(await outcome(verifier({ keySets: [{ keys: [rfcKey] }] }), get(url))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(verifier({ keySets: [{ issuer: "other", keys: [rfcKey] }] }), get(url))).toBe(
      "SIGNATURE_MISMATCH",
    );
  });

  describe("A.2: the complex example", () => {
    const url = `http://cdni.example/foo/bar/123.png?URISigningPackage=${rfcTokens.complex}`;
    const request = get(url, { remoteAddress: "2001:db8::9" });
    const encryption = uriSigningEncryption(rfcEncryption);
    const full = { encryption, audience: "dCDN LLC", enforces: ["uses"] } as const;
    const asked = (
      options: Partial<UriSigningVerifierOptions>,
      subject = "UserToken",
      from = request,
    ): Promise<string> =>
      verifier({ ...full, ...options })
        .verify(from, { subject })
        .then(
          () => "accepted",
          (error: { code?: string }) => String(error.code),
        );

    it("accepts the complex example if every claim is enforced", async () => {
      expect(await asked({})).toBe("accepted");
      const grant = await uriSigningVerifier({
        keySets: [{ issuer: "uCDN Inc", keys: [rfcKey] }],
        regex: uriSigningRegex,
        origins,
        clock: () => rfcNow,
        ...full,
      }).verify(request, { subject: "UserToken" });
      expect(grant).toMatchObject({
        subject: "UserToken",
        notBefore: new Date(1640992823_000),
        obligations: [{ kind: "uses", limit: 1 }],
        claims: { jti: "5DAafLhZAfhsbe", cdniv: 1 },
      });
    });

    it.each([
      ["no state for its nonce", { enforces: [] }, "UNENFORCED_CONSTRAINT"],
      ["no key for its subject", { encryption: undefined }, "UNENFORCED_CONSTRAINT"],
      [
        "another key",
        { encryption: uriSigningEncryption({ ...rfcEncryption, k: "AAAAAAAAAAAAAAAAAAAAAA" }) },
        "WRONG_SUBJECT",
      ],
      ["no audience", { audience: undefined }, "WRONG_AUDIENCE"],
      ["another audience", { audience: "other" }, "WRONG_AUDIENCE"],
      ["no expressions", { regex: undefined }, "UNENFORCED_CONSTRAINT"],
      ["a clock before nbf", { clock: () => new Date(1640992822_000) }, "NOT_YET_VALID"],
      ["a clock at exp", { clock: () => new Date(1641079223_000) }, "EXPIRED"],
    ])("refuses the complex example by a verifier with %s", async (_what, options, code) => {
      expect(await asked(options as Partial<UriSigningVerifierOptions>)).toBe(code);
    });

    it("refuses the complex example for other subjects, addresses and URIs", async () => {
      expect(await asked({}, "Other")).toBe("WRONG_SUBJECT");
      expect(await asked({}, "UserToken", { ...request, remoteAddress: "2001:db9::9" })).toBe("IP_NOT_GRANTED");
      expect(await asked({}, "UserToken", { ...request, remoteAddress: undefined })).toBe("IP_NOT_GRANTED");
      for (const path of ["/foo/bar/1234.png", "/foo/bar/12.png", "/foo/bar/123.pngx", "/x/foo/bar/123.png"]) {
        const other = { ...request, target: request.target.replace("/foo/bar/123.png", path) };
        expect(await asked({}, "UserToken", other), path).toBe("SIGNATURE_MISMATCH");
      }
    });
  });

  it("A.3: the chained example is renewed for 30 s from its verification, in a cookie for two segments", async () => {
    const url = `http://cdni.example/foo/bar/123.ts?URISigningPackage=${rfcTokens.chained}`;
    const key = { kty: "oct", alg: "HS256", kid: "renewal", k: "AAECAwQFBgcICQoLDA0ODw" } as const;
    const chained = uriSigningVerifier({
      keySets: [{ keys: [rfcKey, key] }],
      regex: uriSigningRegex,
      origins,
      clock: () => rfcNow,
    });
    const grant = await chained.verify(get(url));
    const next = await uriSigningRenewer({ renewalKeys: [{ key }] }).renew(grant);
    const exp = rfcNow.getTime() / 1000 + 30;
    expect(next?.expiresAt).toEqual(new Date(exp * 1000));
    expect(next?.setCookie).toBe(
      `URISigningPackage=${next?.token}; Path=/foo/bar; Expires=${new Date(exp * 1000).toUTCString()}; HttpOnly`,
    );
    const headers = [["cookie", `URISigningPackage=${next?.token}`]] as const;
    const second = await chained.verify(get("http://cdni.example/foo/bar/124.ts", { headers }));
    expect(second.claims).toEqual({ ...grant.claims, exp });
    expect(second.keyId).toBe("renewal");
    const third = uriSigningVerifier({
      keySets: [{ keys: [rfcKey, key] }],
      regex: uriSigningRegex,
      origins,
      clock: () => new Date(exp * 1000),
    });
    expect(await outcome(third, get("http://cdni.example/foo/bar/125.ts", { headers }))).toBe("EXPIRED");
  });

  it.each(rfcJwes)("%s is what its JWE holds", async (text, jwe) => {
    const encryption = uriSigningEncryption(rfcEncryption);
    expect(await encryption.decrypt(jwe)).toBe(text);
    const [head, , iv, sealed, tag] = jwe.split(".");
    for (const other of [
      `${head}.AA.${iv}.${sealed}.${tag}`,
      `${head}..${iv}.${sealed}.${(tag as string).replace(/^./, "A")}`,
      `${head}..${iv}.${sealed}`,
      `${Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString("base64url")}..${iv}.${sealed}.${tag}`,
      `${Buffer.from('{"alg":"A128KW","enc":"A128GCM"}').toString("base64url")}..${iv}.${sealed}.${tag}`,
      "",
      "....",
    ]) {
      expect(await encryption.decrypt(other)).toBeUndefined();
    }
  });

  // RFC 7516 sections 4.1.3 and 4.1.13: what a header asks for is done, or the JWE is refused.
  it.each([{ crit: ["exp"], exp: 1 }, { zip: "DEF" }, {}])(
    "a JWE that asks for %j is read only if that is nothing",
    async (extra) => {
      const { kid, alg, k } = rfcEncryption;
      const head = Buffer.from(JSON.stringify({ alg: "dir", enc: alg, kid, ...extra })).toString("base64url");
      const cipher = createCipheriv("aes-128-gcm", Buffer.from(k, "base64url"), Buffer.alloc(12)).setAAD(
        Buffer.from(head),
      );
      const sealed = Buffer.concat([cipher.update("cus_42"), cipher.final()]);
      const jwe = [head, "", Buffer.alloc(12), sealed, cipher.getAuthTag()]
        .map((part) => (typeof part === "string" ? part : part.toString("base64url")))
        .join(".");
      expect(await uriSigningEncryption(rfcEncryption).decrypt(jwe)).toBe(
        Object.keys(extra).length === 0 ? "cus_42" : undefined,
      );
    },
  );
});

// Tokens of Apache Traffic Server's tests, with its keys:
// https://github.com/apache/trafficserver/tree/master/tests/gold_tests/pluginTest/uri_signing
describe("a token without kid and container, as Traffic Server accepts it", () => {
  it("refuses a token without a container, which would be valid for every URI", async () => {
    const token =
      "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJpc3N1ZXIiLCJleHAiOjE5MjMwNTYwODR9.zw_wFQ-wvrWmfPLGj3hAUWn-GOHkiJZi2but4KV0paY";
    const request = get(`http://cdni.example/someasset.ts?URISigningPackage=${token}`);
    expect(await outcome(verifier({ clock: () => rfcNow }), request)).toBe("MALFORMED");
  });
});
