import { isDaypassError, type SignedRequest, type Verifier, type WireRequest } from "../../src/index.ts";
import { cloudfrontSigner, cloudfrontVerifier } from "../../src/schemes/cloudfront/index.ts";
import { cosSigner, cosVerifier } from "../../src/schemes/cos/index.ts";
import { ossSigner, ossVerifier } from "../../src/schemes/oss/index.ts";
import { ossV1Signer, ossV1Verifier } from "../../src/schemes/oss/v1/index.ts";
import { swiftSigner, swiftVerifier } from "../../src/schemes/swift/index.ts";
import type { Case } from "./cases.ts";

// Alibaba OSS, Tencent COS, Swift and CloudFront in any runtime. The signatures are those of test/<scheme>/vectors.

const at = (seconds: number) => () => new Date(seconds * 1000);

function requestOf({ url, method, headers }: SignedRequest): WireRequest {
  const [, authority = "", target = ""] = /^https?:\/\/([^/]+)(.*)$/.exec(url) ?? [];
  return { method, target, authority, headers: Object.entries(headers), remoteAddress: "1.2.3.4" };
}

/** What a verifier says to the request and to one for another object. */
async function answers(verifier: Verifier, link: SignedRequest): Promise<readonly string[]> {
  const request = requestOf(link);
  const codes: string[] = [];
  for (const target of [request.target, request.target.replace(/\/(\w)([^/?]*)\?/, "/$1$1$2?")]) {
    codes.push(
      await verifier.verify({ ...request, target }).then(
        () => "accepted",
        (error: unknown) => (isDaypassError(error) ? error.code : String(error)),
      ),
    );
  }
  return codes;
}
const BOTH = ["accepted", "SIGNATURE_MISMATCH"];

