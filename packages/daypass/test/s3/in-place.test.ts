import { describe, expect, it } from "vitest";
import type { SignedRequest, Verifier } from "../../src/index.ts";
import { s3ExpressSigner, s3ExpressVerifier } from "../../src/schemes/s3/express/index.ts";
import { s3Signer, s3Verifier } from "../../src/schemes/s3/index.ts";
import { s3V2Signer, s3V2Verifier } from "../../src/schemes/s3/v2/index.ts";
import { s3V4aSigner, s3V4aVerifier } from "../../src/schemes/s3/v4a/index.ts";
import { wireRequest } from "../wire-request.ts";

const clock = () => new Date("2026-01-02T03:04:05Z");
const endpoint = "https://s3.example.com";
const zone = "https://media--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com";
const call = { bucket: "media", key: "a.txt", expiresIn: 60 };
const place = { region: "us-east-1", endpoint, addressing: "path", clock } as const;
type Key = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
type Credentials = Key | (() => Key);

/** How each scheme signs and verifies with credentials that a store gives. */
const schemes: Record<string, [(given: Credentials) => Promise<string>, (given: () => Key) => Verifier]> = {
  s3: [
    async (credentials) => s3Signer({ ...place, credentials }).sign(call).url,
    (credentials) => s3Verifier({ credentials, origins: [endpoint], clock }),
  ],
  "s3/v2": [
    async (credentials) => s3V2Signer({ ...place, credentials }).sign(call).url,
    (credentials) => s3V2Verifier({ credentials, origins: [endpoint], clock }),
  ],
  "s3/v4a": [
    async (credentials) => (await s3V4aSigner({ ...place, credentials }).sign(call)).url,
    (credentials) => s3V4aVerifier({ credentials, origins: [endpoint], clock, regions: ["us-east-1"] }),
  ],
  "s3/express": [
    async (credentials) =>
      s3ExpressSigner({ region: "us-east-1", credentials, clock }).sign({ ...call, bucket: "media--use1-az4--x-s3" })
        .url,
    (credentials) => s3ExpressVerifier({ credentials, origins: [zone.replace("media--use1-az4--x-s3", "*")], clock }),
  ],
};

describe.each(Object.entries(schemes))(
  "%s, where a store writes a new secret into the object that is there",
  (_, scheme) => {
    const [sign, verifierOf] = scheme;
    const key = (secretAccessKey: string): Key => ({
      accessKeyId: "AKIDEXAMPLE",
      secretAccessKey,
      sessionToken: "token",
    });
    const code = async (verifier: Verifier, url: string): Promise<unknown> =>
      verifier.verify(wireRequest({ url, method: "GET", headers: {} } as SignedRequest)).then(
        () => "granted",
        (error: { code?: unknown }) => error.code,
      );

    it("refuses what the old one signed, and grants what the new one signs", async () => {
      const row = key("leaked");
      const verifier = verifierOf(() => row);
      const old = await sign(key("leaked"));
      expect(await code(verifier, old)).toBe("granted");
      row.secretAccessKey = "fresh";
      expect(await code(verifier, old)).toBe("SIGNATURE_MISMATCH");
      expect(await code(verifier, await sign(key("fresh")))).toBe("granted");
    });

    it("reports an unknown key if the store returns null", async () => {
      const verifier = verifierOf(() => null as unknown as Key);
      expect(await code(verifier, await sign(key("any")))).toBe("UNKNOWN_KEY");
    });
  },
);

it("a signer uses credentials that were written into the given object", () => {
  const current = { accessKeyId: "AKIDOLD", secretAccessKey: "old", sessionToken: "t-old" };
  const signer = s3Signer({ ...place, credentials: () => current });
  signer.sign(call);
  const next = { accessKeyId: "AKIDNEW", secretAccessKey: "new", sessionToken: "t-new" };
  Object.assign(current, next);
  expect(signer.sign(call).url).toBe(s3Signer({ ...place, credentials: next }).sign(call).url);
  // The token went with its property: the credentials are lasting ones now.
  const { sessionToken: _, ...lasting } = next;
  delete (current as { sessionToken?: string }).sessionToken;
  expect(signer.sign(call).url).toBe(s3Signer({ ...place, credentials: lasting }).sign(call).url);
});

it("a signer uses the present values of an object with getters", () => {
  class Provider {
    #at = 1;
    get accessKeyId() {
      return `AKID${this.#at}`;
    }
    get secretAccessKey() {
      return `secret ${this.#at}`;
    }
    refresh() {
      this.#at += 1;
    }
  }
  const provider = new Provider();
  const signer = s3Signer({ ...place, credentials: () => provider });
  signer.sign(call);
  provider.refresh();
  const next = { accessKeyId: "AKID2", secretAccessKey: "secret 2" };
  expect(signer.sign(call).url).toBe(s3Signer({ ...place, credentials: next }).sign(call).url);
});

it("a signer derives a new key after midnight", async () => {
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
  let now = new Date("2026-01-02T23:59:59Z");
  const signer = s3Signer({ ...place, credentials, clock: () => now });
  const verifier = s3Verifier({ credentials, origins: [endpoint], clock: () => now });
  for (const instant of ["2026-01-02T23:59:59Z", "2026-01-03T00:00:01Z"]) {
    now = new Date(instant);
    const link = signer.sign(call);
    expect(link.url).toContain(`%2F${instant.slice(0, 10).replaceAll("-", "")}%2F`);
    expect((await verifier.verify(wireRequest(link))).id).toBe(link.id);
  }
});

it("returns new Dates, so that changing one does not change the grant", async () => {
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
  const link = s3Signer({ ...place, credentials }).sign(call);
  const grant = await s3Verifier({ credentials, origins: [endpoint], clock }).verify(wireRequest(link));
  grant.expiresAt.setFullYear(9000);
  grant.notBefore.setFullYear(1971);
  expect(grant.expiresAt).toEqual(link.expiresAt);
  expect(grant.notBefore).toEqual(clock());
});
