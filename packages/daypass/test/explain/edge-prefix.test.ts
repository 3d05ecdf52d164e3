import { akamaiSigner } from "daypass/akamai";
import { bunnySigner } from "daypass/bunny";
import { cloudCdnSigner } from "daypass/cloud-cdn";
import { type EdgeExplainKey, explain } from "daypass/explain";
import { mediaCdnSigner } from "daypass/media-cdn";
import { mediaCdnTokenSigner } from "daypass/media-cdn/token";
import { uriSigningSigner } from "daypass/uri-signing";
import { describe, expect, it } from "vitest";

const clock = () => new Date("2026-01-02T03:04:05Z");
const url = "https://cdn.example.com/talks/2026/keynote.mp4";
const wide = { url, prefix: "/talks/", expiresIn: 3600 };
const HEX = "52a152a152a152a152a152a152a152a1";
const CDN_KEY = { keyName: "my-key", key: "nZtRohdNF9m3cKM24IcK4w==" };
const OTHER_CDN_KEY = { keyName: "my-key", key: "AAAAAAAAAAAAAAAAAAAAAA==" };
const PRIVATE_KEY = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const PUBLIC_KEY = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const OTHER_PUBLIC_KEY = "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw";
const SECRET = { secret: "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8" };
const OTHER_SECRET = { secret: "AAAAAAAAAAAAAAAAAAAAAA" };
const JWK = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODw" } as const;
const OTHER_JWK = { ...JWK, k: "AAAAAAAAAAAAAAAAAAAAAA" } as const;

type Keys = readonly [key: EdgeExplainKey, other: EdgeExplainKey];
const bunny: Keys = [
  { scheme: "bunny", secret: "a" },
  { scheme: "bunny", secret: "b" },
];
const cloudCdn: Keys = [
  { scheme: "cloud-cdn", ...CDN_KEY },
  { scheme: "cloud-cdn", ...OTHER_CDN_KEY },
];
const mediaCdn: Keys = [
  { scheme: "media-cdn", keyName: "edge", publicKey: PUBLIC_KEY },
  { scheme: "media-cdn", keyName: "edge", publicKey: OTHER_PUBLIC_KEY },
];
const token: Keys = [
  { scheme: "media-cdn/token", key: SECRET },
  { scheme: "media-cdn/token", key: OTHER_SECRET },
];
const uriSigning: Keys = [
  { scheme: "uri-signing", key: JWK },
  { scheme: "uri-signing", key: OTHER_JWK },
];
const media = mediaCdnSigner({ keyName: "edge", privateKey: PRIVATE_KEY, clock });
const tokens = mediaCdnTokenSigner({ key: SECRET, clock });
const uris = uriSigningSigner({ key: JWK, clock });

/** Tokens for several URLs, and tokens that name their URL. */
const WIDE: readonly (readonly [what: string, url: string, keys: Keys])[] = [
  ["bunny", bunnySigner({ secret: "a", clock }).sign({ ...wide, place: "query" }).url, bunny],
  ["bunny, in the path", bunnySigner({ secret: "a", clock }).sign({ ...wide, place: "path" }).url, bunny],
  [
    "akamai",
    akamaiSigner({ secret: HEX, clock }).sign(wide).url,
    [
      { scheme: "akamai", secret: HEX },
      { scheme: "akamai", secret: "00ff" },
    ],
  ],
  ["cloud-cdn", cloudCdnSigner({ ...CDN_KEY, clock }).sign(wide).url, cloudCdn],
  ["media-cdn", (await media.sign(wide)).url, mediaCdn],
  ["media-cdn/token, a prefix", tokens.sign(wide).url, token],
  ["media-cdn/token, patterns", tokens.sign({ url, pathGlobs: ["/talks/*"], expiresIn: 3600 }).url, token],
  ["uri-signing, an expression", (await uris.sign(wide)).url, uriSigning],
  ["uri-signing, one URI", (await uris.sign({ url, expiresIn: 3600 })).url, uriSigning],
];

const ask = (text: string, keys: readonly EdgeExplainKey[] = []) => explain(text, { clock, keys });

describe.each(WIDE)("explain for a wide token of %s", (_what, made, [key, other]) => {
  // Not in the token: only in what is asked for with it.
  const elsewhere = made.replace(/\/talks\/(?=2026)/, "/other/");

  it("returns PATH for a URL outside the token, with and without the key", async () => {
    expect(elsewhere).not.toBe(made);
    for (const keys of [[key], []]) {
      const { cause } = await ask(elsewhere, keys);
      expect([cause?.code, cause?.sentence]).toEqual([
        "PATH",
        expect.stringMatching(/^The token is for other URLs: for /),
      ]);
    }
  });

  it("returns WRONG_SECRET for another key", async () => {
    expect((await ask(made, [other])).cause?.code).toBe("WRONG_SECRET");
  });

  it("returns no cause for a good URL", async () => {
    expect((await ask(made, [key])).cause).toBeUndefined();
    expect((await ask(made)).cause).toBeUndefined();
  });
});

it("explain returns MALFORMED for a % without digits, and no other spelling of the path", async () => {
  const made = (await uris.sign(wide)).url;
  const [key] = uriSigning;
  expect((await ask(made.replace("/talks/2026", "/talks/50%25"), [key])).cause).toBeUndefined();
  for (const keys of [[key], []]) {
    const { cause } = await ask(made.replace("/talks/2026", "/talks/50%"), keys);
    expect([cause?.code, cause?.fix]).toEqual(["MALFORMED", expect.stringContaining("%25")]);
  }
});
