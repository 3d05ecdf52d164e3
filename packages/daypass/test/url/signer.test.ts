import { describe, expect, it } from "vitest";
import {
  publishedKeySet,
  type UrlEd25519PrivateKey,
  type UrlKey,
  type UrlKeyScope,
  type UrlSignRequest,
  urlSigner,
  urlVerifier,
} from "../../src/schemes/url/index.ts";
import { wireRequest } from "../wire-request.ts";
import { AT, codeOf, KEY, ORIGIN, outcome, request, sign, verify } from "./fixture.ts";

// RFC 8032 section 7.1, test 1.
const EDGE: UrlEd25519PrivateKey = {
  kty: "OKP",
  crv: "Ed25519",
  alg: "Ed25519",
  kid: "edge-1",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
};
const parameter = (url: string, name: string): string | undefined => new RegExp(`[?&]${name}=([^&]*)`).exec(url)?.[1];

describe("what the signer is asked for", () => {
  it("writes options as parameters and as headers that the holder must send", async () => {
    const link = sign({
      methods: ["PUT"],
      audience: "upload",
      subject: "cus_42",
      createOnly: true,
      notBefore: new Date(AT.getTime() + 60_500),
      bind: {
        contentType: "text/plain; charset=utf-8",
        contentLength: { max: 1000 },
        sha256: "0".repeat(64),
        headers: { "X-Tenant": "acme" },
        ip: ["2001:DB8:0::/32", "203.0.113.7", "203.0.113.0/24"],
        query: { "a b": ["1", "ü&"] },
      },
    });
    expect(parameter(link.url, "dp-starts")).toBe("20260102T030506Z");
    expect(parameter(link.url, "dp-ip")).toBe("203-0-113-0_24.203-0-113-7_32.2001-db8--_32");
    expect(parameter(link.url, "dp-length")).toBe("0-1000");
    expect(link.url).toContain("/invoices/7.pdf?a%20b=1&a%20b=%C3%BC%26&dp-audience=upload&dp-create=1&");
    expect(link.method).toBe("PUT");
    expect(link.headers).toEqual({ "x-tenant": "acme", "content-type": "text/plain;charset=utf-8" });
    const grant = await verify(request(link), {
      audience: "upload",
      subject: "cus_42",
      clock: () => new Date(AT.getTime() + 61_000),
    });
    expect(grant).toMatchObject({
      scheme: "url",
      keyId: "k1",
      methods: ["PUT"],
      origin: ORIGIN,
      path: "/invoices/7.pdf",
      prefix: undefined,
      audience: "upload",
      subject: "cus_42",
      signedHeaders: ["x-tenant"],
      notBefore: new Date("2026-01-02T03:05:06Z"),
      expiresAt: link.expiresAt,
      target: "/invoices/7.pdf?a%20b=1&a%20b=%C3%BC%26",
      parameters: [
        ["a b", "1"],
        ["a b", "ü&"],
      ],
      obligations: [
        { kind: "create-only" },
        { kind: "body-length", min: 0, max: 1000 },
        { kind: "body-sha256", sha256: "0".repeat(64) },
      ],
    });
  });

  it("says what is bound and what is left open", () => {
    expect(sign().bound).toEqual(["method", "origin", "path", "query", "time"]);
    expect(sign().unbound).toEqual(["headers that are not listed", "body"]);
    const link = sign({ prefix: 1, vary: ["utm_source"], subject: "s" });
    expect(link.bound).toContain("subject s");
    expect(link.unbound).toEqual(expect.arrayContaining(["path below the prefix", "query utm_source"]));
    expect(sign({ url: "http://127.0.0.1:8080/" }).warnings).toHaveLength(1);
    expect(sign().warnings).toEqual([]);
  });

  it("leaves HEAD out beside GET, as GET grants it", () => {
    expect(parameter(sign({ methods: ["HEAD", "GET"] }).url, "dp-methods")).toBe("GET");
    expect(parameter(sign({ methods: ["HEAD"] }).url, "dp-methods")).toBe("HEAD");
  });

  it("drops optional space from header text, and refuses it in quotes", () => {
    const url = sign({
      response: { cacheControl: "private,  max-age=60", contentDisposition: 'inline; filename="a;b.pdf"' },
    }).url;
    expect(parameter(url, "dp-response-cache-control")).toBe("private%2Cmax-age%3D60");
    expect(parameter(url, "dp-response-content-disposition")).toBe("inline%3Bfilename%3D%22a%3Bb.pdf%22");
    expect(codeOf(() => sign({ response: { contentDisposition: 'inline; filename="a; b.pdf"' } }))).toBe(
      "INVALID_INPUT",
    );
  });

  it("makes a nonce from the randomness it was handed, where uses have none", () => {
    const signer = urlSigner({ key: KEY, clock: () => AT, random: (length) => new Uint8Array(length).fill(255) });
    const { url } = signer.sign({ url: `${ORIGIN}/a`, expiresIn: 60, uses: 1 });
    expect(parameter(url, "dp-nonce")).toBe("_____________________w");
    const own = signer.sign({ url: `${ORIGIN}/a`, expiresIn: 60, uses: 1, nonce: "AAAAAAAAAAAAAAAA" });
    expect(parameter(own.url, "dp-nonce")).toBe("AAAAAAAAAAAAAAAA");
    const [one, two] = [sign({ uses: 1 }), sign({ uses: 1 })];
    expect(one.id).not.toBe(two.id);
  });

  it("gives the same bytes within a stable window, and each URL its life", () => {
    const at = (seconds: number): string =>
      urlSigner({ key: KEY, clock: () => new Date(AT.getTime() + seconds * 1000) }).sign({
        url: `${ORIGIN}/a`,
        expiresIn: 600,
        stableWindow: 300,
      }).url;
    expect(at(60)).toBe(at(290));
    expect(parameter(at(60), "dp-expires")).toBe("20260102T032000Z");
  });

  it("makes no nonce within a stable window, where each URL would have another one", () => {
    expect(codeOf(() => sign({ uses: 1, stableWindow: 300 }))).toBe("INVALID_INPUT");
    const own = { uses: 1, stableWindow: 300, nonce: "AAAAAAAAAAAAAAAA" };
    expect(sign(own).url).toBe(sign(own).url);
  });

  it("leaves a path alone that looks like the place of a signature", async () => {
    const path = `/a&dp-signature=${"A".repeat(43)}`;
    const link = sign({ url: `${ORIGIN}${path}?x=dp-signature=${"A".repeat(43)}` });
    expect(link.url.startsWith(`${ORIGIN}${path}?x=dp-signature=${"A".repeat(43)}&dp-date=`)).toBe(true);
    expect(await outcome(request(link))).toMatchObject({ id: link.id, path });
  });

  it("signs many, and one bad request does not stop the others", () => {
    const results = [
      ...urlSigner({ key: KEY, clock: () => AT }).signMany([
        { url: `${ORIGIN}/a`, expiresIn: 60 },
        { url: "nonsense", expiresIn: 60 },
        { url: `${ORIGIN}/b`, expiresIn: 60 },
      ]),
    ];
    expect(results.map((result) => "error" in result)).toEqual([false, true, false]);
  });
});

