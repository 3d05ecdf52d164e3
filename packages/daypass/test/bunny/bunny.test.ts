import { explain } from "daypass/explain";
import { describe, expect, it } from "vitest";
import { sha256Hmac } from "../../src/crypto/digests-portable.ts";
import type { Verifier } from "../../src/index.ts";
import { type BunnyVerifierOptions, bunnySigner, bunnyVerifier } from "../../src/schemes/bunny/index.ts";
import { base64url } from "../../src/wire/encoding.ts";
import { clock, get, NOW, outcome } from "../edge-fixture.ts";
import { bunnyVectors } from "./vectors.ts";

const secret = "SecurityKey";
const origins = ["https://token-tester.b-cdn.net"];
const url = "https://token-tester.b-cdn.net/abc/300%20kb.jpg?w=1&h=a%20b";

const signer = bunnySigner({ secret, clock });
const verifier = (options: Partial<BunnyVerifierOptions> = {}): Verifier =>
  bunnyVerifier({ secrets: secret, origins, clock, ...options });

describe("Bunny's own vectors", () => {
  const THEN = new Date(1598020000_000);

  it.each(bunnyVectors)("$name is accepted", async ({ signedUrl, userIp, path }) => {
    const accepting = bunnyVerifier({
      secrets: secret,
      origins,
      clock: () => THEN,
      countryOf: () => "CA",
      enforcesSpeedLimit: true,
    });
    const grant = await accepting.verify(get(signedUrl, { remoteAddress: userIp }));
    expect(grant.path).toBe(path);
    expect(grant.target).toBe(path);
    if (userIp !== undefined) {
      expect(await outcome(accepting, get(signedUrl, { remoteAddress: "1.2.3.5" }))).toBe("SIGNATURE_MISMATCH");
    }
  });

  // Not with `ignoreParams`, which leaves the query open, nor with a prefix that ends inside a segment.
  it.each(bunnyVectors.filter(({ ignoreParams, pathAllowed }) => !ignoreParams && !pathAllowed))(
    "$name is signed",
    ({ path, userIp, place, countriesAllowed, countriesBlocked, speedLimit, signedUrl }) => {
      const signed = bunnySigner({ secret, clock: () => THEN }).sign({
        url: `https://token-tester.b-cdn.net${path}`,
        expiresAt: new Date(1598024587_000),
        place,
        bind: { ip: userIp },
        countries: countriesAllowed?.split(","),
        countriesBlocked: countriesBlocked?.split(","),
        speedLimit,
      });
      expect(signed.url).toBe(signedUrl);
    },
  );
});

