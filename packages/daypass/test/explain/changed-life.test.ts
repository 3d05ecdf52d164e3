import { cloudfrontSigner } from "daypass/cloudfront";
import { cosSigner } from "daypass/cos";
import { type ExplainKey, explain } from "daypass/explain";
import { gcsV2HmacSigner } from "daypass/gcs/v2";
import { ossSigner } from "daypass/oss";
import { ossV1Signer } from "daypass/oss/v1";
import { s3V2Signer } from "daypass/s3/v2";
import { swiftSigner } from "daypass/swift";
import { describe, expect, it } from "vitest";
import { rsaPem } from "../rsa-pair.ts";

const signedAt = new Date("2026-11-24T12:00:00Z");
const clock = () => signedAt;
const soon = () => new Date("2026-11-24T12:05:00Z");
const end = signedAt.getTime() / 1000 + 900;
const expiresIn = 900;
const object = { bucket: "media", key: "a/b.txt", expiresIn };
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
const oss = { region: "cn-hangzhou", credentials: { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "secret" }, clock };
const cos = { secretId: "AKIDEXAMPLE", secretKey: "secret" };

type Link = { readonly url: string };
interface Signed {
  readonly scheme: string;
  readonly key: ExplainKey;
  sign(): Link | Promise<Link>;
}

const schemes: readonly Signed[] = [
  {
    scheme: "s3/v2",
    key: credentials,
    sign: () => s3V2Signer({ region: "us-east-1", credentials, clock }).sign(object),
  },
  {
    scheme: "gcs/v2",
    key: credentials,
    sign: () => gcsV2HmacSigner({ credentials, clock }).sign({ bucket: "media", object: "a", expiresIn }),
  },
  { scheme: "oss", key: oss.credentials, sign: () => ossSigner(oss).sign(object) },
  { scheme: "oss/v1", key: oss.credentials, sign: () => ossV1Signer(oss).sign(object) },
  {
    scheme: "cos",
    key: cos,
    sign: () => cosSigner({ region: "ap-guangzhou", credentials: cos, clock }).sign({ ...object, bucket: "media-125" }),
  },
  {
    scheme: "swift",
    key: { account: "AUTH_t", key: "kk" },
    sign: () =>
      swiftSigner({ endpoint: "https://s.example.com", account: "AUTH_t", key: "kk", clock }).sign({
        ...{ container: "c", object: "o", expiresIn },
      }),
  },
  {
    scheme: "cloudfront",
    key: { keyPairId: "K1", publicKey: rsaPem.publicKey },
    sign: () =>
      cloudfrontSigner({ keyPairId: "K1", privateKey: rsaPem.privateKey, clock }).sign({
        ...{ url: "https://d.example.com/a", expiresIn },
      }),
  },
];

describe("a life that was changed after signing", () => {
  it.each(schemes)("is found with the key of $scheme", async ({ key, sign }) => {
    const { url } = await sign();
    const longer = url.replaceAll(String(end), String(end + 3600)).replace("x-oss-expires=900", "x-oss-expires=4500");
    expect(longer).not.toBe(url);
    const { cause } = await explain(longer, { clock: soon, keys: [key] });
    expect(cause).toMatchObject({ code: "EXPIRES_CHANGED", sentence: expect.stringMatching(`${end}|900`) });
  });
});