describe("what the signer refuses", () => {
  const url = (path: string): Partial<UrlSignRequest> => ({ url: ORIGIN + path });

  it.each([
    ["", "INVALID_INPUT"],
    ["/a b", "INVALID_INPUT"],
    ["/ü", "INVALID_INPUT"],
    ["/%c3%bc", "INVALID_INPUT"],
    ["/%61", "INVALID_INPUT"],
    ["/a//b", "INVALID_INPUT"],
    ["/a#b", "INVALID_INPUT"],
    ["/a?", "INVALID_INPUT"],
    ["/a?x=1&&y=2", "INVALID_INPUT"],
    ["/a?x='", "INVALID_INPUT"],
    ["/a?dp-v=1", "INVALID_INPUT"],
    ["/a?dp-audience=a", "INVALID_INPUT"],
    ["/a?x=1&dp-vary=x", "INVALID_INPUT"],
    ["/a&dp-signature=x?", "INVALID_INPUT"],
    ["/a?DP%2dx=1", "INVALID_INPUT"],
    ["/a/../b", "DOT_SEGMENTS"],
    ["/a/.", "DOT_SEGMENTS"],
    ["/a\n", "INVALID_INPUT"],
    [`/${"a".repeat(8192)}`, "INVALID_INPUT"],
  ] as const)("refuses a URL in another spelling: %j", (path, code) => {
    expect(codeOf(() => sign(url(path)))).toBe(code);
  });

  it.each([
    "https://API.example.com/a",
    "https://api.example.com:443/a",
    "https://api.example.com./a",
    "https://user@api.example.com/a",
    "https://ü.example.com/a",
    "https://127.1/a",
    "https://[0:0::1]/a",
    "ftp://api.example.com/a",
    "//api.example.com/a",
    "/a",
    "https:///a",
    "https://api.example.com\\a",
  ])("refuses an origin that URL parsers write differently: %s", (other) => {
    expect(codeOf(() => sign({ url: other }))).toBe("INVALID_INPUT");
  });

  const requests: readonly (readonly [what: string, request: Partial<UrlSignRequest>])[] = [
    ["a method that is no word", { methods: ["G ET"] }],
    ["no methods", { methods: [] }],
    ["OPTIONS", { methods: ["OPTIONS"] }],
    ["a body constraint on a download", { bind: { contentLength: 5 } }],
    ["create-only on a download", { createOnly: true }],
    ["a subject with a space", { subject: "cus 42" }],
    ["an empty subject", { subject: "" }],
    ["an empty audience", { audience: "" }],
    ["half of a surrogate pair", { subject: "\ud800" }],
    ["no uses", { uses: 0 }],
    ["half a use", { uses: 1.5 }],
    ["a short nonce", { nonce: "short" }],
    ["a prefix that is not the path's beginning", { prefix: "/other/" }],
    ["a prefix without its final slash", { prefix: "/invoices" }],
    ["the whole origin as prefix", { prefix: "/" }],
    ["a prefix longer than the path", { prefix: 2 }],
    ["no prefix segments", { prefix: 0 }],
    ["a semicolon below the prefix", { ...url("/a/b;c"), prefix: 1 }],
    ["a varying dp- parameter", { vary: ["dp-ip"] }],
    ["a varying parameter with a wildcard", { vary: ["utm_*"] }],
    ["host bits", { bind: { ip: "203.0.113.1/24" } }],
    ["an IPv4-mapped address", { bind: { ip: "::ffff:203.0.113.1" } }],
    ["no address", { bind: { ip: [] } }],
    ["an IPv4 address in front of an IPv6 one", { bind: { ip: "1.2.3.4::" } }],
    ["a name as network", { bind: { ip: "localhost/0" } }],
    ["a name as address", { bind: { ip: "localhost" } }],
    ["a prefix length beyond the address", { bind: { ip: "203.0.113.0/33" } }],
    ["a prefix length that is left out", { bind: { ip: "0.0.0.0/" } }],
    ["an IPv4 number above 255", { bind: { ip: "203.0.113.256" } }],
    ["an IPv6 group that is none", { bind: { ip: "2001:db8::xyz" } }],
    ["text in front of a network", { bind: { ip: "all/10.0.0.0/8" } }],
    ["text behind a network", { bind: { ip: "10.0.0.0/8 " } }],
    ["lengths the wrong way round", { methods: ["PUT"], bind: { contentLength: { min: 2, max: 1 } } }],
    ["a negative length", { methods: ["PUT"], bind: { contentLength: -1 } }],
    ["a digest of 65 digits", { methods: ["PUT"], bind: { sha256: "a".repeat(65) } }],
    ["a length with leading zeros", { methods: ["PUT"], bind: { contentLength: "007" as never } }],
    ["a length that no number holds", { methods: ["PUT"], bind: { contentLength: { max: 2 ** 53 } } }],
    ["a nonce of 15 characters", { nonce: "a".repeat(15) }],
    ["a nonce of 65 characters", { nonce: "a".repeat(65) }],
    ["a nonce with a dot in front", { nonce: `.${"a".repeat(16)}` }],
    ["a digest in upper case", { methods: ["PUT"], bind: { sha256: "A".repeat(64) } }],
    ["a cookie as bound header", { bind: { headers: { Cookie: "a=b" } } }],
    ["a header name with a space", { bind: { headers: { "x a": "b" } } }],
    ["a header value with a line feed", { bind: { headers: { "x-a": "b\nc" } } }],
    ["a header value with space at its end", { bind: { headers: { "x-a": "b " } } }],
    ["a header twice", { bind: { headers: { "x-a": "b", "X-A": "b" } } }],
    [
      "two content types",
      { methods: ["PUT"], bind: { contentType: "image/png", headers: { "Content-Type": "text/html" } } },
    ],
    ["a dp- parameter in bind.query", { bind: { query: { "dp-v": "1" } } }],
    ["a line feed in a response header", { response: { contentType: "text/html\r\nset-cookie:a=b" } }],
    ["an invalid notBefore", { notBefore: new Date(Number.NaN) }],
    ["a beginning after the end", { notBefore: new Date(AT.getTime() + 901_000) }],
    ["an option that does not exist", { method: "PUT" } as Partial<UrlSignRequest>],
    ["a binding beside bind", { contentLength: 5 } as Partial<UrlSignRequest>],
    ["an option inside bind", { bind: { subject: "cus_42" } } as Partial<UrlSignRequest>],
    ["a binding that does not exist", { bind: { contentMd5: "x" } } as Partial<UrlSignRequest>],
  ];
  it.each(requests)("%s", (_, asked) => {
    expect(codeOf(() => sign(asked))).toBe("INVALID_INPUT");
  });

  it("refuses a response header that a Daypass URL cannot set", () => {
    expect(codeOf(() => sign({ response: { contentEncoding: "gzip" } }))).toBe("UNSUPPORTED_CONSTRAINT");
    expect(codeOf(() => sign({ response: { expires: "0" } }))).toBe("UNSUPPORTED_CONSTRAINT");
  });

  it("rejects a lifetime of zero and one over 100 years", () => {
    for (const expiresIn of [0, -1, 1.5, 4e9, Number.NaN])
      expect(codeOf(() => sign({ expiresIn }))).toBe("INVALID_EXPIRY");
  });

  const scopes: readonly (readonly [member: string, scope: UrlKeyScope])[] = [
    ["origins", { origins: ["https://other.example.com"] }],
    ["prefix", { prefix: "/public/" }],
    ["methods", { methods: ["PUT"] }],
    ["maxLife", { maxLife: 899 }],
    ["until", { until: "20260102T031904Z" }],
  ];
  it.each(scopes)("refuses requests outside the key's %s", (_, scope) => {
    const asked = { url: `${ORIGIN}/invoices/7.pdf`, expiresIn: 900 };
    expect(codeOf(() => urlSigner({ key: { ...KEY, scope }, clock: () => AT }).sign(asked))).toBe("KEY_SCOPE");
  });
});