describe("what a token is for", () => {
  it("a prefix opens what is below it, and ends at a segment", async () => {
    const link = signer.sign({
      url: "https://token-tester.b-cdn.net/abc/a.jpg",
      prefix: "/abc/",
      place: "path",
      expiresIn: 60,
    });
    // After a token in the path, the query is not signed.
    expect(link.bound).toContain("query");
    expect(link.unbound).toContain("further query parameters");
    expect((await explain(link.url)).leavesOpen).toContain("further query parameters");
    expect(await outcome(verifier(), get(`${link.url}?a=1`))).toBe("UNSIGNED_PARAMETER");
    for (const [path, expected] of [
      ["/abc/b/c.jpg", "accepted"],
      ["/abc/", "accepted"],
      ["/abcd/a.jpg", "SIGNATURE_MISMATCH"],
      ["/a", "SIGNATURE_MISMATCH"],
      ["/abc/../secret", "MALFORMED"],
      ["/abc/%2e%2e/secret", "MALFORMED"],
      ["/abc/..%2fsecret", "MALFORMED"],
      ["/abc/%252e%252e/x", "MALFORMED"],
    ] as const) {
      expect(await outcome(verifier(), get(link.url.replace("/abc/a.jpg", path))), path).toBe(expected);
    }
    // Their own signer also makes prefixes without a slash at the end: here they, too, end at a segment.
    const old = get(bunnyVectors[3]?.signedUrl as string);
    const then = verifier({ clock: () => new Date(1598020000_000) });
    expect(await outcome(then, old)).toBe("accepted");
    expect(await outcome(then, { ...old, target: old.target.replace("/abc/", "/abcd/") })).toBe("SIGNATURE_MISMATCH");
  });

  it("an address: IPv4 as it is, of IPv6 the network of 64 bits", async () => {
    const v6 = signer.sign({ url, expiresIn: 60, bind: { ip: "2001:db8::1" } });
    expect(await outcome(verifier(), get(v6.url, { remoteAddress: "2001:db8::ffff:1" }))).toBe("accepted");
    expect(await outcome(verifier(), get(v6.url, { remoteAddress: "2001:db8:0:1::1" }))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(verifier(), get(v6.url))).toBe("IP_NOT_GRANTED");
    const open = signer.sign({ url, expiresIn: 60 });
    expect(await outcome(verifier({ requireIp: true }), get(open.url))).toBe("IP_NOT_GRANTED");
  });

  it("countries and speed are enforced or refused", async () => {
    const link = get(signer.sign({ url, expiresIn: 60, countries: ["CA", "US"] }).url);
    expect(await outcome(verifier(), link)).toBe("UNENFORCED_CONSTRAINT");
    expect(await outcome(verifier({ countryOf: () => "CA" }), link)).toBe("accepted");
    expect(await outcome(verifier({ countryOf: () => "DE" }), link)).toBe("IP_NOT_GRANTED");
    expect(await outcome(verifier({ countryOf: () => undefined }), link)).toBe("UNENFORCED_CONSTRAINT");
    const blocked = get(signer.sign({ url, expiresIn: 60, countriesBlocked: ["DE"] }).url);
    expect(await outcome(verifier({ countryOf: () => "DE" }), blocked)).toBe("IP_NOT_GRANTED");
    for (const unknown of [null, "", Promise.resolve("DE")])
      expect(await outcome(verifier({ countryOf: () => unknown as never }), blocked)).toBe("UNENFORCED_CONSTRAINT");
    // In either case on both sides.
    const lower = get(signer.sign({ url, expiresIn: 60, countriesBlocked: ["de"], countries: ["ca", "de"] }).url);
    expect(await outcome(verifier({ countryOf: () => "DE" }), lower)).toBe("IP_NOT_GRANTED");
    expect(await outcome(verifier({ countryOf: () => "de" }), blocked)).toBe("IP_NOT_GRANTED");
    expect(await outcome(verifier({ countryOf: () => "CA" }), lower)).toBe("accepted");
    const slow = get(signer.sign({ url, expiresIn: 60, speedLimit: 100 }).url);
    expect(await outcome(verifier(), slow)).toBe("UNENFORCED_CONSTRAINT");
    expect(await outcome(verifier({ enforcesSpeedLimit: true }), slow)).toBe("accepted");
    const most = get(signer.sign({ url, expiresIn: 60, speedLimit: 999_999_999 }).url);
    expect(await outcome(verifier({ enforcesSpeedLimit: true }), most)).toBe("accepted");
    for (const speedLimit of [1_000_000_000, 0, 1.5, Number.NaN]) {
      const ask = () => signer.sign({ url, expiresIn: 60, speedLimit });
      expect(ask).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
    }
  });

  it("the whole query, but not its order", async () => {
    const { url: made } = signer.sign({ url, expiresIn: 60 });
    expect(await outcome(verifier(), get(made.replace("&w=1", "&w=2")))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(verifier(), get(`${made}&x=1`))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(verifier(), get(`${made}&w=1`))).toBe("MALFORMED");
    expect(await outcome(verifier(), get(made.replace(/(&h=[^&]*)(&w=1)/, "$2$1")))).toBe("accepted");
  });

  it("a query that is left out of the signature has to be allowed by name", async () => {
    const target = `${bunnyVectors[4]?.signedUrl}&w=1`;
    const then = { clock: () => new Date(1598020000_000) };
    expect(await outcome(verifier(then), get(target))).toBe("UNSIGNED_PARAMETER");
    expect(await outcome(verifier({ ...then, allowUnsigned: ["w"] }), get(target))).toBe("accepted");
    expect(await outcome(verifier(then), get(`${bunnyVectors[4]?.signedUrl}&token_countries=CA`))).toBe(
      "UNSIGNED_PARAMETER",
    );
  });
});

