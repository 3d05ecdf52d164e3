import { azureSigner } from "daypass/azure";
import { cosSigner } from "daypass/cos";
import { type ExplainKey, explain } from "daypass/explain";
import { gcsHmacSigner } from "daypass/gcs";
import { gcsV2HmacSigner } from "daypass/gcs/v2";
import { ossSigner } from "daypass/oss";
import { ossV1Signer } from "daypass/oss/v1";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { swiftSigner } from "daypass/swift";
import { describe, expect, it } from "vitest";
import { credentials, errorXml } from "./broken-requests.ts";

const clock = () => new Date("2026-11-24T12:00:00Z");
const late = () => new Date("2026-11-24T13:00:00Z");
const more = { method: "PUT", expiresIn: 900 } as const;
const MISMATCH = errorXml("SignatureDoesNotMatch", "The signature does not match.");
const request = { method: "GET", headers: {} };

const aliyun = { accessKeyId: "LTAI", accessKeySecret: "a secret" };
const tencent = { secretId: "AKID", secretKey: "a secret" };
const account = { account: "AUTH_t", key: "a key" };
const oss = { region: "cn-hangzhou", credentials: aliyun, clock };

/** URLs for PUT, and the keys that signed them. */
const uploads: readonly (readonly [string, { readonly url: string }, ExplainKey])[] = [
  [
    "S3",
    s3Signer({ region: "eu-west-1", credentials, clock }).sign({ ...more, bucket: "media", key: "a" }),
    credentials,
  ],
  [
    "S3, V2",
    s3V2Signer({ region: "us-east-1", credentials, clock }).sign({ ...more, bucket: "media", key: "a" }),
    credentials,
  ],
  ["Cloud Storage", gcsHmacSigner({ credentials, clock }).sign({ ...more, bucket: "media", object: "a" }), credentials],
  [
    "Cloud Storage, V2",
    gcsV2HmacSigner({ credentials, clock }).sign({ ...more, bucket: "media", object: "a" }),
    credentials,
  ],
  ["OSS", ossSigner(oss).sign({ ...more, bucket: "media", key: "a" }), aliyun],
  ["OSS, V1", ossV1Signer(oss).sign({ ...more, bucket: "media", key: "a" }), aliyun],
  [
    "COS",
    cosSigner({ region: "ap-guangzhou", credentials: tencent, clock }).sign({
      ...{ ...more, bucket: "media-1250000000", key: "a" },
    }),
    tencent,
  ],
  [
    "Swift",
    swiftSigner({ endpoint: "https://s.example.com", ...account, clock }).sign({
      ...{ ...more, container: "c", object: "o" },
    }),
    account,
  ],
];

describe("a URL that has ended, and was sent with another method than was signed", () => {
  it.each(uploads)(
    "is told to have ended, and what else a new one would be refused for: %s",
    async (_, { url }, key) => {
      const { cause } = await explain(url, { clock: late, keys: [key], request });
      expect(cause).toMatchObject({ code: "EXPIRED" });
      expect(cause?.evidence.at(-1)).toMatch(/^Besides: .*signed for PUT/);
    },
  );

  it("is told so by Azure, too: a SAS that was signed with the text of the key", async () => {
    const accountKey = Buffer.alloc(32, 1).toString("base64");
    const text = Buffer.from(accountKey).toString("base64");
    const { url } = azureSigner({ account: "acme", credentials: { accountKey: text }, clock }).sign({
      ...{ container: "media", blob: "a.txt", permissions: "r", expiresIn: 900 },
    });
    const { cause } = await explain(url, { clock: late, keys: [{ accountKey }] });
    expect(cause).toMatchObject({ code: "EXPIRED" });
    expect(cause?.evidence.at(-1)).toMatch(/^Besides: The key was used as text/);
  });

  // It had not ended when the server looked at its signature: logs are read later.
  it.each(uploads)(
    "was refused for the method, where the server speaks of its signature: %s",
    async (_, { url }, key) => {
      const { cause } = await explain(url, { clock: late, keys: [key], request, errorBody: MISMATCH });
      expect(cause).toMatchObject({ code: "METHOD", sentence: expect.stringContaining("signed for PUT") });
      expect(cause?.evidence.at(-1)).toMatch(/^Besides: The URL has expired/);
      const unknown = await explain(url, { clock: late, request, errorBody: MISMATCH });
      expect(unknown.cause?.code).not.toBe("EXPIRED");
    },
  );

  it("is not blamed on the clock where the server's is a little ahead", async () => {
    const { url } = uploads[0]?.[1] ?? { url: "" };
    const errorBody = errorXml("AccessDenied", "Request has expired", {
      ...{ Expires: "2026-11-24T12:15:00Z", ServerTime: "2026-11-24T12:15:02Z" },
    });
    const at = (time: string) => explain(url, { clock: () => new Date(`2026-11-24T${time}Z`), errorBody });
    expect((await at("12:12:00")).cause).toMatchObject({ code: "EXPIRED" });
    expect((await at("12:10:00")).cause).toMatchObject({ code: "CLOCK" });
  });
});
