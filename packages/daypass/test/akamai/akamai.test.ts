import { describe, expect, it } from "vitest";
import type { Verifier } from "../../src/index.ts";
import { type AkamaiVerifierOptions, akamaiSigner, akamaiVerifier } from "../../src/schemes/akamai/index.ts";
import { get, outcome } from "../edge-fixture.ts";

const secret = "52a152a152a152a152a152a152a152a1";
const origins = ["https://media.example.com"];
const url = "https://media.example.com/akamai/a.mp4";

const THEN = new Date(1767322000_000);
const clock = (): Date => new Date(1767323000_000);
const times = { notBefore: THEN, expiresAt: new Date(1767326000_000) };

// Made by Akamai's own signer, akamai-edgeauth 0.2.0 of npm, with startTime 1767322000 and endTime 1767326000.
const made = [
  [
    "a path, escaped and with salt",
    { escapeEarly: true, salt: "salt~value" },
    { url, bind: { ip: "203.0.113.9" }, data: "a=b~c", sessionId: "s 1" },
    "ip=203.0.113.9~st=1767322000~exp=1767326000~id=s%201~data=a%3db%7ec~hmac=7509d563540a97c15444bfd6f9761b507fcfb12bf24b4060cf199e87de351856",
  ],
  [
    "an ACL",
    {},
    { url, bind: { ip: "203.0.113.9" }, data: "data", sessionId: "sid", acl: ["/akamai/*", "/q/??.ts"] },
    "ip=203.0.113.9~st=1767322000~exp=1767326000~acl=/akamai/*!/q/??.ts~id=sid~data=data~hmac=1da2f261caedd64438b93a53ef6e842717b578c8dd80ec1e797c92f844294d49",
  ],
  [
    "a prefix, with SHA-1",
    { hash: "sha1" },
    { url, prefix: "/akamai/" },
    "st=1767322000~exp=1767326000~acl=/akamai/*~hmac=a6b0016bc6424e50365977c2e8eececd5c0d5c53",
  ],
  [
    "a prefix, with MD5",
    { hash: "md5" },
    { url, prefix: "/akamai/" },
    "st=1767322000~exp=1767326000~acl=/akamai/*~hmac=28a8ac2aa0e57adb056002b345bc9628",
  ],
] as const;

describe("Akamai's own signer", () => {
  it.each(made)("%s: the same token, and it is accepted", async (_name, options, wish, token) => {
    const link = akamaiSigner({ secret, ...options, clock: () => THEN }).sign({ ...wish, ...times });
    expect(link.url).toBe(`${url}?__token__=${token}`);
    const verifier = akamaiVerifier({ secrets: secret, origins, ...options, clock });
    expect(await outcome(verifier, get(link.url, { remoteAddress: "203.0.113.9" }))).toBe("accepted");
  });
});

const signer = akamaiSigner({ secret, clock });
const verifier = (options: Partial<AkamaiVerifierOptions> = {}): Verifier =>
  akamaiVerifier({ secrets: secret, origins, clock, ...options });

describe("what a token is for", () => {
  it("signs one path without sending it", async () => {
    const { url: signed } = signer.sign({ url, expiresIn: 60 });
    expect(await outcome(verifier(), get(signed))).toBe("accepted");
    expect(await outcome(verifier(), get(signed.replace("a.mp4", "b.mp4")))).toBe("SIGNATURE_MISMATCH");
    expect((await verifier().verify(get(signed))).target).toBe("/akamai/a.mp4");
  });

  it("a prefix, and patterns", async () => {
    const { url: signed } = signer.sign({ url, prefix: "/akamai/", expiresIn: 60 });
    for (const [path, expected] of [
      ["/akamai/x/y.ts", "accepted"],
      ["/akamai/", "accepted"],
      ["/akamaix", "SIGNATURE_MISMATCH"],
      ["/akamai/../x", "MALFORMED"],
      ["/akamai/%2e%2e/x", "MALFORMED"],
      ["/akamai/..%2fx", "MALFORMED"],
      ["/akamai/%252e%252e/x", "MALFORMED"],
    ] as const) {
      expect(await outcome(verifier(), get(signed.replace("/akamai/a.mp4", path))), path).toBe(expected);
    }
    const acl = signer.sign({ url, acl: ["/akamai/?.mp4", "/live/*"], expiresIn: 60 }).url;
    expect(await outcome(verifier(), get(acl.replace("/akamai/a.mp4", "/live/1/2")))).toBe("accepted");
    expect(await outcome(verifier(), get(acl.replace("a.mp4", "ab.mp4")))).toBe("SIGNATURE_MISMATCH");
  });

  it("matches patterns only after the signature", async () => {
    const path = `/${"a".repeat(7000)}`;
    const acl = "*b!".repeat(2500).slice(0, -1);
    const request = get(`https://media.example.com${path}?hdnts=exp=1767326000~acl=${acl}~hmac=${"0".repeat(64)}`);
    expect(await outcome(verifier({ parameter: "hdnts" }), request)).toBe("SIGNATURE_MISMATCH");
  });

  it("an address", async () => {
    for (const [ip, escapeEarly] of [
      ["203.0.113.9", false],
      ["2001:db8::9", false],
      ["2001:db8::9", true],
    ] as const) {
      const link = akamaiSigner({ secret, escapeEarly, clock }).sign({ url, expiresIn: 60, bind: { ip } });
      expect(await outcome(verifier({ escapeEarly }), get(link.url, { remoteAddress: ip }))).toBe("accepted");
      expect(await outcome(verifier({ escapeEarly }), get(link.url, { remoteAddress: "203.0.113.8" }))).toBe(
        "IP_NOT_GRANTED",
      );
      expect(await outcome(verifier({ escapeEarly }), get(link.url))).toBe("IP_NOT_GRANTED");
    }
  });

  it("a cookie instead of the query, but not both", async () => {
    const token = new URL(signer.sign({ url, prefix: "/akamai/", expiresIn: 60 }).url).search.slice(1);
    const request = get("https://media.example.com/akamai/z", { headers: [["cookie", token]] });
    expect(await outcome(verifier(), request)).toBe("accepted");
    expect(await outcome(verifier(), { ...request, target: `/akamai/z?${token}` })).toBe("AMBIGUOUS_AUTHENTICATION");
  });

  it("no query, and salt has to fit", async () => {
    const { url: signed } = signer.sign({ url, expiresIn: 60 });
    expect(await outcome(verifier(), get(`${signed}&x=1`))).toBe("UNSIGNED_PARAMETER");
    expect(await outcome(verifier({ salt: "s" }), get(signed))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(verifier({ hash: "sha1" }), get(signed))).toBe("MALFORMED");
  });
});