describe("unseparated fields", () => {
  it("a digit of the path does not become one of the end", async () => {
    const { url: made } = signer.sign({ url: "https://token-tester.b-cdn.net/v1", expiresIn: 60 });
    // Bunny's own text is the same for /v and an end in the year 2337.
    const moved = made.replace("/v1?", "/v?").replace("expires=", "expires=1");
    expect(await outcome(verifier(), get(moved))).toBe("MALFORMED");
  });

  it("a path that a stranger has named does not become another one with an end of his own", async () => {
    const host = "https://token-tester.b-cdn.net";
    const mac = (text: string) => base64url(sha256Hmac(secret)(text));
    const end = Math.floor(NOW.getTime() / 1000) + 60;
    for (const [signed, target, expected] of [
      [`/a${end}w=1`, `/a?w=1&expires=${end}`, "accepted"],
      // A path with digits in front of a query, and a value of a query with a path in it.
      [`/a9999999999${end}w=1`, `/a?${end}w=1&expires=9999999999`, "MALFORMED"],
      [`/a.jpg${end}q=/b9999999999y=2`, `/a.jpg${end}q=/b?y=2&expires=9999999999`, "MALFORMED"],
      // A parameter may have an end's digits. Only the signer can refuse such a path.
      [`/a9999999999x=1${end}`, `/a?x=1${end}&expires=9999999999`, "accepted"],
    ] as const) {
      const request = get(`${host}${target.replace("?", `?token=HS256-${mac(signed)}&`)}`);
      expect(await outcome(verifier(), request), target).toBe(expected);
    }
    for (const wish of [
      { url: `${host}/a9999999999x=1` },
      { url: `${host}/a/9999999999x=1/b`, prefix: "/a/9999999999x=1/" },
      { url: `${host}/a?${end}w=1` },
    ]) {
      const ask = () => signer.sign({ expiresIn: 60, ...wish });
      expect(ask, wish.url).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
    }
    // What files and parameters are called.
    for (const path of [
      "/IMG_20260102030405.jpg?width=100&v=1767323045",
      "/1767323045/a=1",
      "/a=1767323045",
      "/x=1/1767323045.mp4",
      "/v/19?x=1&9=1&_=1767323045",
    ]) {
      const { url: made } = signer.sign({ url: host + path, expiresIn: 60 });
      expect(await outcome(verifier(), get(made)), path).toBe("accepted");
    }
    // The last digit of a path, and the first of a name, become one of the end: then the path is a shorter or a longer one.
    const { url: shorter } = signer.sign({ url: `${host}/v/19?x=1`, expiresIn: 60 });
    const { url: anywhere } = signer.sign({ url: `${host}/v/19`, countries: ["DE"], expiresIn: 60 });
    const [first, last] = [String(end).slice(0, 9), String(end).slice(9)];
    for (const [made, name] of [
      [shorter, "x"],
      [anywhere, "token_countries"],
    ] as const) {
      const moved = made.replace("/19?", "/1?").replace(`&${name}=`, `&${last}${name}=`);
      const later = moved.replace(/expires=\d+/, `expires=9${first}`);
      expect(await outcome(verifier(), get(later)), later).toBe("MALFORMED");
    }
    for (const name of ["99", "2x"]) {
      const ask = () => signer.sign({ url: `${host}/a?${name}=1`, expiresIn: 60 });
      expect(ask, name).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
    }
    const long = { ...get(`${host}/${"9".repeat(30_000)}?token=HS256-${mac("")}&expires=${end}`) };
    expect(await outcome(verifier(), long)).toBe("SIGNATURE_MISMATCH");
  });

  it("a value does not become two parameters", async () => {
    expect(() => signer.sign({ url: "https://token-tester.b-cdn.net/a?x=1%26y=2", expiresIn: 60 })).toThrowError(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
    const { url: made } = signer.sign({ url: "https://token-tester.b-cdn.net/a?x=1&y=2", expiresIn: 60 });
    expect(await outcome(verifier(), get(made.replace("x=1&y=2", "x=1%26y=2")))).toBe("MALFORMED");
  });

  it("an address of four letters is text, too: the lock comes off unless the verifier asks for one", async () => {
    const locked = signer.sign({
      url: "https://token-tester.b-cdn.net/a?z=1",
      expiresIn: 60,
      bind: { ip: "97.61.49.38" },
    });
    const loose = locked.url.replace("HS256-1-", "HS256-").replace("&z=1", "&a=1&z=1");
    expect(await outcome(verifier(), get(loose))).toBe("accepted");
    expect(await outcome(verifier({ requireIp: true }), get(loose))).toBe("IP_NOT_GRANTED");
    expect(locked.warnings.join()).toMatch(/without separators/);
  });

  it("the path is signed decoded, so it is read in one spelling only", async () => {
    const { url: made } = signer.sign({ url: "https://token-tester.b-cdn.net/a/b", expiresIn: 60 });
    for (const path of ["/a%2Fb", "/%61/b", "//a/b", "/a/./b"]) {
      expect(await outcome(verifier(), get(made.replace("/a/b", path))), path).not.toBe("accepted");
    }
  });
});

it.each([
  [{ prefix: "/abc" }, "INVALID_INPUT"],
  [{ prefix: "/xyz/" }, "INVALID_INPUT"],
  [{ bind: { ip: "10.0.0.0/8" } }, "INVALID_INPUT"],
  [{ bind: { ip: ["10.0.0.1", "10.0.0.2"] } }, "INVALID_INPUT"],
  [{ notBefore: NOW }, "UNSUPPORTED_CONSTRAINT"],
  [{ bind: { contentType: "a/b" } }, "UNSUPPORTED_CONSTRAINT"],
  [{ url: "https://token-tester.b-cdn.net/a?token=1" }, "INVALID_INPUT"],
  [{ url: "https://token-tester.b-cdn.net/a?x=1&x=2" }, "INVALID_INPUT"],
  [{ url: "https://token-tester.b-cdn.net/a?f[x]=1" }, "INVALID_INPUT"],
  [{ url: "https://token-tester.b-cdn.net/a//b" }, "INVALID_INPUT"],
])("refuses to sign %j with %s", (wish, code) => {
  expect(() => signer.sign({ url, expiresIn: 60, ...wish } as never)).toThrowError(expect.objectContaining({ code }));
});
