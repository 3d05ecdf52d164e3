import { isDaypassError, type SignedRequest, type Verifier, type WireRequest } from "../../src/index.ts";
import { akamaiSigner, akamaiVerifier } from "../../src/schemes/akamai/index.ts";
import { bunnySigner, bunnyVerifier } from "../../src/schemes/bunny/index.ts";
import { cloudCdnSigner, cloudCdnVerifier } from "../../src/schemes/cloud-cdn/index.ts";
import { cloudflareSigner, cloudflareVerifier } from "../../src/schemes/cloudflare/index.ts";
import { fastlySigner, fastlyVerifier } from "../../src/schemes/fastly/index.ts";
import { imgixSigner, imgixVerifier } from "../../src/schemes/imgix/index.ts";
import { imgproxySigner, imgproxyVerifier } from "../../src/schemes/imgproxy/index.ts";
import { laravelSigner, laravelVerifier } from "../../src/schemes/laravel/index.ts";
import { mediaCdnSigner, mediaCdnVerifier } from "../../src/schemes/media-cdn/index.ts";
import {
  mediaCdnSha1Key,
  mediaCdnTokenSigner,
  mediaCdnTokenVerifier,
} from "../../src/schemes/media-cdn/token/index.ts";
import { nginxSigner, nginxVerifier } from "../../src/schemes/nginx/index.ts";
import { symfonySigner, symfonyVerifier } from "../../src/schemes/symfony/index.ts";
import {
  uriSigningEdDsa,
  uriSigningEncryption,
  uriSigningRegex,
  uriSigningSigner,
  uriSigningVerifier,
} from "../../src/schemes/uri-signing/index.ts";
import { rfcKey, rfcNow, rfcTokens } from "../uri-signing/rfc9246.ts";
import type { Case } from "./cases.ts";

// The tokens of edges in any runtime.

const clock = (): Date => new Date(1_598_020_000_000);
const expiresAt = new Date(1_598_024_587_000);
const origins = ["https://cdn.example.com"];
const url = "https://cdn.example.com/a%20b/%C3%BC.mp4";
const secret = "SecurityKey";
const hexKey = "52a152a152a152a152a152a152a152a1";
const cdnKey = { keyName: "my-key", key: "nZtRohdNF9m3cKM24IcK4w==" };
const d = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const mediaSecret = { secret: "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8" };
const hs256 = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODw" } as const;

function requestOf({ url: sent, method, headers }: SignedRequest): WireRequest {
  const [, authority = "", target = ""] = /^https?:\/\/([^/]+)(.*)$/.exec(sent) ?? [];
  return { method, target, authority, headers: Object.entries(headers), remoteAddress: "1.2.3.4" };
}

async function answer(verifier: Verifier, request: WireRequest): Promise<string> {
  return verifier.verify(request).then(
    () => "accepted",
    (error: unknown) => (isDaypassError(error) ? error.code : String(error)),
  );
}

interface Signing {
  sign(request: { url: string; expiresAt: Date }): SignedRequest | Promise<SignedRequest>;
}

/** Signs, and tells what stands behind the path, or the path, and what the verifier says to it and to another path. */
function edgeCase(name: string, signer: Signing, verifier: Verifier, expected: string, asked = url): Case {
  return {
    name: `signs and verifies a token of ${name}`,
    async run() {
      const link = await signer.sign({ url: asked, expiresAt });
      const request = requestOf(link);
      const other = { ...request, target: request.target.replace("/%C3%BC", "/%C3%BD") };
      return [link.url.replace(asked, ""), await answer(verifier, request), await answer(verifier, other)];
    },
    expected: [expected, "accepted", "SIGNATURE_MISMATCH"],
  };
}

const common = { origins, clock };

