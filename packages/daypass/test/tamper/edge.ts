import type { Grant, SignedRequest, Verifier, WireRequest } from "../../src/core/contracts.ts";
import type { Weakness } from "../../src/core/weakness.ts";
import type { EdgeGrant } from "../../src/edge/verify.ts";
import { akamaiSigner, akamaiVerifier } from "../../src/schemes/akamai/index.ts";
import { bunnySigner, bunnyVerifier } from "../../src/schemes/bunny/index.ts";
import { cloudCdnCookieSigner, cloudCdnSigner, cloudCdnVerifier } from "../../src/schemes/cloud-cdn/index.ts";
import { cloudflareSigner, cloudflareVerifier } from "../../src/schemes/cloudflare/index.ts";
import { fastlySigner, fastlyVerifier } from "../../src/schemes/fastly/index.ts";
import { imgixSigner, imgixVerifier } from "../../src/schemes/imgix/index.ts";
import { imgproxySigner, imgproxyVerifier } from "../../src/schemes/imgproxy/index.ts";
import { laravelSigner, laravelVerifier } from "../../src/schemes/laravel/index.ts";
import { mediaCdnSigner, mediaCdnVerifier } from "../../src/schemes/media-cdn/index.ts";
import { mediaCdnTokenSigner, mediaCdnTokenVerifier } from "../../src/schemes/media-cdn/token/index.ts";
import { nginxSigner, nginxVerifier } from "../../src/schemes/nginx/index.ts";
import { symfonySigner, symfonyVerifier } from "../../src/schemes/symfony/index.ts";
import { uriSigningRegex, uriSigningSigner, uriSigningVerifier } from "../../src/schemes/uri-signing/index.ts";
import { ED25519_KEY, NOW, wireRequest } from "./bases.ts";
import { decodeBytes, type Judge } from "./judge.ts";
import type { TamperSuite } from "./seeded.ts";

const clock = (): Date => NOW;
const ORIGIN = "https://files.example.com";
const origins = [ORIGIN, "https://mirror.example.com"];
const PATHS = ["/a.txt", "/talks/2026/keynote.mp4", "/a%20b/%C3%A9.txt", "/x-y_z~1/q.ts"];
const QUERIES = ["", "?w=400&h=300", "?name=a%20b&flag=1&x=2"];
const KEY = "SecurityKey";
const HEX = "52a152a152a152a152a152a152a152a1";

/** One edge scheme for the suite. */
export interface EdgeSubject {
  readonly name: TamperSuite;
  bases(): Promise<readonly WireRequest[]>;
  readonly verifier: Verifier;
  readonly judge: Judge;
  readonly facts: (grant: Grant) => unknown;
}

/** What a judge has to be told of a scheme: its specification in five words. */
interface Coverage {
  /** `"bound"`, or the same resource at each origin. */
  readonly host: "bound" | "open";
  /** `"raw"`: every byte. `"decoded"`: by its characters. */
  readonly path: "raw" | "decoded";
  /** `"ordered"`: every byte of the tokens, in their order. `"sorted"`: decoded, in any. */
  readonly query: "ordered" | "sorted";
  /** Parameters that may stand anywhere. */
  readonly anywhere?: readonly string[];
}

/** Methods that read are granted together; what else a request says (other headers) no edge token covers. */
const method = (request: WireRequest): string => (/^(?:GET|HEAD)$/.test(request.method) ? "read" : request.method);

function host({ authority }: WireRequest, open: boolean): string {
  const plain = authority.toLowerCase().replace(/:443$/, "");
  return open && origins.includes(`https://${plain}`) ? "any" : plain;
}

function judge({ host: hosts, path, query, anywhere = [] }: Coverage): Judge {
  return (request) => {
    const mark = request.target.indexOf("?");
    const rawPath = mark < 0 ? request.target : request.target.slice(0, mark);
    const tokens =
      mark < 0
        ? []
        : request.target
            .slice(mark + 1)
            .split("&")
            .filter((token) => token !== "");
    const isAnywhere = (token: string): boolean => anywhere.includes(token.split("=", 1)[0] as string);
    const rest = tokens.filter((token) => !isAnywhere(token));
    return JSON.stringify([
      method(request),
      host(request, hosts === "open"),
      path === "raw" ? rawPath : decodeBytes(rawPath),
      query === "ordered" ? rest : rest.map((token) => decodeBytes(token.replaceAll("+", " "))).sort(),
      tokens.filter(isAnywhere).sort(),
      request.headers.filter(([name]) => name.toLowerCase() === "cookie"),
    ]);
  };
}

/** The facts of a grant that a change of what is open does not change. */
function facts(host: Coverage["host"]): (grant: Grant) => unknown {
  return (grant) => {
    const { limitBody: _, origin, path, target, ...rest } = grant as EdgeGrant<Weakness>;
    return host === "open"
      ? rest
      : { ...rest, origin, path: decodeBytes(path), target: decodeBytes(target).split(/[?&]/).sort() };
  };
}

