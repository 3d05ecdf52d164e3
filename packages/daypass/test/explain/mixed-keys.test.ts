import { cosSigner } from "daypass/cos";
import { type ExplainKey, explain } from "daypass/explain";
import { gcsV2HmacSigner } from "daypass/gcs/v2";
import { ossSigner } from "daypass/oss";
import { ossV1Signer } from "daypass/oss/v1";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { errorXml } from "./broken-requests.ts";

const clock = () => new Date("2026-11-24T12:00:00Z");
const soon = () => new Date("2026-11-24T12:05:00Z");
const [NAMED, OTHER] = ["AKIDNAMED", "AKIDOTHER"] as const;
const [OWN_SECRET, OTHER_SECRET] = ["the-secret-of-named", "the-secret-of-other"];
const wish = { bucket: "media", key: "a/b.txt", expiresIn: 900 };
const access = (accessKeyId: string, secretAccessKey: string) => ({ accessKeyId, secretAccessKey });
const oss = (accessKeyId: string, accessKeySecret: string) => ({ accessKeyId, accessKeySecret });
const cos = (secretId: string, secretKey: string) => ({ secretId, secretKey });

interface Scheme {
  readonly name: string;
  key(id: string, secret: string): ExplainKey;
  sign(id: string, secret: string): string;
}

const schemes: readonly Scheme[] = [
  {
    name: "S3",
    key: access,
    sign: (id, secret) => s3Signer({ region: "eu-west-1", credentials: access(id, secret), clock }).sign(wish).url,
  },
  {
    name: "S3, V2",
    key: access,
    sign: (id, secret) => s3V2Signer({ region: "us-east-1", credentials: access(id, secret), clock }).sign(wish).url,
  },
  {
    name: "Cloud Storage, V2",
    key: access,
    sign: (id, secret) =>
      gcsV2HmacSigner({ credentials: access(id, secret), clock }).sign({ bucket: "media", object: "a", expiresIn: 900 })
        .url,
  },
  {
    name: "OSS",
    key: oss,
    sign: (id, secret) => ossSigner({ region: "cn-hangzhou", credentials: oss(id, secret), clock }).sign(wish).url,
  },
  {
    name: "OSS, V1",
    key: oss,
    sign: (id, secret) => ossV1Signer({ region: "cn-hangzhou", credentials: oss(id, secret), clock }).sign(wish).url,
  },
  {
    name: "COS",
    key: cos,
    sign: (id, secret) =>
      cosSigner({ region: "ap-guangzhou", credentials: cos(id, secret), clock }).sign({
        ...wish,
        bucket: "media-1250000000",
      }).url,
  },
];

describe.each(schemes)("$name: the id of one key and the secret of another", ({ key, sign }) => {
  const mixed = sign(NAMED, OTHER_SECRET);
  const keys = [key(NAMED, OWN_SECRET), key(OTHER, OTHER_SECRET)];

  it("are told, whether both are given or the one that signed", async () => {
    for (const given of [keys, keys.slice(1)]) {
      for (const errorBody of [undefined, errorXml("SignatureDoesNotMatch", "no")]) {
        const explanation = await explain(mixed, { clock: soon, keys: given, errorBody });
        expect(explanation.cause).toMatchObject({
          code: "UNKNOWN_KEY",
          sentence: expect.stringMatching(
            /names (?:the key )?AKIDNAMED and was signed with the (?:secret|key) of AKIDOTHER/,
          ),
        });
        expect(JSON.stringify(explanation)).not.toContain("the-secret-of");
      }
    }
  });

  it("are no cause where they belong together", async () => {
    for (const own of [sign(NAMED, OWN_SECRET), sign(OTHER, OTHER_SECRET)]) {
      expect((await explain(own, { clock: soon, keys })).cause).toBeUndefined();
    }
  });
});
