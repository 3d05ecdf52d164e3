import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Verifier } from "../../src/index.ts";
import {
  type MediaCdnTokenVerifierOptions,
  mediaCdnEd25519TokenSigner,
  mediaCdnPublicKey,
  mediaCdnSha1Key,
  mediaCdnTokenSigner,
  mediaCdnTokenVerifier,
} from "../../src/schemes/media-cdn/token/index.ts";
import { clock, get, NOW, outcome } from "../edge-fixture.ts";

// https://github.com/GoogleCloudPlatform/python-docs-samples/blob/main/media_cdn/dualtoken_test.py (commit 145a68f)
const secret = "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8=";
const privateKey = "DJUcnLguVFKmVCFnWGubG1MZg7fWAnxacMjKDhVZMGI=";
const publicKey = Buffer.from("9fb9f0be1cdad750b44ae53d6b2d6e5a30d27f31fe0a9201817c6a233f9877d4", "hex").toString(
  "base64url",
);
const origins = ["https://media.example.com"];
const url = "https://media.example.com/hls/1/a.m3u8";

const THEN = new Date("2022-09-13T06:00:00Z");
const expiresAt = new Date("2022-09-13T12:00:00Z");
const keys = [{ secret }, mediaCdnSha1Key({ secret }), mediaCdnPublicKey(publicKey)];
const sample = { clock: () => THEN, parameter: "t" };

describe("Google's samples", () => {
  const accepting = mediaCdnTokenVerifier({ keys, origins: ["http://10.20.30.40"], ...sample });
  const exact = { url: "http://10.20.30.40/example.m3u8", expiresAt };
  const prefixed = { url: "http://10.20.30.40/", prefix: "/", expiresAt };
  const globbed = { url: "http://10.20.30.40/a", pathGlobs: ["/*"], expiresAt };

  it.each([
    [
      "ed25519",
      prefixed,
      "URLPrefix=aHR0cDovLzEwLjIwLjMwLjQwLw~Expires=1663070400~Signature=OQLXEjnApFGJaGZ_jvp2R7VY5q3ic-HT3igFpi9iPsJRXtQuvPF4cxZUT-rtCqzteXx3vSRhk09FxgDQauO_DA",
    ],
    [
      "ed25519",
      globbed,
      "PathGlobs=/*~Expires=1663070400~Signature=9pBdD_6O6LB-4V67HZ_SOc2G_jIkSZ_tMsKnVqElmPlwKB_xDiW7DKAnv8L8CmweeZquaLFlnLogbMcIV8bNCQ",
    ],
    [
      "ed25519",
      exact,
      "FullPath~Expires=1663070400~Signature=X74OTNjtseIUmsab-YiOTZ8jyX_KG7v4YQWwcFpfFmjhzaX8NdweMc9Wglj8wxEsEW85g3_MBG3T9jzLZFQDCw",
    ],
    [
      "sha1",
      prefixed,
      "URLPrefix=aHR0cDovLzEwLjIwLjMwLjQwLw~Expires=1663070400~hmac=6f5b4bb82536810d5ee111cba3e534d49c6ac3cb",
    ],
    ["sha1", globbed, "PathGlobs=/*~Expires=1663070400~hmac=c1c446eea24faa31392519f975fea7eefb945625"],
    ["sha1", exact, "FullPath~Expires=1663070400~hmac=7af78177d6bc001d5626eefe387b1774a4a99ca2"],
    [
      "sha256",
      prefixed,
      "URLPrefix=aHR0cDovLzEwLjIwLjMwLjQwLw~Expires=1663070400~hmac=409722313cf6d987da44bb360e60dccc3d79764520fc5e3b57654e1d4d2c862e",
    ],
    [
      "sha256",
      globbed,
      "PathGlobs=/*~Expires=1663070400~hmac=9439ecdd5c4919f76f915dea72afa85a045579794e63d8cda664f5a1140c8d93",
    ],
    [
      "sha256",
      exact,
      "FullPath~Expires=1663070400~hmac=365b41fd77297371d890fc9a56e4e3d3baa4c7afbd230a0e9a81c8e1bcab9420",
    ],
  ])("%s, %j is signed and accepted", async (algorithm, request, token) => {
    const signers = {
      ed25519: mediaCdnEd25519TokenSigner({ privateKey, ...sample }),
      sha1: mediaCdnTokenSigner({ key: mediaCdnSha1Key({ secret }), ...sample }),
      sha256: mediaCdnTokenSigner({ key: { secret }, ...sample }),
    };
    const link = await signers[algorithm as keyof typeof signers].sign(request);
    expect(link.url).toBe(`${request.url}?t=${token}`);
    expect(await outcome(accepting, get(link.url))).toBe("accepted");
  });

  it("refuses Google's sample with all fields, whose IPRanges are not addresses", async () => {
    const rules = {
      ...globbed,
      notBefore: new Date("2022-09-13T00:00:00Z"),
      sessionId: "test-id",
      data: "test-data",
      bind: { headers: { Foo: "bar", BAZ: "quux" } },
    };
    const link = mediaCdnTokenSigner({ key: { secret }, ...sample }).sign(rules);
    // Theirs continues with `~IPRanges=` of "203.0.113.0/24,2001:db8:4a7f:a732/64", whose second half is no IPv6 address.
    const fields = "PathGlobs=/*~Starts=1663027200~Expires=1663070400~SessionID=test-id~Data=test-data~Headers=Foo,BAZ";
    expect(link.url).toContain(`?t=${fields}~hmac=`);
    expect(link.headers).toEqual({ foo: "bar", baz: "quux" });
    const grant = await accepting.verify(get(link.url, { headers: Object.entries(link.headers) }));
    expect(grant).toMatchObject({
      sessionId: "test-id",
      data: "test-data",
      signedHeaders: ["foo", "baz"],
      pathGlobs: ["/*"],
    });
    const theirs = `${fields}~IPRanges=MjAzLjAuMTEzLjAvMjQsMjAwMTpkYjg6NGE3ZjphNzMyLzY0~hmac=dda9c3d6f3b2e867a09fbb76209ea138dd81f8512210f970d1e92f90927bef4b`;
    const signed = theirs.replace("Headers=Foo,BAZ", "Headers=Foo=bar,BAZ=quux").replace(/~hmac=.*/, "");
    const mac = createHmac("sha256", Buffer.from(secret, "base64url")).update(signed).digest("hex");
    expect(theirs.endsWith(mac)).toBe(true);
    const headers = Object.entries(link.headers);
    expect(await outcome(accepting, get(`http://10.20.30.40/a?t=${theirs}`, { headers }))).toBe("MALFORMED");
  });
});

