import { generateKeyPairSync } from "node:crypto";
import { akamaiSigner } from "daypass/akamai";
import { azureSigner } from "daypass/azure";
import { bunnySigner } from "daypass/bunny";
import { cloudCdnSigner } from "daypass/cloud-cdn";
import { cloudfrontSigner } from "daypass/cloudfront";
import { cosSigner } from "daypass/cos";
import { fastlySigner } from "daypass/fastly";
import { gcsHmacSigner } from "daypass/gcs";
import { imgixSigner } from "daypass/imgix";
import { imgproxySigner } from "daypass/imgproxy";
import { laravelSigner } from "daypass/laravel";
import { ossSigner } from "daypass/oss";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { s3V4aSigner } from "daypass/s3/v4a";
import { swiftSigner } from "daypass/swift";
import { symfonySigner } from "daypass/symfony";
import { urlSigner } from "daypass/url";
import { expect } from "vitest";
import { daypass, parseLines } from "./command.ts";

export const NOW = "2026-01-02T03:10:00Z";
const clock = (): Date => new Date("2026-01-02T03:04:05Z");
const sessionToken = `IQoJb3JpZ2luX2VjE+/${"t0k3n+/".repeat(40)}==`;
const credentials = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken,
};
export const s3 = s3Signer({ region: "us-east-1", credentials, clock });

/** A distinct URL for each key, because each URL is reported once. */
export function url(key: string, expiresIn = 900): string {
  return s3.sign({ bucket: "media", key, expiresIn }).url;
}

export interface Finding {
  readonly file: string;
  readonly line?: number;
  readonly commit?: string;
  readonly life: string;
  readonly scheme: string;
  readonly signedBy: string;
  readonly resource: string;
  readonly endsAt?: string;
  readonly url: string;
}

/** Runs `daypass scan` at {@link NOW}. */
export async function scan(
  args: readonly string[],
  input?: string | Uint8Array,
): Promise<{ readonly status: number | null; readonly stderr: string; readonly found: readonly Finding[] }> {
  const options = input === undefined ? {} : { input };
  const { status, stdout, stderr } = await daypass(["scan", ...args, "--json", "--at", NOW], options);
  // The output never contains a signature or a token.
  expect(stdout + stderr).not.toMatch(/[0-9a-f]{64}(?!")|t0k3n/);
  return { status, stderr, found: stdout === "" ? [] : parseLines<Finding>(stdout) };
}

const media = "https://media.example.com/hls/a.m3u8";
const common = { expiresIn: 900 };
const base64 = Buffer.alloc(32, 7).toString("base64");
const { sessionToken: _, ...accessKey } = credentials;
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" });

/** Signers of all schemes that `explain` reads. */
export const SCHEMES: Readonly<Record<string, () => Promise<{ readonly url: string }> | { readonly url: string }>> = {
  s3: () => s3.sign({ bucket: "media", key: "live.txt", ...common }),
  "s3/v2": () =>
    s3V2Signer({ region: "us-east-1", credentials: accessKey, clock }).sign({ bucket: "media", key: "a", ...common }),
  "s3/v4a": () =>
    s3V4aSigner({ region: "us-east-1", credentials, clock }).sign({ bucket: "media", key: "a", ...common }),
  gcs: () => gcsHmacSigner({ credentials: accessKey, clock }).sign({ bucket: "media", object: "a", ...common }),
  azure: () =>
    azureSigner({ account: "acme", credentials: { accountKey: base64 }, clock }).sign({
      container: "media",
      blob: "a",
      permissions: "r",
      ...common,
    }),
  url: () =>
    urlSigner({
      key: { kid: "k1", kty: "oct", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" },
      clock,
    }).sign({ url: media, ...common }),
  oss: () =>
    ossSigner({ region: "cn-hangzhou", credentials: { accessKeyId: "LTAI", accessKeySecret: "x" }, clock }).sign({
      bucket: "media",
      key: "a",
      ...common,
    }),
  cos: () =>
    cosSigner({ region: "ap-guangzhou", credentials: { secretId: "AKID", secretKey: "x" }, clock }).sign({
      bucket: "media-125",
      key: "a",
      ...common,
    }),
  swift: () =>
    swiftSigner({ endpoint: "https://swift.example.com", account: "AUTH_a", key: "k", clock }).sign({
      container: "media",
      object: "a",
      ...common,
    }),
  cloudfront: () =>
    cloudfrontSigner({ keyPairId: "K2JCJMDEHXQW5F", privateKey: String(rsa), clock }).sign({ url: media, ...common }),
  "cloud-cdn": () =>
    cloudCdnSigner({ keyName: "k", key: "nZtRohdNF9m3cKM24IcK4w==", clock }).sign({ url: media, ...common }),
  akamai: () =>
    akamaiSigner({ secret: "52a152a152a152a152a152a152a1", parameter: "hdnts", clock }).sign({
      url: media,
      prefix: "/hls/",
      ...common,
    }),
  bunny: () => bunnySigner({ secret: "SecurityKey", clock }).sign({ url: media, ...common }),
  fastly: () => fastlySigner({ secret: base64, clock }).sign({ url: media, ...common }),
  imgix: () => imgixSigner({ secret: "FOO123bar", clock }).sign({ url: `${media}?w=1`, ...common }),
  imgproxy: () =>
    imgproxySigner({ key: "736563726574", salt: "68656c6c6f", clock }).sign({
      url: "https://img.example.com/plain/a.jpg",
      ...common,
    }),
  laravel: () =>
    laravelSigner({ secret: "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", clock }).sign({
      url: media,
      ...common,
    }),
  symfony: () => symfonySigner({ secret: "foobar", clock }).sign({ url: media, ...common }),
};