it("escaped values may have what URL parsers would encode, but no half of a character", async () => {
  const escaping = akamaiSigner({ secret, escapeEarly: true, clock });
  const link = escaping.sign({ url, expiresIn: 60, data: "O'Brien <\"\\>", sessionId: "ü" });
  expect(new URL(link.url).href).toBe(link.url);
  expect(await verifier({ escapeEarly: true }).verify(get(link.url))).toMatchObject({
    data: "O'Brien <\"\\>",
    sessionId: "ü",
  });
  const half = () => escaping.sign({ url, expiresIn: 60, data: "\ud83d" });
  expect(half).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
});

it("a salt is no part of a grant's id", () => {
  const salted = akamaiSigner({ secret, salt: "hidden", clock }).sign({ url, expiresIn: 60 });
  expect(salted.id).toBe(signer.sign({ url, expiresIn: 60 }).id);
});

it.each([{}, { salt: "s" }, { escapeEarly: true }])(
  "a path may have what separates fields, which it stands behind: %j",
  async (how) => {
    const { url: signed } = akamaiSigner({ secret, clock, ...how }).sign({ url: `${url}~b&c`, expiresIn: 60 });
    const reader = akamaiVerifier({ secrets: secret, origins, clock, ...how });
    expect(await outcome(reader, get(signed))).toBe("accepted");
    expect(await outcome(reader, get(signed.replace("~b&c?", "~b?")))).toBe("SIGNATURE_MISMATCH");
    for (const wish of [{ prefix: "/akamai/~x/" }, { acl: ["/akamai/~*"] }]) {
      const ask = () => signer.sign({ url: "https://media.example.com/akamai/~x/a", expiresIn: 60, ...wish });
      expect(ask).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
    }
  },
);

it.each([
  [{ data: "a~exp=9999999999" }, "INVALID_INPUT"],
  [{ data: "a&b" }, "INVALID_INPUT"],
  // URL parsers encode these in a query, which would change the signed token.
  [{ data: "O'Brien" }, "INVALID_INPUT"],
  [{ sessionId: "a<b>" }, "INVALID_INPUT"],
  [{ data: 'a"b' }, "INVALID_INPUT"],
  [{ data: "a\\b" }, "INVALID_INPUT"],
  [{ acl: ["/akamai/*", "/it's/*"] }, "INVALID_INPUT"],
  [{ sessionId: "" }, "INVALID_INPUT"],
  [{ acl: ["/akamai/*!/x"] }, "INVALID_INPUT"],
  [{ acl: ["/x/*"] }, "INVALID_INPUT"],
  [{ acl: ["/akamai/*"], prefix: "/akamai/" }, "INVALID_INPUT"],
  [{ prefix: "/akamai" }, "INVALID_INPUT"],
  [{ prefix: "/*/" }, "INVALID_INPUT"],
  [{ bind: { ip: "10.0.0.0/8" } }, "INVALID_INPUT"],
  [{ bind: { query: { w: "1" } } }, "UNSUPPORTED_CONSTRAINT"],
  [{ bind: { headers: { a: "b" } } }, "UNSUPPORTED_CONSTRAINT"],
  [{ url: "https://media.example.com/a//b" }, "INVALID_INPUT"],
  [{ url: `${url}?__token__=1` }, "INVALID_INPUT"],
])("refuses to sign %j with %s", (wish, code) => {
  expect(() => signer.sign({ url, expiresIn: 60, ...wish } as never)).toThrowError(expect.objectContaining({ code }));
});

it.each(["", "abc", "xyz0", "AAECAwQFBgcICQoLDA0ODw=="])("refuses the key %j, which is no hexadecimal", (bad) => {
  expect(() => akamaiSigner({ secret: bad })).toThrowError(expect.objectContaining({ code: "INVALID_KEY" }));
});
