import { describe, expect, it } from "vitest";
import { seeded } from "../../../tools/seeded-random.ts";
import { isDaypassError, type Verifier } from "../src/index.ts";
import { akamaiSigner, akamaiVerifier } from "../src/schemes/akamai/index.ts";
import { bunnySigner, bunnyVerifier } from "../src/schemes/bunny/index.ts";
import { cloudCdnSigner, cloudCdnVerifier } from "../src/schemes/cloud-cdn/index.ts";
import { cloudflareSigner, cloudflareVerifier } from "../src/schemes/cloudflare/index.ts";
import { fastlySigner, fastlyVerifier } from "../src/schemes/fastly/index.ts";
import { imgixSigner, imgixVerifier } from "../src/schemes/imgix/index.ts";
import { imgproxySigner, imgproxyVerifier } from "../src/schemes/imgproxy/index.ts";
import { laravelSigner, laravelVerifier } from "../src/schemes/laravel/index.ts";
import { mediaCdnTokenSigner, mediaCdnTokenVerifier } from "../src/schemes/media-cdn/token/index.ts";
import { nginxSigner, nginxVerifier } from "../src/schemes/nginx/index.ts";
import { symfonySigner, symfonyVerifier } from "../src/schemes/symfony/index.ts";
import { uriSigningSigner, uriSigningVerifier } from "../src/schemes/uri-signing/index.ts";
import { clock, get, outcome } from "./edge-fixture.ts";

// Whatever its options hold, a signer refuses, or it makes a URL that browsers send as it stands and that has the signature of what it says.

const origin = "https://media.example.com";
const origins = [origin];
const secret = "SecurityKey";
const HEX = "52a152a152a152a152a152a152a1";
const google = { keyName: "k", key: "nZtRohdNF9m3cKM24IcK4w==" };
const token = { secret: "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8" };
const jwk = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODw" } as const;

interface Wish {
  readonly url: string;
  readonly expiresIn: number;
  readonly [option: string]: unknown;
}

interface Subject {
  readonly signer: { sign(wish: never): { readonly url: string } };
  readonly verifier: Verifier;
  /** Options that hold a text: a name, and what makes its value. */
  readonly options?: Readonly<Record<string, (text: string) => unknown>>;
}

const pattern = (text: string) => ["/x/*", `/a*${text}`, "*/*", `/${text}`];
const SUBJECTS: Readonly<Record<string, Subject>> = {
  nginx: {
    signer: nginxSigner({ secret, clock, expression: "$secure_link_expires$uri $arg_w $secret" }),
    verifier: nginxVerifier({ secrets: secret, origins, clock, expression: "$secure_link_expires$uri $arg_w $secret" }),
    options: { bind: (text) => ({ query: { w: text } }) },
  },
  bunny: {
    signer: bunnySigner({ secret, clock }),
    verifier: bunnyVerifier({ secrets: secret, origins, clock }),
    options: { bind: (text) => ({ query: { w: text } }), prefix: (text) => `/${text}/` },
  },
  akamai: {
    signer: akamaiSigner({ secret: HEX, clock }),
    verifier: akamaiVerifier({ secrets: HEX, origins, clock }),
    options: { data: (text) => text, sessionId: (text) => text, acl: pattern, prefix: (text) => `/${text}/` },
  },
  "akamai, escaped": {
    signer: akamaiSigner({ secret: HEX, escapeEarly: true, clock }),
    verifier: akamaiVerifier({ secrets: HEX, escapeEarly: true, origins, clock }),
    options: { data: (text) => text, sessionId: (text) => text, acl: pattern },
  },
  cloudflare: {
    signer: cloudflareSigner({ secret, ttl: 900, clock }),
    verifier: cloudflareVerifier({ secrets: secret, ttl: 900, origins, clock }),
    options: { bind: (text) => ({ query: { [text]: text } }) },
  },
  "cloud-cdn": {
    signer: cloudCdnSigner({ ...google, clock }),
    verifier: cloudCdnVerifier({ keys: google, origins, clock }),
    options: { bind: (text) => ({ query: { [text]: text } }), prefix: (text) => `/${text}/` },
  },
  "media-cdn/token": {
    signer: mediaCdnTokenSigner({ key: token, clock }),
    verifier: mediaCdnTokenVerifier({ keys: token, origins, clock }),
    options: { data: (text) => text, sessionId: (text) => text, pathGlobs: pattern, prefix: (text) => `/${text}/` },
  },
  imgproxy: {
    signer: imgproxySigner({ key: HEX, salt: HEX, clock }),
    verifier: imgproxyVerifier({ keys: { key: HEX, salt: HEX }, origins, clock }),
  },
  imgix: {
    signer: imgixSigner({ secret, clock }),
    verifier: imgixVerifier({ secrets: secret, origins, clock }),
    options: { bind: (text) => ({ query: { [text]: text } }) },
  },
  fastly: {
    signer: fastlySigner({ secret: "b2xk", clock }),
    verifier: fastlyVerifier({ secrets: "b2xk", origins, clock }),
  },
  laravel: {
    signer: laravelSigner({ secret, clock }),
    verifier: laravelVerifier({ secrets: secret, origins, clock }),
    options: { bind: (text) => ({ query: { [text]: text } }) },
  },
  symfony: {
    signer: symfonySigner({ secret, clock }),
    verifier: symfonyVerifier({ secrets: secret, origins, clock }),
    options: { bind: (text) => ({ query: { [text]: text } }) },
  },
  "uri-signing": {
    signer: uriSigningSigner({ key: jwk, clock }),
    verifier: uriSigningVerifier({ keySets: [{ keys: [jwk] }], origins, clock }),
    options: { bind: (text) => ({ query: { [text]: text } }) },
  },
};