describe("keys", () => {
  it("signs with an Ed25519 key by promise, and verifies with its published set", async () => {
    const link = await urlSigner({ key: EDGE, clock: () => AT }).sign({ url: `${ORIGIN}/a`, expiresIn: 60 });
    const set = JSON.parse(JSON.stringify(publishedKeySet([EDGE, KEY]))) as { keys: UrlKey[] };
    expect(publishedKeySet({ keys: [EDGE, KEY] })).toEqual(publishedKeySet([EDGE, KEY]));
    expect(set.keys).toEqual([{ kty: "OKP", crv: "Ed25519", alg: "Ed25519", kid: "edge-1", use: "sig", x: EDGE.x }]);
    const grant = await urlVerifier({ keys: set, origins: [ORIGIN], clock: () => AT }).verify(wireRequest(link));
    expect(grant.id).toBe(link.id);
  });

  it("refuses a key pair of two different keys at the first signature", async () => {
    const signer = urlSigner({ key: { ...EDGE, x: "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw" }, clock: () => AT });
    for (let i = 0; i < 2; i++) {
      await expect(signer.sign({ url: `${ORIGIN}/a`, expiresIn: 60 })).rejects.toMatchObject({ code: "INVALID_KEY" });
    }
  });

  it("refuses a public key off the curve when it is used, without an unhandled rejection", async () => {
    // y = 2 has no x.
    const x = Buffer.from([2, ...new Array<number>(31).fill(0)]).toString("base64url");
    const link = await urlSigner({ key: EDGE, clock: () => AT }).sign({ url: `${ORIGIN}/a`, expiresIn: 60 });
    expect(await outcome(wireRequest(link), { keys: [{ ...EDGE, x }] })).toMatch(/^(SIGNATURE_MISMATCH|INVALID_KEY)$/);
  });

  it("refuses to sign without a private half", () => {
    const { d: _, ...half } = EDGE;
    expect(codeOf(() => urlSigner({ key: half as UrlEd25519PrivateKey }))).toBe("INVALID_KEY");
  });

  it("overlap while they are rotated", async () => {
    const next = { ...KEY, kid: "k2", k: Buffer.alloc(32, 9).toString("base64url") };
    const links = [KEY, next].map((key) =>
      urlSigner({ key, clock: () => AT }).sign({ url: `${ORIGIN}/a`, expiresIn: 60 }),
    );
    for (const link of links)
      expect(await outcome(request(link), { keys: [KEY, next] })).toMatchObject({ id: link.id });
    expect(await outcome(request(links[0] as (typeof links)[0]), { keys: [next] })).toBe("UNKNOWN_KEY");
  });

  it("finds keys by a function, and only under their own kid", async () => {
    const link = request(sign());
    const resolve = (found: unknown): Promise<unknown> =>
      urlVerifier({ keys: async () => found as UrlKey, origins: [ORIGIN], clock: () => AT }).verify(link);
    await expect(resolve(KEY)).resolves.toMatchObject({ keyId: "k1" });
    await expect(resolve([KEY])).resolves.toMatchObject({ keyId: "k1" });
    await expect(resolve(undefined)).rejects.toMatchObject({ code: "UNKNOWN_KEY" });
    await expect(resolve([])).rejects.toMatchObject({ code: "UNKNOWN_KEY" });
    await expect(resolve([KEY, { ...KEY }])).rejects.toMatchObject({ code: "INVALID_KEY" });
    await expect(resolve({ ...KEY, kid: "k2" })).rejects.toMatchObject({ code: "INVALID_KEY" });
    await expect(resolve({ ...KEY, k: "short" })).rejects.toMatchObject({ code: "INVALID_KEY" });
  });

  it("refuses the old secret after a store writes a new one into the same object", async () => {
    const row: { kty: "oct"; alg: "HS256"; kid: string; k: string } = { ...KEY };
    const verifier = urlVerifier({ keys: () => row, origins: [ORIGIN], clock: () => AT });
    const old = request(sign());
    await expect(verifier.verify(old)).resolves.toMatchObject({ keyId: "k1" });
    row.k = Buffer.alloc(32, 9).toString("base64url");
    await expect(verifier.verify(old)).rejects.toMatchObject({ code: "SIGNATURE_MISMATCH" });
    const next = urlSigner({ key: { ...row }, clock: () => AT }).sign({ url: `${ORIGIN}/a`, expiresIn: 60 });
    await expect(verifier.verify(request(next))).resolves.toMatchObject({ id: next.id });
    row.k = "short";
    await expect(verifier.verify(request(next))).rejects.toMatchObject({ code: "INVALID_KEY" });
  });
});