const ossKey = { accessKeyId: "ak", accessKeySecret: "sk" };
const ossOrigins = ["https://*.oss-cn-hangzhou.aliyuncs.com"];
const cosKey = { secretId: "AKIDQjz3ltompVjBni5LitkWHFlFpwkn9U5q", secretKey: "BQYIM75p8x0iWVFSIgqEKwFprpRSVHlz" };
const swift = { endpoint: "https://swift.example.com", account: "AUTH_account", key: "mykey" };
const swiftObject = { container: "container", object: "object", expiresIn: 60 };
// A P-256 key in SEC 1, as `openssl ecparam -genkey` writes it, and its public half. For this test only.
const EC_PRIVATE = `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEICcmtteDYZCTPA0YMkEhy+MEX5XXAPZbxqGNFs/AJPWNoAoGCCqGSM49
AwEHoUQDQgAEiWUFxSyt5a7XGQkkcV7b7dWRFQ5Y5wOXKB+rvufb+AjDWIYsO0cS
MJzcVKzlTEocbZbp+6gWkxDG22n8futzOQ==
-----END EC PRIVATE KEY-----`;
const EC_PUBLIC = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEiWUFxSyt5a7XGQkkcV7b7dWRFQ5Y
5wOXKB+rvufb+AjDWIYsO0cSMJzcVKzlTEocbZbp+6gWkxDG22n8futzOQ==
-----END PUBLIC KEY-----`;
const mediaUrl = "https://media.example.com/talks/keynote.mp4";

export const storeCases: readonly Case[] = [
  {
    name: "signs and verifies an OSS URL in V4",
    async run() {
      const clock = at(1_702_781_677);
      const link = ossSigner({ region: "cn-hangzhou", credentials: ossKey, clock }).sign({
        method: "PUT",
        bucket: "bucket",
        key: "1234+-/123/1.txt",
        query: { param1: "value1", "+param1": "value3", "|param1": "value4", "+param2": "", "|param2": "", param2: "" },
        headers: { "x-oss-head1": "value", "content-type": "application/octet-stream" },
        expiresIn: 599,
      });
      const verifier = ossVerifier({ credentials: ossKey, origins: ossOrigins, clock });
      return [link.url.slice(-64), ...(await answers(verifier, link))];
    },
    expected: ["a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe", ...BOTH],
  },
  {
    name: "signs and verifies an OSS URL in V1",
    async run() {
      const clock = at(1_699_807_360);
      const link = ossV1Signer({ region: "cn-hangzhou", credentials: ossKey, clock }).sign({
        bucket: "bucket",
        key: "key",
        query: { versionId: "versionId" },
        expiresIn: 60,
      });
      const verifier = ossV1Verifier({ credentials: ossKey, origins: ossOrigins, clock });
      return [/Signature=([^&]+)/.exec(link.url)?.[1], ...(await answers(verifier, link))];
    },
    expected: ["dcLTea%2BYh9ApirQ8o8dOPqtvJXQ%3D", ...BOTH],
  },
  {
    name: "signs and verifies a COS URL",
    async run() {
      const clock = at(1_557_989_753);
      const link = cosSigner({ region: "ap-beijing", credentials: cosKey, clock }).sign({
        bucket: "examplebucket-1250000000",
        key: "exampleobject(腾讯云)",
        headers: { date: "Thu, 16 May 2019 06:55:53 GMT" },
        response: { contentType: "application/octet-stream", cacheControl: "max-age=600" },
        expiresAt: new Date(1_557_996_953_000),
      });
      const origins = ["https://*.cos.ap-beijing.myqcloud.com"];
      const verifier = cosVerifier({ credentials: cosKey, origins, enforces: ["response"], clock });
      return [/q-signature=([^&]+)/.exec(link.url)?.[1], ...(await answers(verifier, link))];
    },
    expected: ["01681b8c9d798a678e43b685a9f1bba0f6c0e012", ...BOTH],
  },
  {
    name: "signs and verifies a TempURL with SHA-256",
    async run() {
      const clock = at(1_648_082_651);
      const link = swiftSigner({ ...swift, clock }).sign({ ...swiftObject, bind: { ip: "1.2.3.4" } });
      const verifier = swiftVerifier({ keys: swift, origins: [swift.endpoint], clock });
      return [/temp_url_sig=([^&]+)/.exec(link.url)?.[1], ...(await answers(verifier, link))];
    },
    expected: ["3f48476acaf5ec272acd8e99f7b5bad96c52ddba53ed27c60613711774a06f0c", ...BOTH],
  },
  {
    name: "signs and verifies a TempURL with SHA-512",
    async run() {
      const clock = at(1_516_741_174);
      const link = await swiftSigner({ ...swift, digest: "sha512", clock }).sign(swiftObject);
      const verifier = swiftVerifier({ keys: swift, origins: [swift.endpoint], clock });
      return [/temp_url_sig=([^&]+)/.exec(link.url)?.[1], ...(await answers(verifier, link))];
    },
    expected: [
      "sha512:ZrSijn0GyDhsv1ltIj9hWUTrbAeE45NcKXyBaz7aPbSMvROQ4jtYH4nRAmm5ErY2X11Yc1Yhy2OMCyN3yueeXg",
      ...BOTH,
    ],
  },
  {
    name: "signs and verifies CloudFront URLs with a P-256 key in its older form",
    async run() {
      const clock = at(1_800_000_000);
      const results: string[] = [];
      for (const hash of ["sha1", "sha256"] as const) {
        const link = await cloudfrontSigner({ keyPairId: "K1", privateKey: EC_PRIVATE, hash, clock }).sign({
          url: mediaUrl,
          expiresIn: 60,
        });
        const keys = { keyPairId: "K1", publicKey: EC_PUBLIC, hashes: [hash] };
        const origins = ["https://media.example.com"];
        results.push(...(await answers(cloudfrontVerifier({ keys, origins, clock }), link)));
      }
      return results;
    },
    expected: [...BOTH, ...BOTH],
  },
];
