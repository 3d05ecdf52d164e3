import { explain } from "daypass/explain";
import { gcsHmacSigner } from "daypass/gcs";
import { s3Signer } from "daypass/s3";
import { describe, expect, it } from "vitest";
import { credentials } from "./raw-requests.ts";

const signedAt = () => new Date("2026-11-24T12:00:00Z");
const clock = () => new Date("2026-11-24T12:05:00Z");
const keys = [credentials];
const sessionToken = "FwoGZXIvYXdzEJr+/+/==";
const options = { region: "eu-west-1", credentials: { ...credentials, sessionToken }, clock: signedAt } as const;
const url = s3Signer(options).sign({ bucket: "media", key: "a/é.txt", expiresIn: 900 }).url;
const gcs = gcsHmacSigner({ credentials, clock: signedAt }).sign({ bucket: "media", object: "é", expiresIn: 900 }).url;

describe("explain with a URL that was cut", () => {
  it.each([
    ["S3", url],
    ["Cloud Storage", gcs],
  ])("returns a cause for every cut inside an escape, with and without a key: %s", async (_, whole) => {
    const places = [...whole.matchAll(/%/g)].flatMap(({ index }) => [index + 1, index + 2]);
    for (const length of places) {
      const cut = whole.slice(0, length);
      const [bare, keyed] = await Promise.all(
        [[], keys].map((given) =>
          explain(cut, { clock, keys: given }).then(
            ({ cause }) => cause?.code,
            (error: { readonly code: string }) => error.code,
          ),
        ),
      );
      expect([length, keyed === "NO_SIGNATURE"]).toEqual([length, bare === "NO_SIGNATURE"]);
      expect([length, bare]).not.toEqual([length, undefined]);
      expect([length, keyed]).not.toEqual([length, undefined]);
    }
  });

  it("returns a cause for bytes that are not UTF-8", async () => {
    for (const broken of [url.replace("AKIDEXAMPLE", "%FF%FE"), url.replace("media", "media%FF")]) {
      expect((await explain(broken, { clock, keys })).cause).toBeDefined();
    }
  });
});