const CHARACTERS = "abz09/?&=#%+;:@!$'\"<>\\^`{}|~[](),._-* \t\u0000\u00e9\u6f22\ud83d\ude80";

describe.each(Object.entries(SUBJECTS))("%s", (_, { signer, verifier, options = {} }) => {
  it("signs what browsers leave as it is, or refuses", async () => {
    const random = seeded(20_261_128);
    const text = () => Array.from({ length: 1 + random.below(5) }, () => random.pick([...CHARACTERS])).join("");
    let accepted = 0;
    for (let left = 300; left > 0; left--) {
      const name = random.pick(Object.keys(options));
      const value = random.chance(0.3) ? random.pick(["a", "a b", "1=2"]) : text();
      const path = random.chance(0.5) ? "/a/b.ts" : `/${value}/${random.chance(0.5) ? "b" : text()}`;
      const wish: Wish = {
        url: origin + path,
        expiresIn: 60,
        ...(random.chance(0.8) && name !== undefined ? { [name]: options[name]?.(value) } : {}),
      };
      let url: string;
      try {
        url = signer.sign(wish as never).url;
      } catch (error) {
        expect(isDaypassError(error), `${String(error)}: ${JSON.stringify(wish)}`).toBe(true);
        continue;
      }
      expect(new URL(url).href, JSON.stringify(wish)).toBe(url);
      // Some paths are read in one spelling only, and what is not signed is refused by name.
      const verdict = await outcome(verifier, get(url));
      expect(["accepted", "MALFORMED", "UNSIGNED_PARAMETER"], url).toContain(verdict);
      if (verdict === "accepted") accepted += 1;
    }
    expect(accepted).toBeGreaterThan(60);
  });
});

it.each(Object.entries(SUBJECTS))(
  "%s: a | is refused in a path alone, where Chromium encodes it",
  async (name, { signer, verifier }) => {
    const sign = (target: string) => signer.sign({ url: origin + target, expiresIn: 60 } as never).url;
    expect(() => sign("/a|b")).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
    // imgproxy's URLs have no query.
    if (name === "imgproxy") return;
    const link = sign("/a?roles=x|y");
    expect(new URL(link).href).toBe(link);
    expect(["accepted", "UNSIGNED_PARAMETER"]).toContain(await outcome(verifier, get(link)));
  },
);