interface Signing {
  sign(request: { url: string; expiresIn: number; prefix?: string }): SignedRequest | Promise<SignedRequest>;
}

/** A URL for each path and query, and where the scheme has prefixes, one of those. */
async function bases(signer: Signing, { queries = QUERIES, prefixes = false } = {}): Promise<readonly WireRequest[]> {
  const exact = PATHS.flatMap((path) => queries.map((query) => ({ url: `${ORIGIN}${path}${query}`, expiresIn: 900 })));
  const below = prefixes ? [{ url: `${ORIGIN}/talks/2026/keynote.mp4`, prefix: "/talks/2026/", expiresIn: 900 }] : [];
  return Promise.all([...exact, ...below].map(async (request) => wireRequest(await signer.sign(request))));
}

function subject(
  name: TamperSuite,
  signer: Signing,
  verifier: Verifier,
  coverage: Coverage,
  { queries = QUERIES } = {},
): EdgeSubject {
  return {
    name,
    bases: () => bases(signer, { queries }),
    verifier,
    judge: judge(coverage),
    facts: facts(coverage.host),
  };
}

const NO_QUERY = { queries: [""] };
const googleKey = { keyName: "my-key", key: "nZtRohdNF9m3cKM24IcK4w==" };
const hs256 = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODw" } as const;

/**
 * Where a token is for everything below a prefix, the rest of the path is the holder's; here it may be anything that the
 * judge reads as below it.
 */