describe("a verifier", () => {
  it("refuses origins that no signer writes, and a skew over 15 minutes", () => {
    for (const origin of [
      "https://api.example.com//",
      "https://*.example.com",
      "https://API.example.com",
      "api.example.com",
    ]) {
      expect(codeOf(() => urlVerifier({ keys: [KEY], origins: [origin] }))).toBe("INVALID_INPUT");
    }
    for (const maxSkew of [-1, 901, 1.5, Number.NaN]) {
      expect(codeOf(() => urlVerifier({ keys: [KEY], origins: [ORIGIN], maxSkew }))).toBe("INVALID_INPUT");
    }
    expect(codeOf(() => urlVerifier({ keys: [KEY], origins: [] }))).toBe("INVALID_INPUT");
  });

  it("refuses each obligation that its caller has not declared", async () => {
    const asked: readonly (readonly [kind: string, request: Partial<UrlSignRequest>])[] = [
      ["body-length", { methods: ["PUT"], bind: { contentLength: 5 } }],
      ["body-sha256", { methods: ["PUT"], bind: { sha256: "0".repeat(64) } }],
      ["create-only", { methods: ["PUT"], createOnly: true }],
      ["uses", { uses: 1 }],
      ["response", { response: { cacheControl: "no-store" } }],
      ["strip", { vary: ["utm_source"] }],
    ];
    for (const [kind, one] of asked) {
      const refusal = verify(request(sign(one)), { enforces: [] });
      await expect(refusal).rejects.toMatchObject({ code: "UNENFORCED_CONSTRAINT", details: { constraint: kind } });
    }
  });
});
