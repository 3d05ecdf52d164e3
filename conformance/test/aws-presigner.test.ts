import * as sdk from "@aws-sdk/client-s3";
import { getSignedUrl as theirs } from "@aws-sdk/s3-request-presigner";
import { getSignedUrl, presign } from "daypass/compat/aws";
import { s3ExpressSigner } from "daypass/s3/express";
import { describe, expect, test } from "vitest";
import { CHECKSUM_REQUIRED, type CommandWish, randomCommand } from "../random/commands.ts";
import { randomKey } from "../random/keys.ts";
import { runCount, runSeed, seeded } from "../random/seeded.ts";
import { sigV4 } from "../sigv4.ts";
import { decodeToken, urlParts } from "../url-parts.ts";

const quiet = { requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED" } as const;
type Options = Parameters<typeof getSignedUrl>[2] & object;

function make({ name, client, input }: CommandWish, checksums: sdk.S3ClientConfig = quiet) {
  const Command = Reflect.get(sdk, `${name}Command`) as new (input: object) => sdk.GetObjectCommand;
  // Copies: the SDK writes into what it is given.
  return { client: new sdk.S3Client({ ...client, ...checksums }), command: new Command({ ...input }) };
}

function optionsOf({ options }: CommandWish): Options {
  const { unhoistableHeaders, hoistableHeaders, signableHeaders, unsignableHeaders, ...others } = options;
  const sets = { unhoistableHeaders, hoistableHeaders, signableHeaders, unsignableHeaders };
  const given = Object.entries(sets).filter(([, names]) => names !== undefined);
  return { ...others, ...Object.fromEntries(given.map(([name, names]) => [name, new Set(names)])) };
}

const CHECKSUM = /^x-amz-(?:checksum-(?!mode|type)|sdk-checksum-)/;

describe("getSignedUrl of daypass/compat/aws, beside @aws-sdk/s3-request-presigner 3.1169.0", () => {
  test(`gives the very same URL for ${runCount()} random commands, but for the checksums that have to be asked for`, async () => {
    const random = seeded(runSeed());
    const names = new Map<string, number>();
    let equal = 0;
    let refused = 0;
    let withoutChecksum = 0;
    for (let left = runCount(); left > 0; left--) {
      const wish = randomCommand(random);
      const context = JSON.stringify(wish);
      const { client, command } = make(wish);
      const [expected, found] = await Promise.all([
        theirs(client, command, optionsOf(wish) as never).catch((error: Error) => error),
        getSignedUrl(client, make(wish).command, optionsOf(wish)).catch((error: Error) => error),
      ]);
      if (expected instanceof Error) {
        expect(found, `${context} ${expected.message}`).toBeInstanceOf(Error);
        refused += 1;
        continue;
      }
      if (found instanceof Error) throw new Error(`${found.message}: ${context}`);
      names.set(wish.name, (names.get(wish.name) ?? 0) + 1);
      if (found === expected) {
        equal += 1;
      } else {
        expect(CHECKSUM_REQUIRED.has(wish.name), `${context}\n${expected}\n${found}`).toBe(true);
        expectSameButChecksum(found, expected, wish, context);
        withoutChecksum += 1;
      }
    }
    console.log(
      `compat/aws, seed ${runSeed()}: ${equal} of ${runCount()} equal, ${withoutChecksum} without the checksum of a body, ${refused} refused by both`,
    );
    expect(names.size).toBe(27);
    expect(equal).toBeGreaterThan(runCount() * 0.75);
  }, 600_000);

  test("leaves out what the default settings of the SDK add", async () => {
    const random = seeded(runSeed() + 1);
    for (let left = 300; left > 0; left--) {
      const wish = randomCommand(random);
      const { client, command } = make(wish, {});
      const expected = await theirs(client, command, optionsOf(wish) as never).catch(() => undefined);
      if (expected === undefined) continue;
      const found = await getSignedUrl(client, make(wish).command, optionsOf(wish));
      expectSameButChecksum(found, expected, wish, JSON.stringify(wish));
    }
  });

  test("asks the client's sessions for a bucket of S3 Express", async () => {
    const session = { accessKeyId: "ASIASESSION", secretAccessKey: "session-secret", sessionToken: "session/token+=" };
    const client = new sdk.S3Client({
      ...quiet,
      region: "us-east-1",
      credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
      s3ExpressIdentityProvider: { getS3ExpressIdentity: async () => session } as never,
    });
    const options = { signingDate: new Date("2026-01-02T03:04:05Z"), expiresIn: 300 };
    for (const Bucket of ["media--use1-az4--x-s3", "media--use1-az5--x-s3"]) {
      const get = new sdk.GetObjectCommand({ Bucket, Key: "a b" });
      expect(await getSignedUrl(client, get, options)).toBe(await theirs(client, get, options));
    }
  });

  test(`signs ${runCount()} random requests to S3 Express as s3ExpressSigner does`, async () => {
    const random = seeded(runSeed() + 2);
    const session = { accessKeyId: "ASIASESSION", secretAccessKey: "session-secret", sessionToken: "session/token+=" };
    const clientOf = (region: string) =>
      new sdk.S3Client({
        ...quiet,
        region,
        credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
        s3ExpressIdentityProvider: { getS3ExpressIdentity: async () => session } as never,
      });
    const zones = [
      ["us-east-1", "use1-az4"],
      ["eu-north-1", "eun1-az1"],
    ] as const;
    const clients = new Map(zones.map(([region]) => [region, clientOf(region)]));
    const commands = [
      ["GetObject", "GET", { "x-id": "GetObject" }],
      ["PutObject", "PUT", { "x-id": "PutObject" }],
      ["DeleteObject", "DELETE", { "x-id": "DeleteObject" }],
      ["HeadObject", "HEAD", {}],
    ] as const;
    for (let left = runCount(); left > 0; left--) {
      const [region, zone] = random.pick(zones);
      const [name, method, query] = random.pick(commands);
      const Bucket = `${random.pick(["media", "my-bucket-0123"])}--${zone}--x-s3`;
      const Key = randomKey(random);
      const expiresIn = 1 + random.below(300);
      const signedAt = new Date(Date.UTC(2026, random.below(12), 1 + random.below(28)) + random.below(86_400_000));
      const client = clients.get(region) as sdk.S3Client;
      const Command = Reflect.get(sdk, `${name}Command`) as new (input: object) => sdk.GetObjectCommand;
      const expected = await theirs(client, new Command({ Bucket, Key }), { expiresIn, signingDate: signedAt });
      const express = s3ExpressSigner({ region, credentials: session, clock: () => signedAt });
      const { url } = express.sign({
        bucket: Bucket,
        key: Key,
        method,
        query: { ...query, "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD" },
        expiresIn,
        dotSegments: "sign",
      });
      const parts = (text: string) => [text.split("?")[0], text.split("?")[1]?.split("&").sort()];
      expect(parts(url), Key).toEqual(parts(expected));
    }
  }, 600_000);

  test("follows the credentials, the region and the endpoint of a client as they change", async () => {
    let current = 0;
    const keys = ["AKIDONE", "AKIDTWO"].map((accessKeyId) => ({
      accessKeyId,
      secretAccessKey: `secret of ${accessKeyId}`,
      expiration: new Date(Date.now() + 1000),
    }));
    let region = "eu-west-1";
    const client = new sdk.S3Client({
      ...quiet,
      region: async () => region,
      credentials: async () => keys[current] as (typeof keys)[0],
    });
    const options = { signingDate: new Date("2026-01-02T03:04:05Z") };
    const get = new sdk.GetObjectCommand({ Bucket: "media", Key: "a" });
    const both = async (): Promise<string> => {
      const found = await getSignedUrl(client, get, options);
      expect(found).toBe(await theirs(client, get, options));
      return found;
    };
    expect(await both()).toContain("AKIDONE");
    current = 1;
    expect(await both()).toContain("AKIDTWO");
    region = "us-west-2";
    expect(await both()).toContain(".s3.us-west-2.amazonaws.com");
    client.config.forcePathStyle = true;
    expect(await both()).toContain("//s3.us-west-2.amazonaws.com/media/a?");
  });

  test("signs no command of the SDK without its bucket, its key or any other label, as the SDK does not", async () => {
    const client = new sdk.S3Client({
      ...quiet,
      region: "us-east-1",
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
    });
    const all: Readonly<Record<string, string>> = { Bucket: "media", Key: "other-bucket/secret", UploadId: "u" };
    const settled = async (work: () => Promise<string>): Promise<unknown> => {
      try {
        return await work();
      } catch (error) {
        return error;
      }
    };
    let refused = 0;
    for (const [name, Command] of Object.entries(sdk)) {
      if (!name.endsWith("Command") || name === "$Command") continue;
      const make = (input: object) => new (Command as new (input: object) => sdk.GetObjectCommand)({ ...input });
      for (const [label, value] of ["Bucket", "Key"].flatMap(
        (member) =>
          [
            [member, undefined],
            [member, ""],
            [member, null],
          ] as const,
      )) {
        const input = { ...all, [label]: value };
        const options = { signingDate: new Date("2026-01-02T03:04:05Z") };
        const expected = await settled(() => theirs(client, make(input), options as never));
        const found = await settled(() => getSignedUrl(client, make(input), options));
        const context = `${name} with ${label} ${JSON.stringify(value)}: ${String(expected)}`;
        // The SDK also requires members that do not appear in the URL.
        if (/label: (?:Bucket|Key)\.|Bucket is a required|Empty value/.test(String(expected))) {
          expect(found, context).toMatchObject({ code: "INVALID_INPUT" });
          refused += 1;
        } else if (typeof found === "string") {
          expect(typeof expected, context).toBe("string");
        }
      }
    }
    expect(refused).toBeGreaterThan(100);
  }, 120_000);

  test("takes the bucket for the endpoint where the client says so", async () => {
    const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
    const clients = [
      new sdk.S3Client({ ...quiet, region: "us-east-1", credentials, bucketEndpoint: true }),
      new sdk.S3Client({
        ...quiet,
        region: "us-east-1",
        credentials,
        bucketEndpoint: true,
        endpoint: "https://s3.example.com",
      }),
    ];
    const options = { signingDate: new Date("2026-01-02T03:04:05Z") };
    for (const client of clients) {
      for (const Bucket of [
        "https://cdn.example.com",
        "https://cdn.example.com:8443/base",
        "http://127.0.0.1:9000/a/b",
      ]) {
        for (const Key of ["k", "a b/c"]) {
          const get = () => new sdk.GetObjectCommand({ Bucket, Key });
          expect(await getSignedUrl(client, get(), options)).toBe(await theirs(client, get(), options as never));
        }
      }
      const bare = () => new sdk.GetObjectCommand({ Bucket: "media", Key: "k" });
      await expect(theirs(client, bare(), options as never)).rejects.toThrow();
      await expect(getSignedUrl(client, bare(), options)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    }
  });

  test("returns the credentials' expiry from presign, and signs the same URL", async () => {
    const expiration = new Date("2026-01-02T03:05:05Z");
    const client = new sdk.S3Client({
      ...quiet,
      region: "us-east-1",
      credentials: { accessKeyId: "ASIAEXAMPLE", secretAccessKey: "b", sessionToken: "t", expiration },
    });
    const options = { signingDate: new Date("2026-01-02T03:04:05Z"), expiresIn: 604_800 };
    const get = () => new sdk.GetObjectCommand({ Bucket: "media", Key: "k" });
    const signed = await presign(client, get(), options);
    expect(signed.url).toBe(await theirs(client, get(), options as never));
    expect(signed.expiresAt).toEqual(expiration);
    expect(signed.warnings).toEqual(["the URL ends with its credentials"]);
    const shorter = await presign(client, get(), { ...options, expiresIn: 60 });
    expect([shorter.expiresAt, shorter.warnings]).toEqual([expiration, []]);
  });

  test("says what it does not do", async () => {
    const { client } = make({
      name: "GetObject",
      client: { region: "us-east-1", credentials: { accessKeyId: "a", secretAccessKey: "b" } },
      input: {},
      options: { signingDate: 0 },
    });
    const code = (work: Promise<unknown>): Promise<unknown> =>
      work.then(String, (error: { code: unknown }) => error.code);
    const get = (input: object, options?: Options) =>
      code(getSignedUrl(client, new sdk.GetObjectCommand(input as never), options));
    expect(await get({ Bucket: "media" })).toBe("INVALID_INPUT");
    expect(await get({ Bucket: "media", Key: "" })).toBe("INVALID_INPUT");
    expect(await get({ Bucket: "media", Key: "a" }, { expiresIn: 604_801 })).toBe("INVALID_EXPIRY");
    expect(await get({ Bucket: "media", Key: "a" }, { expiresIn: 0 })).toBe("INVALID_EXPIRY");
    expect(await get({ Bucket: "media", Key: "a" }, { signingDate: "soon" })).toBe("INVALID_INPUT");
    expect(await get({ Bucket: "a/b", Key: "a" })).toBe("INVALID_INPUT");
    expect(await get({ Bucket: "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap", Key: "a" })).toBe(
      "UNSUPPORTED_CONSTRAINT",
    );
    expect(await code(getSignedUrl(client, { input: { Bucket: "media", Key: "a" } }))).toBe("INVALID_INPUT");
    expect(
      await code(getSignedUrl(client, new sdk.WriteGetObjectResponseCommand({ RequestRoute: "r", RequestToken: "t" }))),
    ).toBe("INVALID_INPUT");
    expect(await code(getSignedUrl({ config: {} }, new sdk.GetObjectCommand({ Bucket: "media", Key: "a" })))).toBe(
      "INVALID_INPUT",
    );
  });

  test("returns from presign what the holder must send", async () => {
    const { client } = make({
      name: "PutObject",
      client: { region: "eu-west-1", credentials: { accessKeyId: "a", secretAccessKey: "b" } },
      input: {},
      options: { signingDate: 0 },
    });
    const put = new sdk.PutObjectCommand({
      Bucket: "media",
      Key: "a",
      ContentType: "image/png",
      ServerSideEncryption: "AES256",
    });
    const signed = await presign(client, put, { expiresIn: 60, signableHeaders: new Set(["content-type"]) });
    expect(signed.method).toBe("PUT");
    expect(signed.headers).toEqual({ "content-type": "image/png", "x-amz-server-side-encryption": "AES256" });
    expect(signed.bound).toContain("header content-type");
    expect(signed.id).toMatch(/^[\w-]{22}$/);
    expect(JSON.parse(JSON.stringify(signed)).url).toBe(signed.url);
  });
});

/** The same URL once every checksum is taken out of theirs, and a signature over what is left. */
function expectSameButChecksum(found: string, expected: string, { client, name }: CommandWish, context: string): void {
  const [ours, other] = [found, expected].map(urlParts) as [ReturnType<typeof urlParts>, ReturnType<typeof urlParts>];
  const kept = other.tokens.filter((token) => !CHECKSUM.test(token) && token !== "x-amz-checksum-mode=ENABLED");
  const own = ours.tokens.filter((token) => !CHECKSUM.test(token) && token !== "x-amz-checksum-mode=ENABLED");
  expect({ ...ours, tokens: own, signature: "" }, context).toEqual({ ...other, tokens: kept, signature: "" });
  const query = ours.tokens.map(decodeToken);
  const value = (wanted: string): string => query.find(([parameter]) => parameter === wanted)?.[1] ?? "";
  if (value("X-Amz-SignedHeaders") !== "host") return;
  const { secretAccessKey } = client.credentials as { secretAccessKey: string };
  const [, date = "", region = ""] = value("X-Amz-Credential").split("/");
  const time = value("X-Amz-Date");
  const signedAt = new Date(
    `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T${time.slice(9, 11)}:${time.slice(11, 13)}:${time.slice(13, 15)}Z`,
  );
  const method = /^Get|^List/.test(name)
    ? "GET"
    : /^Head/.test(name)
      ? "HEAD"
      : /^(?:DeleteObjects|Create|Complete|Restore)/.test(name)
        ? "POST"
        : /^(?:Delete|Abort)/.test(name)
          ? "DELETE"
          : "PUT";
  const signature = sigV4({
    method,
    path: decodeURIComponent(ours.path),
    query,
    headers: { host: ours.origin.replace(/^https?:\/\//, "") },
    payload: "UNSIGNED-PAYLOAD",
    secretAccessKey,
    region,
    signedAt,
  });
  expect(ours.signature, context).toBe(signature);
}
