import { expect, it } from "vitest";
import { immediate, type KeyResolver } from "../src/index.ts";
import { type S3Credentials, s3Signer, s3Verifier } from "../src/schemes/s3/index.ts";
import { expectRefusal, wireRequest } from "./wire-request.ts";

const clock = (): Date => new Date("2026-01-02T03:04:05Z");
const endpoint = "https://s3.example.com";
const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "example-secret" };
const verifier = (credentials: S3Credentials | KeyResolver<S3Credentials>) =>
  s3Verifier({ credentials, origins: [endpoint], clock });
const request = wireRequest(
  s3Signer({ credentials: key, region: "eu-west-1", endpoint, addressing: "path", clock }).sign({
    bucket: "media",
    key: "a.txt",
    expiresIn: 60,
  }),
);

it("returns a grant or throws at once if nothing has to wait", () => {
  expect(immediate(verifier(key)).verify(request)).toMatchObject({ keyId: key.accessKeyId, key: "a.txt" });
  const other = immediate(verifier({ ...key, secretAccessKey: "another" }));
  expect(() => other.verify(request)).toThrow(expect.objectContaining({ code: "SIGNATURE_MISMATCH" }));
});

it("returns a promise if the key arrives later", async () => {
  const verified = immediate(verifier(async () => key)).verify(request);
  expect(verified).toBeInstanceOf(Promise);
  expect(await verified).toMatchObject({ keyId: key.accessKeyId });
});

it("keeps the checks of a verifier that wraps another", async () => {
  const wrapped = { ...verifier(key), verify: () => Promise.reject(new Error("the check of the wrapper")) };
  await expect(immediate(wrapped).verify(request)).rejects.toThrow("the check of the wrapper");
  const narrowed = immediate({ ...verifier(key), detects: () => false });
  expect(narrowed.detects(request)).toBe(false);
});

it("rejects a refused request, if it was not made immediate", async () => {
  await expectRefusal(verifier({ ...key, secretAccessKey: "another" }).verify(request), "SIGNATURE_MISMATCH");
});
