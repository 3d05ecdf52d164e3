import { azureSigner } from "daypass/azure";
import { gcsHmacSigner } from "daypass/gcs";
import { ossSigner } from "daypass/oss";
import { s3Signer } from "daypass/s3";
import { urlSigner, urlVerifier } from "daypass/url";
import { describe, expect, it } from "vitest";
import { adviser } from "../src/core/advice.ts";
import { warningList } from "../src/core/signed-request.ts";

const clock = (): Date => new Date("2026-01-02T03:04:05Z");
const aws = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
const accountKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

const s3 = (options: object = {}) => s3Signer({ region: "eu-west-1", credentials: aws, clock, ...options });
const object = { bucket: "media", key: "a.txt", expiresIn: 60 };
const page = { url: "https://api.example.com/a", expiresIn: 60 };

/** A call that a JavaScript program may make, and the whole error that it gets. */
const CALLS: readonly (readonly [what: string, call: () => unknown, message: string])[] = [
  [
    "a name in upper case",
    () => s3().sign({ ...object, Bucket: "b" } as never),
    "Bucket is not an option of S3. Did you mean bucket?",
  ],
  [
    "an option of bind",
    () => s3().sign({ ...object, contentType: "a/b" } as never),
    "contentType is not an option of S3. Did you mean bind: { contentType }?",
  ],
  [
    "methods of S3",
    () => s3().sign({ ...object, methods: ["GET"] } as never),
    "methods is not an option of S3. Did you mean method?",
  ],
  [
    "a misspelt bind",
    () => s3().sign({ ...object, bind: { contenttype: "a" } } as never),
    "bind.contenttype is not an option of S3. Did you mean bind: { contentType }?",
  ],
  [
    "expires of S3",
    () => s3().sign({ bucket: "b", key: "a", expires: 60 } as never),
    "expires is not an option of S3. Did you mean expiresIn?",
  ],
  ["another name altogether", () => s3().sign({ ...object, colour: 1 } as never), "colour is not an option of S3"],
  [
    "the key of S3 at Google",
    () => gcsHmacSigner({ credentials: aws, clock }).sign(object as never),
    "key is not an option of GCS. Did you mean object?",
  ],
  [
    "the key of S3 at Azure",
    () =>
      azureSigner({ account: "acme", credentials: { accountKey } }).sign({
        container: "media",
        key: "a",
        permissions: "r",
        expiresIn: 60,
      } as never),
    "key is not an option of an Azure SAS. Did you mean blob?",
  ],
  [
    "method of a Daypass URL",
    () => urlSigner({ key }).sign({ ...page, method: "GET" } as never),
    "method is not an option of a Daypass URL. Did you mean methods?",
  ],
  [
    "milliseconds",
    () => s3().sign({ ...object, expiresIn: 900_000 }),
    "expiresIn is 900000. Pass whole seconds from 1 to 604800. It looks like milliseconds: pass 900",
  ],
  [
    "a month of a Daypass URL",
    () => urlSigner({ key }).sign({ ...page, expiresIn: 2_592_000 }),
    "expiresIn is 2592000. Pass whole seconds from 1 to 604800 (maxExpiresIn of the signer)",
  ],
  [
    "undefined credentials",
    () => s3({ credentials: undefined }),
    "credentials is undefined. Is the environment variable set?",
  ],
  [
    "an undefined secret",
    () => s3({ credentials: { ...aws, secretAccessKey: undefined } }),
    "credentials.secretAccessKey is undefined. Is the environment variable set?",
  ],
  [
    "a promise of credentials",
    () => s3({ credentials: Promise.resolve(aws) }),
    "credentials is a promise. Await it, or see rotatingCredentials",
  ],
  [
    "a secret with a line break",
    () => s3({ credentials: { ...aws, secretAccessKey: "secret\n" } }),
    "credentials.secretAccessKey contains a line break. Trim what was read from a file",
  ],
  [
    "a secret that is no text",
    () => s3({ credentials: { ...aws, secretAccessKey: Buffer.from("secret") } }),
    "credentials.secretAccessKey is not one line of text",
  ],
  [
    "an end that is over",
    () => s3().sign({ bucket: "media", key: "a.txt", expiresAt: new Date("2020-01-02T03:04:05Z") }),
    'expiresAt is "2020-01-02T03:04:05.000Z". Pass a Date 1 to 604800 seconds from now',
  ],
  [
    "an end in a text",
    () => s3().sign({ bucket: "media", key: "a.txt", expiresAt: "2026-01-03" } as never),
    'expiresAt is "2026-01-03". Pass a Date 1 to 604800 seconds from now',
  ],
  [
    "a start that is no date",
    () => urlSigner({ key }).sign({ ...page, notBefore: new Date(Number.NaN) }),
    'notBefore is "Invalid Date". Pass a valid Date',
  ],
  [
    "a JWK in a text",
    () => urlSigner({ key: JSON.stringify(key) as never }),
    "the key (unnamed) cannot be used. Pass an object, not text: JSON.parse() reads a JWK",
  ],
  [
    "a promise of a JWK",
    () => urlSigner({ key: Promise.resolve(key) as never }),
    "the key (unnamed) cannot be used. Pass the key, not a promise of it: await it",
  ],
  [
    "no JWK",
    () => urlVerifier({ keys: [undefined as never], origins: ["https://api.example.com"] }),
    "the key (unnamed) cannot be used. Pass a JWK, not undefined. Is the environment variable set?",
  ],
  ["no region", () => s3({ region: undefined }), `region is missing. Pass the bucket's, such as "eu-west-1"`],
  ["no options", () => (s3Signer as () => unknown)(), "options is missing. Pass an object with the documented options"],
  [
    "no request",
    () => (s3().sign as () => unknown)(),
    'key is missing. Pass a name, or resource: "bucket" for the bucket',
  ],
];

