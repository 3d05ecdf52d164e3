import { describe, expect, it } from "vitest";
import { rotatingCredentials } from "../../src/index.ts";
import { gcsFormSigner, gcsHmacFormSigner } from "../../src/schemes/gcs/form/index.ts";
import { gcsHmacSigner, gcsHmacVerifier, gcsSigner } from "../../src/schemes/gcs/index.ts";
import { gcsV2HmacSigner, gcsV2Signer } from "../../src/schemes/gcs/v2/index.ts";
import { wireRequest } from "../wire-request.ts";
import { account, hmacKey } from "./account.ts";

const AT = new Date("2026-01-02T03:04:05Z");
const clock = () => AT;
const expiration = new Date(AT.getTime() + 600_000);
const object = { bucket: "media", object: "talks/keynote.mp4" };
const form = { bucket: "media", prefix: "uploads/" };

type Sign = (request: object) => unknown;
type Options = { readonly credentials: never; readonly credentialExpiry?: "clamp" };
const SIGNERS: readonly [string, object, object, (options: Options) => { readonly sign: unknown }][] = [
  ["gcsSigner", account, object, (options) => gcsSigner({ ...options, clock })],
  ["gcsHmacSigner", hmacKey, object, (options) => gcsHmacSigner({ ...options, clock })],
  ["gcsV2Signer", account, object, (options) => gcsV2Signer({ ...options, clock })],
  ["gcsV2HmacSigner", hmacKey, object, (options) => gcsV2HmacSigner({ ...options, clock })],
  ["gcsFormSigner", account, form, (options) => gcsFormSigner({ ...options, clock })],
  ["gcsHmacFormSigner", hmacKey, form, (options) => gcsHmacFormSigner({ ...options, clock })],
];

describe.each(SIGNERS)("%s with credentials that rotate", (_, credentials, resource, signer) => {
  const sign = async (given: unknown, expiresIn: number, more = {}): Promise<unknown> =>
    (signer({ credentials: given as never, ...more }).sign as Sign)({ ...resource, expiresIn });

  it("signs with the current credentials after they are loaded", async () => {
    const rotating = rotatingCredentials(async () => ({ ...credentials, expiration }), { clock });
    await expect(sign(rotating.current, 60)).rejects.toMatchObject({ code: "CREDENTIALS_NOT_READY" });
    await rotating.ready();
    expect(await sign(rotating.current, 60)).toMatchObject({ expiresAt: new Date(AT.getTime() + 60_000) });
  });

  it("refuses a URL that would outlive its credentials", async () => {
    const dying = { ...credentials, expiration };
    await expect(sign(dying, 601)).rejects.toMatchObject({ code: "CREDENTIALS_EXPIRE_FIRST" });
    expect(await sign(() => dying, 601, { credentialExpiry: "clamp" })).toMatchObject({ expiresAt: expiration });
  });

  it("checks what it is given", async () => {
    await expect(sign(() => ({}), 60)).rejects.toMatchObject({ code: "INVALID_KEY" });
    await expect(sign({}, 60)).rejects.toMatchObject({ code: "INVALID_KEY" });
  });
});

it("signs with the key of the moment", async () => {
  const keys = [hmacKey, { ...hmacKey, accessKeyId: "GOOG1SECOND", secretAccessKey: "another" }] as const;
  let current: (typeof keys)[number] = keys[0];
  const signer = gcsHmacSigner({ credentials: () => current, clock });
  const verifier = gcsHmacVerifier({ keys, origins: ["https://storage.googleapis.com"], clock });
  for (const key of [...keys, keys[0]]) {
    current = key;
    const { keyId } = await verifier.verify(wireRequest(signer.sign({ ...object, expiresIn: 60 })));
    expect(keyId).toBe(key.accessKeyId);
  }
});