it("a signature that covers no path, as an older sample of Google's made it, is refused", async () => {
  // media_cdn/snippets_test.py: the same signature for a URLPrefix and for PathGlobs, as only ~Expires=… was signed.
  const signature = "5WaeYalsQM7lYtm_OC3klhoIrBSRJTtjsk8D322gWd9cp3MKZZxiads0VUCmEdZFCHo8MYayVCxiwooaKSdkDA";
  const sampleKey = mediaCdnPublicKey("n7nwvhza11C0SuU9ay1uWjDSfzH-CpIBgXxqIz-Yd9Q");
  const accepting = mediaCdnTokenVerifier({ keys: sampleKey, origins: ["http://34.104.35.20"], ...sample });
  for (const scope of ["URLPrefix=aHR0cDovLzM0LjEwNC4zNS4yMC8", "PathGlobs=/shankar/*"]) {
    const made = `http://34.104.35.20/shankar/a?t=${scope}~Expires=1664290336~Signature=${signature}`;
    expect(await outcome(accepting, get(made))).toBe("SIGNATURE_MISMATCH");
  }
});

const verifier = (options: Partial<MediaCdnTokenVerifierOptions> = {}): Verifier =>
  mediaCdnTokenVerifier({ keys: { secret }, origins, clock, ...options });
const signer = mediaCdnTokenSigner({ key: { secret }, clock });