describe("the error of a signer", () => {
  it.each(CALLS)("says what to do about %s", (_, call, message) => {
    expect(call).toThrow(expect.objectContaining({ name: "DaypassError", message }));
  });
});

const SLASHES = "the key begins with / or contains //, which names another object than without it";
const WARNINGS: readonly (readonly [
  what: string,
  call: () => { warnings: readonly string[] },
  warnings: readonly string[],
])[] = [
  ["a plain request", () => s3().sign(object), []],
  ["a key with a leading slash", () => s3().sign({ ...object, key: "/a" }), [SLASHES]],
  [
    "a key with two slashes",
    () =>
      ossSigner({ region: "cn-hangzhou", credentials: { accessKeyId: "a", accessKeySecret: "s" }, clock }).sign({
        ...object,
        key: "a//b",
      }),
    [SLASHES],
  ],
  [
    "minutes in milliseconds",
    () => s3().sign({ ...object, expiresIn: 60_000 }),
    ["expiresIn is in seconds, and 60000 looks like milliseconds"],
  ],
  [
    "an endpoint with the bucket",
    () => s3({ endpoint: "https://media.s3.example.com" }).sign(object),
    ["the endpoint names the bucket media already"],
  ],
  [
    "a region of no known form",
    () => s3({ region: "eu-west1" }).sign(object),
    ['region is "eu-west1", and this provider has no region of such a form'],
  ],
  ["any region of a compatible", () => s3({ region: "garage", endpoint: "https://s3.example.com" }).sign(object), []],
];

describe("the warnings of a signer", () => {
  it.each(WARNINGS)("for %s", (_, call, warnings) => {
    expect(call().warnings).toEqual(warnings);
  });

  it("know the regions of all partitions", () => {
    for (const region of [
      "us-gov-east-1",
      "cn-north-1",
      "eusc-de-east-1",
      "us-iso-east-1",
      "ap-guangzhou",
      "cn-hangzhou",
    ])
      expect(warningList(adviser({ region })([], {}))).toEqual([]);
  });

  it("are computed once, for the request as it was signed", () => {
    const request = { ...object, key: "/a" };
    const signed = s3().sign(request);
    request.key = "a";
    expect(signed.warnings).toEqual([SLASHES]);
    expect(signed.warnings).toBe(signed.warnings);
    expect(JSON.parse(JSON.stringify(signed))).toMatchObject({ warnings: [SLASHES], id: signed.id });
  });
});

it("accepts methods in any case, origins with a slash, and longer lives that maxExpiresIn asks for", async () => {
  expect(s3().sign({ ...object, method: "put" }).method).toBe("PUT");
  const signed = urlSigner({ key, clock, maxExpiresIn: 31_536_000 }).sign({
    ...page,
    methods: ["get"],
    expiresIn: 2_592_000,
  });
  const verifier = urlVerifier({ keys: [key], origins: ["https://api.example.com/"], clock });
  const target = signed.url.slice("https://api.example.com".length);
  const grant = await verifier.verify({ method: "GET", target, authority: "api.example.com", headers: [] });
  expect(grant.methods).toEqual(["GET", "HEAD"]);
});
