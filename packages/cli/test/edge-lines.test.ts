import { expect, test } from "vitest";
import { at, cdnKey, ED25519, hs256, life, PAIRS, secret, url } from "./edge-pairs.ts";
import { type Signed, sign, verdictOf, verify } from "./line-batches.ts";

const names = Object.keys(PAIRS);
const pairs = Object.values(PAIRS);

const received = ({ url: sent, method, headers }: Signed, more = {}) => ({
  ...{ method, url: sent, headers, remoteAddress: "203.0.113.9" },
  ...more,
});

test("signs and verifies the token of every CDN, and refuses changed requests", async () => {
  const signed = await sign(pairs.map(({ line }) => line));
  expect(signed.map(({ error }) => error)).toEqual(names.map(() => undefined));
  for (const { expiresAt } of signed) expect(expiresAt).toBe("2026-01-02T03:19:05.000Z");
  const lines = signed.map((link, i) => ({ request: received(link), at, schemes: [pairs[i]?.entry] }));
  const verdicts = await verify(lines);
  expect(verdicts.map((verdict, i) => [names[i], verdictOf(verdict)])).toEqual(names.map((name) => [name, "ok"]));
  expect(verdicts.map(({ scheme }) => scheme)).toEqual(pairs.map(({ entry }) => entry["scheme"]));

  const late = lines.map((line) => ({ ...line, at: "2026-01-02T03:19:05Z" }));
  expect((await verify(late)).map(verdictOf)).toEqual(names.map(() => "EXPIRED"));
  const changed = lines.map((line) => ({
    ...line,
    request: { ...line.request, url: line.request.url.replace("/talks/", "/other/") },
  }));
  expect((await verify(changed)).map(verdictOf)).toEqual(names.map(() => "SIGNATURE_MISMATCH"));
  expect((await verify([{ ...lines[9], request: received(signed[1] as Signed) }])).map(verdictOf)).toEqual([
    "NO_SIGNATURE",
  ]);
});

test("warns of weak schemes, and refuses unsupported constraints and a missing lifetime", async () => {
  const [weak, ...refused] = await sign([
    PAIRS["nginx"]?.line,
    { ...PAIRS["nginx"]?.line, ip: "203.0.113.9" },
    { ...PAIRS["fastly"]?.line, bind: { query: { a: "1" } } },
    { ...PAIRS["imgix"]?.line, expiresIn: undefined },
    { ...PAIRS["nginx"]?.line, expresion: "$uri $secret" },
    { ...PAIRS["cloudflare"]?.line, credentials: {} },
    { ...PAIRS["media-cdn"]?.line, credentials: { keyName: "edge" } },
    { ...PAIRS["media-cdn/token"]?.line, credentials: {} },
    { ...PAIRS["uri-signing"]?.line, credentials: { key: { ...hs256, alg: "none" } } },
    { ...PAIRS["uri-signing"]?.line, url: undefined },
    { ...PAIRS["uri-signing, an expression"]?.line, regex: "(a" },
  ]);
  expect(weak?.warnings.join()).toMatch(/bare MD5/);
  expect(refused.map(({ error }) => error?.code)).toEqual([
    ...["UNSUPPORTED_CONSTRAINT", "UNSUPPORTED_CONSTRAINT", "INVALID_INPUT", "INVALID_INPUT", "INVALID_INPUT"],
    ...["INVALID_INPUT", "INVALID_INPUT", "INVALID_KEY", "INVALID_INPUT", "INVALID_INPUT"],
  ]);

  // A constraint that only others can bind is refused as the library refuses it, with what can.
  for (const name of ["nginx", "cloudflare", "imgix", "fastly", "laravel", "symfony", "imgproxy"] as const) {
    const [prefix] = await sign([{ ...PAIRS[name]?.line, prefix: "/talks/" }]);
    expect([name, prefix?.error?.code]).toEqual([name, "UNSUPPORTED_CONSTRAINT"]);
    expect(prefix?.error?.message).toContain("daypass/url");
  }

  const endless = { ...PAIRS["imgix"]?.line, expiresIn: undefined, withoutExpiry: "accept" };
  const [link] = await sign([endless]);
  expect(link?.warnings.join()).toMatch(/never ends/);
  const entry = { scheme: "imgix", credentials: secret };
  const verdicts = await verify([
    { request: received(link as Signed), at, schemes: [entry] },
    { request: received(link as Signed), at, schemes: [{ ...entry, withoutExpiry: "accept" }] },
  ]);
  expect(verdicts.map(verdictOf)).toEqual(["MALFORMED", "ok"]);
});

test("signs and verifies cookies, and tries several keys", async () => {
  const folder = "https://cdn.example.com/talks/";
  const [cloud, media] = await sign([
    { scheme: "cloud-cdn", url: folder, as: "cookies", credentials: cdnKey, ...life },
    { scheme: "media-cdn", url: folder, as: "cookies", credentials: { keyName: "edge", ...ED25519 }, ...life },
  ]);
  const request = (link: Signed | undefined) => {
    const [[name, value] = []] = Object.entries(link?.cookies ?? {});
    return { method: "GET", url, headers: { cookie: `${name}=${value}` } };
  };
  const [nginx] = await sign([PAIRS["nginx"]?.line]);
  const verdicts = await verify([
    { request: request(cloud), at, schemes: [{ scheme: "cloud-cdn", credentials: cdnKey }] },
    { request: request(media), at, schemes: [{ scheme: "media-cdn", credentials: { keyName: "edge", ...ED25519 } }] },
    {
      ...{ request: received(nginx as Signed), at },
      schemes: [{ scheme: "nginx", credentials: [{ secret: "the next" }, secret] }],
    },
    { request: received(nginx as Signed), at, schemes: [{ scheme: "nginx", credentials: { secret: "another" } }] },
  ]);
  expect(verdicts.map(verdictOf)).toEqual(["ok", "ok", "ok", "SIGNATURE_MISMATCH"]);
  expect(verdicts[2]?.grant).toMatchObject({
    keyId: "nginx",
    path: "/talks/2026/keynote.mp4",
    methods: ["GET", "HEAD"],
  });
});

test("reads encrypted claims", async () => {
  const encryptionKey = { kty: "oct", kid: "e1", alg: "A128GCM", k: "4uFxxV7fhNmrtiah2d1fFg" };
  const { uriSigningEncryption } = await import("daypass/uri-signing");
  const ip = await uriSigningEncryption(encryptionKey as never).encrypt("203.0.113.0/24");
  const [link] = await sign([{ ...PAIRS["uri-signing, an expression"]?.line, encrypted: { ip } }]);
  const entry = { scheme: "uri-signing", credentials: { key: hs256 } };
  const ask = (more: object, remoteAddress = "203.0.113.9") => ({
    ...{ request: received(link as Signed, { remoteAddress }), at, schemes: [{ ...entry, ...more }] },
  });
  const verdicts = await verify([ask({}), ask({ encryptionKey }), ask({ encryptionKey }, "198.51.100.7")]);
  expect(verdicts.map(verdictOf)).toEqual(["UNENFORCED_CONSTRAINT", "ok", "IP_NOT_GRANTED"]);
});