describe("what a token is for", () => {
  it("signs one path", async () => {
    const link = signer.sign({ url, expiresIn: 60 });
    expect(await outcome(verifier(), get(link.url.replace("a.m3u8", "b.m3u8")))).toBe("SIGNATURE_MISMATCH");
    expect(link.unbound).toContain("host");
  });

  it("a prefix, with its origin", async () => {
    const { url: made } = signer.sign({ url, prefix: "/hls/1/", expiresIn: 60 });
    expect(await outcome(verifier(), get(made.replace("a.m3u8", "x/b.ts")))).toBe("accepted");
    for (const path of ["/hls/12/b.ts", "/hls/b.ts", "/x"]) {
      expect(await outcome(verifier(), get(made.replace("/hls/1/a.m3u8", path)))).toBe("SIGNATURE_MISMATCH");
    }
    for (const path of ["/hls/1/../2", "/hls/1/%2e%2e/2", "/hls/1/..%2f2", "/hls/1/%252e%252e/2"]) {
      expect(await outcome(verifier(), get(made.replace("/hls/1/a.m3u8", path)))).toBe("MALFORMED");
    }
    const mirror = verifier({ origins: ["https://mirror.example.com"] });
    expect(await outcome(mirror, get(made.replace("media.", "mirror.")))).toBe("SIGNATURE_MISMATCH");
  });

  it("path patterns", async () => {
    const { url: made } = signer.sign({ url, pathGlobs: ["/hls/?/*.m3u8", "/vod/*"], expiresIn: 60 });
    for (const [path, expected] of [
      ["/hls/2/b/c.m3u8", "accepted"],
      ["/vod/x", "accepted"],
      ["/hls/12/b.m3u8", "SIGNATURE_MISMATCH"],
      ["/hls/1/a.ts", "SIGNATURE_MISMATCH"],
      ["/vod", "SIGNATURE_MISMATCH"],
      ["/vod/../x", "MALFORMED"],
    ] as const) {
      expect(await outcome(verifier(), get(made.replace("/hls/1/a.m3u8", path))), path).toBe(expected);
    }
  });

  it("networks", async () => {
    const { url: made } = signer.sign({ url, expiresIn: 60, bind: { ip: ["203.0.113.0/24", "2001:db8::/32"] } });
    for (const [remoteAddress, expected] of [
      ["203.0.113.9", "accepted"],
      ["2001:db8::9", "accepted"],
      ["203.0.114.9", "IP_NOT_GRANTED"],
      [undefined, "IP_NOT_GRANTED"],
    ] as const) {
      expect(await outcome(verifier(), get(made, { remoteAddress }))).toBe(expected);
    }
  });

  it("a cookie instead of the query, but not both", async () => {
    const made = new URL(signer.sign({ url, prefix: "/hls/", expiresIn: 60 }).url);
    const cookie = `Edge-Cache-Cookie=${made.search.replace("?edge-cache-token=", "")}`;
    const request = get("https://media.example.com/hls/9/z.ts", { headers: [["cookie", cookie]] });
    expect(await outcome(verifier(), request)).toBe("accepted");
    expect(await outcome(verifier(), { ...request, target: `/hls/1/a.m3u8${made.search}` })).toBe(
      "AMBIGUOUS_AUTHENTICATION",
    );
  });
});

describe("fields that are signed and not sent", () => {
  it("accepts FullPath only without =", async () => {
    const { url: made } = signer.sign({ url, expiresIn: 60 });
    expect(await outcome(verifier(), get(made))).toBe("accepted");
    expect(await outcome(verifier(), get(made.replace("FullPath", "FullPath=")))).toBe("MALFORMED");
    expect(await outcome(verifier(), get(made.replace("FullPath", "FullPath=/a")))).toBe("MALFORMED");
  });

  it("refuses a repeated name in Headers", async () => {
    const headers = [["x-a", "1".repeat(8000)]] as const;
    for (const names of ["X-A,X-A", "X-A,x-a", "X-A,".repeat(1900).slice(0, -1)]) {
      const token = `FullPath~Expires=1767326000~Headers=${names}~hmac=${"0".repeat(64)}`;
      const request = get(`${url}?edge-cache-token=${token}`, { headers });
      expect(await outcome(verifier(), request)).toBe("MALFORMED");
    }
    const twice = (): unknown => signer.sign({ url, expiresIn: 60, bind: { headers: { "X-A": "1", "x-a": "1" } } });
    expect(twice).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  });

  it("refuses a header's value that contains another field", async () => {
    const link = signer.sign({ url, expiresIn: 60, bind: { ip: "203.0.113.0/24", headers: { "X-A": "1" } } });
    const loose = link.url.replace(/~IPRanges=[^~]*/, "");
    const ranges = /~IPRanges=[^~]*/.exec(link.url)?.[0];
    // The same signed text: X-A=1~IPRanges=…
    expect(await outcome(verifier(), get(loose, { headers: [["x-a", `1${ranges}`]] }))).toBe("MALFORMED");
    expect(await outcome(verifier(), get(loose, { headers: [["x-a", "1"]] }))).toBe("SIGNATURE_MISMATCH");
    const both = signer.sign({ url, expiresIn: 60, bind: { headers: { "X-A": "1", "X-B": "2" } } });
    const one = both.url.replace("Headers=X-A,X-B", "Headers=X-A");
    expect(await outcome(verifier(), get(one, { headers: [["x-a", "1,X-B=2"]] }))).toBe("MALFORMED");
    expect(
      await outcome(
        verifier(),
        get(both.url, {
          headers: [
            ["x-a", "1"],
            ["x-b", "2"],
          ],
        }),
      ),
    ).toBe("accepted");
    expect(await outcome(verifier(), get(both.url, { headers: [["x-a", "1"]] }))).toBe("MALFORMED");
  });

  it("refuses a path that contains another field", async () => {
    const { url: made } = signer.sign({ url: "https://media.example.com/a", notBefore: NOW, expiresIn: 60 });
    const starts = /~Starts=[0-9]+/.exec(made)?.[0];
    const moved = made.replace(`${starts}`, "").replace("/a?", `/a${starts}?`);
    expect(await outcome(verifier(), get(moved))).toBe("MALFORMED");
  });
});

