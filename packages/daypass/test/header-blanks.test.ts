import { describe, expect, it } from "vitest";
import type { SignedRequest, Verifier } from "../src/index.ts";
import { azureUserDelegationSigner, azureUserDelegationVerifier } from "../src/schemes/azure/index.ts";
import { cosSigner, cosVerifier } from "../src/schemes/cos/index.ts";
import { gcsHmacSigner, gcsHmacVerifier } from "../src/schemes/gcs/index.ts";
import { gcsV2HmacSigner, gcsV2HmacVerifier } from "../src/schemes/gcs/v2/index.ts";
import { ossSigner, ossVerifier } from "../src/schemes/oss/index.ts";
import { ossV1Signer, ossV1Verifier } from "../src/schemes/oss/v1/index.ts";
import { s3Signer, s3Verifier } from "../src/schemes/s3/index.ts";
import { s3V2Signer, s3V2Verifier } from "../src/schemes/s3/v2/index.ts";
import { ACCOUNT, DELEGATION_KEY } from "./azure/fixture.ts";
import { verdictOf } from "./code-of.ts";
import { wireRequest } from "./wire-request.ts";

// RFC 9110 section 5.5: blanks and tabs around a field's value are no part of it. Nothing else is.

const clock = () => new Date("2026-01-02T03:04:05Z");
const endpoint = "https://store.example.com";
const origins = [endpoint];
const bucket = "media";
const bound = { contentType: "image/png" };
const put = { bucket, method: "PUT", expiresIn: 60, bind: bound } as const;
const aliyun = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "s" };
const tencent = { secretId: "AKIDEXAMPLE", secretKey: "s" };
const amazon = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "s" };
const google = { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "s" };
const azure = { account: ACCOUNT, credentials: { userDelegationKey: DELEGATION_KEY }, clock };
const store = { endpoint, addressing: "path", clock } as const;

const subjects: Readonly<Record<string, readonly [SignedRequest, Verifier]>> = {
  s3: [
    s3Signer({ ...store, region: "us-east-1", credentials: amazon }).sign({ ...put, key: "a" }),
    s3Verifier({ credentials: amazon, origins, clock }),
  ],
  "s3/v2": [
    s3V2Signer({ ...store, region: "us-east-1", credentials: amazon }).sign({ ...put, key: "a" }),
    s3V2Verifier({ credentials: amazon, origins, clock }),
  ],
  "s3/v2, metadata": [
    s3V2Signer({ ...store, region: "us-east-1", credentials: amazon }).sign({
      ...put,
      key: "a",
      bind: { headers: { "x-amz-meta-type": "image/png" } },
    }),
    s3V2Verifier({ credentials: amazon, origins, clock }),
  ],
  gcs: [
    gcsHmacSigner({ ...store, credentials: google }).sign({ ...put, object: "a" }),
    gcsHmacVerifier({ keys: google, origins, clock }),
  ],
  "gcs/v2": [
    gcsV2HmacSigner({ ...store, credentials: google }).sign({ ...put, object: "a" }),
    gcsV2HmacVerifier({ keys: google, origins, clock }),
  ],
  oss: [
    ossSigner({ ...store, region: "cn-hangzhou", credentials: aliyun }).sign({ ...put, key: "a" }),
    ossVerifier({ credentials: aliyun, origins, clock }),
  ],
  "oss/v1": [
    ossV1Signer({ ...store, region: "cn-hangzhou", credentials: aliyun }).sign({ ...put, key: "a" }),
    ossV1Verifier({ credentials: aliyun, origins, clock }),
  ],
  cos: [
    cosSigner({ ...store, credentials: tencent }).sign({ ...put, key: "a" }),
    cosVerifier({ credentials: tencent, origins, clock }),
  ],
  "azure, user delegation": [
    azureUserDelegationSigner({ ...azure, endpoint: `${endpoint}/${ACCOUNT}` }).sign({
      ...{ container: "media", blob: "a", permissions: "cw", expiresIn: 60, bind: put.bind },
    }),
    azureUserDelegationVerifier({ credentials: { account: ACCOUNT, ...azure.credentials }, origins, clock }),
  ],
};

describe.each(Object.entries(subjects))("%s: a signed header", (_, [link, verifier]) => {
  const request = wireRequest(link);
  const sent = (value: string) => {
    const headers = request.headers.map(([name, given]) => [name, given === "image/png" ? value : given] as const);
    return verdictOf(verifier.verify({ ...request, headers }));
  };

  it("may stand between blanks", async () => {
    expect(await sent(" \timage/png \t")).toBe("accepted");
  });

  it.each(["\u00a0", "\ufeff", "\v", "\f"])("is another value with %j beside it", async (space) => {
    for (const value of [`image/png${space}`, `${space}image/png`]) expect(await sent(value)).not.toBe("accepted");
  });
});