function belowPrefix(prefix: string, inner: Judge, tokenOf: (request: WireRequest) => string): Judge {
  return (request) => {
    const path = request.target.replace(/\?.*$/s, "");
    const isPlain =
      /^(?:\/[A-Za-z0-9\-._~!$&'()*+,;=:@%]+)+\/?$/.test(path) &&
      !/\/\.{1,2}(?:[/;]|$)|%(?![0-9a-f]{2})|%(?:2[ef5]|5c|[01]|7f)/i.test(path);
    const rest = request.target.slice(path.length);
    const isOpen = rest.split(/[?&]/).every((token) => token === "" || OWN.test(token));
    if (!isPlain || !isOpen || !path.startsWith(prefix)) return inner(request);
    return JSON.stringify([method(request), host(request, false), prefix, tokenOf(request)]);
  };
}

const OWN = /^(?:edge-cache-token|URLPrefix|Expires|KeyName|Signature|__token__)=/;

const sortedQuery = ({ target }: WireRequest): string => {
  const mark = target.indexOf("?");
  return mark < 0
    ? ""
    : target
        .slice(mark + 1)
        .split("&")
        .filter((token) => token !== "")
        .sort()
        .join("&");
};

function prefixed(
  name: TamperSuite & `${string}, prefix`,
  signer: Signing,
  verifier: Verifier,
  { open = false }: { readonly open?: boolean } = {},
): EdgeSubject {
  const exact = judge({ host: "bound", path: "raw", query: "sorted" });
  const hosted: Judge = belowPrefix("/talks/2026/", exact, sortedQuery);
  return {
    name,
    bases: async () => [
      wireRequest(
        await signer.sign({ url: `${ORIGIN}/talks/2026/keynote.mp4`, prefix: "/talks/2026/", expiresIn: 900 }),
      ),
    ],
    verifier,
    judge: open ? (request) => hosted({ ...request, authority: host(request, true) }) : hosted,
    facts: facts("open"),
  };
}

const cloudCdn = cloudCdnVerifier({ keys: googleKey, origins, clock });
const mediaKeys = { keyName: "edge", publicKey: ED25519_KEY.x };
const mediaCdn = mediaCdnVerifier({ keys: mediaKeys, origins, clock });
const mediaSigner = mediaCdnSigner({ keyName: "edge", privateKey: ED25519_KEY.d, clock });
const mediaTokenSigner = mediaCdnTokenSigner({ key: { secret: "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8" }, clock });
const mediaToken = mediaCdnTokenVerifier({
  keys: { secret: "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8" },
  origins,
  clock,
});
const akamai = akamaiVerifier({ secrets: HEX, origins, clock });
const exactly: Coverage = { host: "bound", path: "raw", query: "ordered" };

const tokenPaths = PATHS.filter((path) => !path.includes("~")).map((path) => ({ url: ORIGIN + path, expiresIn: 900 }));

export const edgeSubjects: readonly EdgeSubject[] = [
  subject(
    "nginx",
    nginxSigner({ secret: KEY, clock }),
    nginxVerifier({ secrets: KEY, origins, clock }),
    { host: "open", path: "decoded", query: "sorted" },
    NO_QUERY,
  ),
  subject("bunny", bunnySigner({ secret: KEY, clock }), bunnyVerifier({ secrets: KEY, origins, clock }), {
    host: "open",
    path: "decoded",
    query: "sorted",
  }),
  subject(
    "cloudflare",
    cloudflareSigner({ secret: KEY, ttl: 900, clock }),
    cloudflareVerifier({ secrets: KEY, ttl: 900, origins, clock }),
    { host: "open", path: "raw", query: "ordered" },
  ),
  subject(
    "fastly",
    fastlySigner({ secret: "b2xk", clock }),
    fastlyVerifier({ secrets: "b2xk", origins, clock }),
    { host: "open", path: "raw", query: "sorted" },
    NO_QUERY,
  ),
  subject("imgix", imgixSigner({ secret: KEY, clock }), imgixVerifier({ secrets: KEY, origins, clock }), {
    host: "open",
    path: "raw",
    query: "ordered",
    anywhere: ["s"],
  }),
  subject(
    "imgproxy",
    imgproxySigner({ key: HEX, salt: HEX, clock }),
    imgproxyVerifier({ keys: { key: HEX, salt: HEX }, origins, clock }),
    { host: "open", path: "raw", query: "ordered" },
    NO_QUERY,
  ),
  subject("laravel", laravelSigner({ secret: KEY, clock }), laravelVerifier({ secrets: KEY, origins, clock }), {
    ...exactly,
    anywhere: ["signature"],
  }),
  subject("symfony", symfonySigner({ secret: KEY, clock }), symfonyVerifier({ secrets: KEY, origins, clock }), {
    ...exactly,
    anywhere: ["_hash"],
  }),
  subject("cloud-cdn", cloudCdnSigner({ ...googleKey, clock }), cloudCdn, exactly),
  prefixed("cloud-cdn, prefix", cloudCdnSigner({ ...googleKey, clock }), cloudCdn),
  {
    name: "cloud-cdn, cookie",
    bases: async () => {
      const { cookies } = cloudCdnCookieSigner({ ...googleKey, clock }).sign({
        url: `${ORIGIN}/talks/2026/`,
        expiresIn: 900,
      });
      const headers = Object.entries(cookies).map(([name, value]) => ["cookie", `${name}=${value}`] as const);
      return [{ method: "GET", target: "/talks/2026/keynote.mp4", authority: "files.example.com", headers }];
    },
    verifier: cloudCdn,
    judge: belowPrefix("/talks/2026/", judge(exactly), (request) =>
      JSON.stringify([
        sortedQuery(request),
        request.headers.filter(([name]) => name.toLowerCase() === "cookie").map(([, value]) => value.trim()),
      ]),
    ),
    facts: facts("open"),
  },
  subject("media-cdn", mediaSigner, mediaCdn, exactly),
  prefixed("media-cdn, prefix", mediaSigner, mediaCdn),
  {
    ...subject("media-cdn/token", mediaTokenSigner, mediaToken, { host: "open", path: "decoded", query: "ordered" }),
    bases: async () => tokenPaths.map((request) => wireRequest(mediaTokenSigner.sign(request))),
  },
  prefixed("media-cdn/token, prefix", mediaTokenSigner, mediaToken),
  subject(
    "akamai",
    akamaiSigner({ secret: HEX, clock }),
    akamai,
    { host: "open", path: "decoded", query: "ordered" },
    NO_QUERY,
  ),
  prefixed("akamai, prefix", akamaiSigner({ secret: HEX, clock }), akamai, { open: true }),
  {
    ...subject(
      "uri-signing",
      uriSigningSigner({ key: hs256, clock }),
      uriSigningVerifier({ keySets: [{ keys: [hs256] }], regex: uriSigningRegex, origins, clock }),
      exactly,
    ),
    judge: (request) => JSON.stringify([method(request), host(request, false), ...withoutToken(request)]),
  },
];

/** RFC 9246 section 2.1.15 by hand: the normalised target without its token, and the token. */
function withoutToken({ target, headers }: WireRequest): readonly unknown[] {
  const cookies = headers.filter(
    ([name, value]) => name.toLowerCase() === "cookie" && value.includes("URISigningPackage"),
  );
  const [all = "", before = "", token = "", after = ""] =
    /^(.*?)[:/?#[\]@!$&'()*+,;=]URISigningPackage=([A-Za-z0-9\-._~]*)(.*)$/s.exec(target) ?? [];
  if (all === "") return [target, cookies];
  const separator = target[before.length] as string;
  const rest = /^[!$&'()*+,;=]/.test(after) ? before + separator + after.slice(1) : before + after;
  const mark = rest.indexOf("?");
  const [path, query] = mark < 0 ? [rest, ""] : [rest.slice(0, mark), rest.slice(mark)];
  const escapes = (text: string): string =>
    text.replace(/%([0-9A-Fa-f]{2})/g, (triplet, digits: string) => {
      const character = String.fromCharCode(Number.parseInt(digits, 16));
      return /[A-Za-z0-9\-._~]/.test(character) ? character : triplet.toUpperCase();
    });
  const segments: string[] = [];
  const parts = escapes(path).split("/").slice(1);
  for (const [i, part] of parts.entries()) {
    if (part === "..") segments.pop();
    if (part !== ".." && part !== ".") segments.push(part);
    else if (i === parts.length - 1) segments.push("");
  }
  return [`/${segments.join("/")}`, escapes(query), token, after.includes("URISigningPackage=")];
}