it.each([
  ["FullPath~FullPath~Expires=9999999999", "MALFORMED"],
  ["FullPath~PathGlobs=/*~Expires=9999999999", "MALFORMED"],
  ["Expires=9999999999", "MALFORMED"],
  ["FullPath", "MALFORMED"],
  ["FullPath=/a~Expires=9999999999", "MALFORMED"],
  ["FullPath~Expires=9999999999~Expires=9999999999", "MALFORMED"],
  ["FullPath~Expires=9999999999~Unknown=1", "MALFORMED"],
  ["FullPath~Starts=x~Expires=9999999999", "MALFORMED"],
  ["FullPath~Expires=9999999999~constructor=1", "MALFORMED"],
  ["PathGlobs=~Expires=9999999999", "MALFORMED"],
  ["FullPath~Expires=9999999999", "accepted"],
  ["Expires=9999999999~FullPath", "accepted"],
])("%s, signed by the right key: %s", async (fields, expected) => {
  const signed = fields.replace(/FullPath(?!=)/, "FullPath=/hls/1/a.m3u8");
  const mac = createHmac("sha256", Buffer.from(secret, "base64url")).update(signed).digest("hex");
  expect(await outcome(verifier(), get(`${url}?edge-cache-token=${fields}~hmac=${mac}`))).toBe(expected);
});

it("takes the algorithm from the key and not from the token", async () => {
  const { url: made } = signer.sign({ url, expiresIn: 60 });
  for (const other of [mediaCdnSha1Key({ secret }), mediaCdnPublicKey(publicKey)]) {
    expect(await outcome(verifier({ keys: other }), get(made))).toBe("SIGNATURE_MISMATCH");
  }
});

it.each([
  [{ pathGlobs: ["/x/*"] }, "INVALID_INPUT"],
  [{ pathGlobs: ["/hls/*,/x"] }, "INVALID_INPUT"],
  [{ pathGlobs: ["/hls/*"], prefix: "/hls/" }, "INVALID_INPUT"],
  [{ data: "a~b" }, "INVALID_INPUT"],
  [{ data: "a&b" }, "INVALID_INPUT"],
  // URL parsers encode these in a query, which would change the signed token.
  [{ data: "O'Brien" }, "INVALID_INPUT"],
  [{ sessionId: "a<b>" }, "INVALID_INPUT"],
  [{ pathGlobs: ["/hls/*", '/"/*'] }, "INVALID_INPUT"],
  [{ data: "a\\b" }, "INVALID_INPUT"],
  [{ data: "" }, "INVALID_INPUT"],
  [{ sessionId: "ü" }, "INVALID_INPUT"],
  [{ bind: { headers: { "x-a": "a,b" } } }, "INVALID_INPUT"],
  [{ bind: { headers: { "x-a": "" } } }, "INVALID_INPUT"],
  [{ bind: { headers: { "x~a": "a" } } }, "INVALID_INPUT"],
  [{ bind: { ip: "10.0.0.1/8" } }, "INVALID_INPUT"],
  [{ bind: { ip: [] } }, "INVALID_INPUT"],
  [{ bind: { query: { w: "1" } } }, "UNSUPPORTED_CONSTRAINT"],
  [{ bind: { contentType: "a/b" } }, "UNSUPPORTED_CONSTRAINT"],
  [{ url: "https://media.example.com/~user" }, "INVALID_INPUT"],
  [{ url: "https://media.example.com/a//b" }, "INVALID_INPUT"],
  [{ notBefore: new Date(NOW.getTime() + 60_000) }, "INVALID_INPUT"],
])("refuses to sign %j with %s", (wish, code) => {
  expect(() => signer.sign({ url, expiresIn: 60, ...wish } as never)).toThrowError(expect.objectContaining({ code }));
});