export const edgeCases: readonly Case[] = [
  edgeCase(
    "nginx",
    nginxSigner({ secret, clock }),
    nginxVerifier({ secrets: secret, ...common }),
    "?md5=eNRHLSDPJBK7TYcoPf2gSg&expires=1598024587",
  ),
  edgeCase(
    "Bunny",
    bunnySigner({ secret, clock }),
    bunnyVerifier({ secrets: secret, ...common }),
    "?token=HS256-0GH4-GHhK4msy-oJstFPhd__p8vS9wwxJm-4_VSrf6Q&expires=1598024587",
  ),
  edgeCase(
    "Akamai",
    akamaiSigner({ secret: hexKey, hash: "md5", clock }),
    akamaiVerifier({ secrets: hexKey, hash: "md5", ...common }),
    "?__token__=exp=1598024587~hmac=d5b33eb3d105fde85aaae5c316666222",
  ),
  edgeCase(
    "Cloudflare",
    cloudflareSigner({ secret, ttl: 9000, clock }),
    cloudflareVerifier({ secrets: secret, ttl: 9000, ...common }),
    "?verify=1598015587-CfwIu9W2x1pxTiAeuTet9wa5f1nVByuKUkRXuRAr%2BDA%3D",
  ),
  edgeCase(
    "Cloud CDN",
    cloudCdnSigner({ ...cdnKey, clock }),
    cloudCdnVerifier({ keys: cdnKey, ...common }),
    "?Expires=1598024587&KeyName=my-key&Signature=woj2XOAwyONFDVB5s_xbX1wckRg=",
  ),
  edgeCase(
    "Media CDN",
    mediaCdnSigner({ keyName: "edge", privateKey: d, clock }),
    mediaCdnVerifier({ keys: { keyName: "edge", publicKey: x }, ...common }),
    "?Expires=1598024587&KeyName=edge&Signature=mhYBa-nM9H_5yjeCzknABvZDJI3Hu2EssOyQCnEUt1WlnHUyr_RtC36Y4ozU0esCDqQ1-NI_LPbdSjAtKWJTCg",
  ),
  edgeCase(
    "Media CDN by a shared secret",
    mediaCdnTokenSigner({ key: mediaSecret, clock }),
    mediaCdnTokenVerifier({ keys: mediaSecret, ...common }),
    "?edge-cache-token=FullPath~Expires=1598024587~hmac=5afbb1b37ab90dd95db5423bc3a9e4470011728fcc3a48a693eb7a0e00fa348c",
  ),
  edgeCase(
    "Media CDN with SHA-1",
    mediaCdnTokenSigner({ key: mediaCdnSha1Key(mediaSecret), clock }),
    mediaCdnTokenVerifier({ keys: mediaCdnSha1Key(mediaSecret), ...common }),
    "?edge-cache-token=FullPath~Expires=1598024587~hmac=623a78526e88cbb87566000b0b9cabef49f5909e",
  ),
  edgeCase(
    "imgix",
    imgixSigner({ secret, clock }),
    imgixVerifier({ secrets: secret, ...common }),
    "?expires=1598024587&s=c4a8400b7611996744834aced9b0fb72",
  ),
  edgeCase(
    "Fastly",
    fastlySigner({ secret: "b2xk", clock }),
    fastlyVerifier({ secrets: "b2xk", ...common }),
    "?token=1598024587_38595e6442c3385f5fdeefb98e929b7d16d4e133",
  ),
  edgeCase(
    "Laravel",
    laravelSigner({ secret, clock }),
    laravelVerifier({ secrets: secret, ...common }),
    "?expires=1598024587&signature=495d6c09e173d2bdedf0fde2035f6c3112f88c1125b80878dbe80c5cce8e250b",
  ),
  edgeCase(
    "Symfony",
    symfonySigner({ secret, clock }),
    symfonyVerifier({ secrets: secret, ...common }),
    "?_expiration=1598024587&_hash=NjyU7R0kYyjU2B4Z0k38yiEyUDbZsHUyXVqb9ktE1uM",
  ),
  edgeCase(
    "imgproxy",
    imgproxySigner({ key: hexKey, salt: hexKey, clock }),
    imgproxyVerifier({ keys: { key: hexKey, salt: hexKey }, ...common }),
    "https://cdn.example.com/g6pk5mWerv8Jb5B4m_bohexuONumOpYzlHbPBgzE9DE/exp:1598024587/plain/s3://b/%C3%BC.png",
    "https://cdn.example.com/plain/s3://b/%C3%BC.png",
  ),
  edgeCase(
    "RFC 9246",
    uriSigningSigner({ key: hs256, clock }),
    uriSigningVerifier({ keySets: [{ keys: [hs256] }], ...common }),
    "?URISigningPackage=eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.eyJleHAiOjE1OTgwMjQ1ODcsImNkbml1YyI6Imhhc2g6c2hhLTI1Njs3SnduUGtOWXpOVy1rLWk3eVB1RUhSU0lJZUpfR1pZd2ZLU1YzSnJQRFkwIn0.-I_jjJUppOsscrgvxaZFIw1uKcU070RuNUEjQBp8VgA",
  ),
  {
    name: "signs and verifies by RFC 9246 with Ed25519, an expression and an encrypted address",
    async run() {
      const key = uriSigningEdDsa({ kty: "OKP", crv: "Ed25519", alg: "EdDSA", kid: "ed", x, d });
      const encryption = uriSigningEncryption({ kty: "oct", kid: "e", alg: "A128GCM", k: "4uFxxV7fhNmrtiah2d1fFg" });
      const link = await uriSigningSigner({ key, clock }).sign({
        url,
        prefix: "/a%20b/",
        expiresAt,
        encrypted: { ip: await encryption.encrypt("1.2.3.0/24") },
      });
      const verifier = uriSigningVerifier({
        keySets: [{ keys: [key] }],
        regex: uriSigningRegex,
        encryption,
        ...common,
      });
      const request = requestOf(link);
      return [await answer(verifier, request), await answer(verifier, { ...request, remoteAddress: "1.2.4.4" })];
    },
    expected: ["accepted", "IP_NOT_GRANTED"],
  },
  {
    name: "verifies the ECDSA token of RFC 9246",
    async run() {
      const keySets = [{ issuer: "uCDN Inc", keys: [rfcKey] }];
      const verifier = uriSigningVerifier({ keySets, origins: ["http://cdni.example"], clock: () => rfcNow });
      const target = `/foo/bar?URISigningPackage=${rfcTokens.simple}`;
      return answer(verifier, { method: "GET", target, authority: "cdni.example", headers: [] });
    },
    expected: "accepted",
  },
];
