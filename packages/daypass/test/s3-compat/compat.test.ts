import { describe, expect, it } from "vitest";
import { seeded } from "../../../../tools/seeded-random.ts";
import { getSignedUrl, presign } from "../../src/schemes/s3/compat/index.ts";
import { expectRefusal, wireRequest } from "../wire-request.ts";
import { AT, Command, client, credentials, make, options, put, request, verifier } from "./sdk.ts";

describe("getSignedUrl of daypass/compat/aws", () => {
  it("signs what the command's schema says, and our own verifier takes it", async () => {
    const command = make({
      Bucket: "media",
      Key: "a b/é",
      VersionId: "1",
      Since: AT,
      Tags: ["a", 'b,"c'],
      Metadata: { Note: "x y" },
    });
    const { url, headers, method } = await presign(client(), command, options);
    expect(url).toBe(
      "https://media.s3.example.com/a%20b/%C3%A9?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD" +
        "&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60" +
        `&X-Amz-Signature=${/X-Amz-Signature=(\w+)/.exec(url)?.[1]}&X-Amz-SignedHeaders=host%3Bif-modified-since&versionId=1` +
        "&x-amz-meta-note=x%20y&x-amz-tags=a%2C%20%22b%2C%5C%22c%22&x-id=PutObject",
    );
    expect(headers).toEqual({ "if-modified-since": "Fri, 02 Jan 2026 03:04:05 GMT" });
    const grant = await verifier.verify({ ...wireRequest({ url, method, headers } as never) });
    expect(grant).toMatchObject({ bucket: "media", key: "a b/é", methods: ["PUT"] });
    expect(await getSignedUrl(client(), command, options)).toBe(url);
  });

  it("asks a client's endpoint rules once for a bucket, and again when something has changed", async () => {
    const { config, asked } = client();
    const sign = (Bucket = "media") => getSignedUrl({ config }, make({ Bucket, Key: "a" }), options);
    await sign();
    await sign();
    expect(asked).toHaveLength(1);
    await sign("other");
    expect(asked).toHaveLength(2);
    config.forcePathStyle = true;
    expect(await sign("other")).toMatch(/^https:\/\/s3\.example\.com\/other\/a\?/);
    config.region = async () => "us-east-1";
    expect(await sign("other")).toContain("us-east-1");
    expect(asked).toHaveLength(4);
  });

  it("asks again when any setting has changed that the rules ask for, known to us or not", async () => {
    const names = ["forcePathStyle", "useArnRegion", "disableMultiregionAccessPoints", "useAccelerateEndpoint"];
    names.push(
      "disableS3ExpressSessionAuth",
      "useGlobalEndpoint",
      "useFipsEndpoint",
      "useDualstackEndpoint",
      "tomorrow",
    );
    const asks = Object.fromEntries(names.map((name) => [name, { type: "clientContextParams", name }]));
    class Knowing extends Command {
      static override getEndpointParameterInstructions() {
        return { ...Command.getEndpointParameterInstructions(), ...asks };
      }
    }
    const { config, asked } = client({
      isCustomEndpoint: true,
      endpoint: undefined,
      ignoreConfiguredEndpointUrls: true,
    });
    const sign = () => getSignedUrl({ config }, new Knowing(put, { Bucket: "media", Key: "a" }), options);
    await sign();
    for (const [turn, name] of [...names, "endpoint", "isCustomEndpoint"].entries()) {
      await sign();
      expect(asked).toHaveLength(turn + 1);
      Object.assign(config, { [name]: name === "endpoint" ? "https://s3.example.com" : async () => true });
      await sign();
      expect([name, asked.length]).toEqual([name, turn + 2]);
    }
    Object.assign(config, { bucketEndpoint: true });
    await expectRefusal(sign(), "INVALID_INPUT");
  });

  it("reads the configuration of a class whose getters have private members, and sees what changes in it", async () => {
    class Kept {
      readonly #config = client().config;
      readonly region = this.#config.region;
      readonly credentials = this.#config.credentials;
      readonly endpointProvider = this.#config.endpointProvider;
      get forcePathStyle() {
        return this.#config.forcePathStyle;
      }
      set forcePathStyle(value) {
        this.#config.forcePathStyle = value;
      }
    }
    const config = new Kept();
    const sign = () => getSignedUrl({ config }, make({ Bucket: "media", Key: "a" }), options);
    expect(await sign()).toBe(await getSignedUrl(client(), make({ Bucket: "media", Key: "a" }), options));
    config.forcePathStyle = true;
    expect(await sign()).toMatch(/^https:\/\/s3\.example\.com\/media\/a\?/);
  });

  it("asks for the region once a call, so that an address is kept for no other region than its own", async () => {
    const regions = ["eu-west-1", "us-east-1", "eu-west-1"];
    const one = client({ region: async () => regions.shift() });
    const sign = () => getSignedUrl(one, make({ Bucket: "media", Key: "a" }), options);
    for (const region of ["eu-west-1", "us-east-1", "eu-west-1"]) expect(await sign()).toContain(`%2F${region}%2F`);
    expect(one.asked).toHaveLength(3);

    const configuration = [3, "ns", "Configuration", 0, ["LocationConstraint"], [0]];
    const wish = [
      3,
      "ns",
      "Wish",
      0,
      ["Bucket", "CreateBucketConfiguration"],
      [
        [0, 1],
        [() => configuration, 16],
      ],
    ];
    const create = [9, "ns", "CreateBucket", { http: ["PUT", "/", 200] }, () => wish, () => undefined];
    const written: object[] = [];
    const protocol = { serializeRequest: async (_: object, input: object) => written.push(input) };
    const there = client({ region: async () => regions.shift(), protocol });
    regions.push("eu-west-1", "eu-west-2");
    expect(await getSignedUrl(there, make({ Bucket: "media" }, create), options)).toContain("%2Feu-west-1%2F");
    expect(written).toEqual([{ Bucket: "media", CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }]);

    const zonal = { Bucket: "media", CreateBucketConfiguration: { Location: { Name: "euw1-az1" } } };
    await getSignedUrl(there, make(zonal, create), options);
    expect(written.at(-1)).toEqual(zonal);
  });

  it("signs what was asked for, whatever is written into the command or the options meanwhile, and remembers its address", async () => {
    const one = client();
    const command = make({ Bucket: "media", Key: "k" });
    const wish = { ...options };
    const first = getSignedUrl(one, command, wish);
    wish.expiresIn = 604_800;
    // Until the client's region is known, and its rules are asked.
    for (let turn = 0; turn < 3; turn++) await undefined;
    Object.assign(command.input, { Bucket: "other", Key: "secret" });
    expect(await first).toMatch(/^https:\/\/media\.s3\.example\.com\/k\?.*&X-Amz-Expires=60&/);
    expect(await getSignedUrl(one, make({ Bucket: "other", Key: "k" }), options)).toMatch(/^https:\/\/other\./);
  });

  it("returns a new Date as the expiry of each URL", async () => {
    const expiration = new Date(AT.getTime() + 30_000);
    for (const given of [{}, { credentials: async () => ({ ...credentials, expiration }) }]) {
      const one = client(given);
      const presigned = () => presign(one, make({ Bucket: "a", Key: "k" }), options);
      const end = (await presigned()).expiresAt.getTime();
      (await presigned()).expiresAt.setTime(0);
      expect((await presigned()).expiresAt.getTime()).toBe(end);
    }
  });

  it.each([{ secretAccessKey: "another" }, { accessKeyId: "AKIDANOTHER" }, { sessionToken: "another" }])(
    "goes over to %j, which is written into the credentials of its client",
    async (written) => {
      const row = { ...credentials, sessionToken: "token", expiration: new Date(AT.getTime() + 3_600_000) };
      const one = client({ credentials: async () => row });
      const url = () => getSignedUrl(one, make({ Bucket: "a", Key: "k" }), options);
      await url();
      Object.assign(row, written);
      const fresh = client({ credentials: async () => ({ ...row }) });
      expect(await url()).toBe(await getSignedUrl(fresh, make({ Bucket: "a", Key: "k" }), options));
    },
  );

  it("signs each call as if it were the first, whatever the same client has signed before", async () => {
    const random = seeded(41);
    const seldom = <T>(usual: T, ...others: readonly T[]): T => (random.chance(0.85) ? usual : random.pick(others));
    const get = [
      9,
      "ns",
      "GetObject",
      { http: ["GET", "/{Key+}?x-id=GetObject", 200] },
      () => request,
      () => undefined,
    ];
    const ends = new Date(AT.getTime() + 9e5);
    const own = { ...credentials, expiration: ends };
    const another = { accessKeyId: "AKIDOTHER", secretAccessKey: "other", sessionToken: "to/ken", expiration: ends };
    const provider = { now: own };
    const changes = { credentials: async () => provider.now };
    const { config: kept } = client(changes);
    const urls = new Set<string>();
    for (let turn = 0; turn < 600; turn++) {
      provider.now = seldom(own, another);
      const input = {
        Bucket: seldom("media", "other"),
        Key: `${turn}`,
        VersionId: seldom(undefined, "7"),
        Metadata: seldom(undefined, { a: "1" }),
      };
      const command = make(input, seldom(put, get));
      const options = {
        signingDate: seldom(AT, new Date(AT.getTime() + 1000), new Date(AT.getTime() + 864e5)),
        expiresIn: seldom(60, 61),
        signingRegion: seldom(undefined, "eu-west-2"),
        signingService: seldom(undefined, "s3-outposts"),
        signableHeaders: seldom(undefined, new Set(["content-type"])),
        unhoistableHeaders: seldom(undefined, new Set(["x-amz-content-sha256"]), new Set(["x-amz-meta-a"])),
      };
      const url = await getSignedUrl({ config: kept }, command, options);
      expect(url).toBe(await getSignedUrl({ config: client(changes).config }, command, options));
      urls.add(url);
    }
    expect(urls.size).toBe(600);
  });

  it("chooses path style for names that are no host's", async () => {
    for (const Bucket of ["a.b", "Upper", "ab", "192.168.0.1", "a..b"]) {
      expect(await getSignedUrl(client(), make({ Bucket, Key: "k" }), options)).toMatch(
        /^https:\/\/s3\.example\.com\//,
      );
    }
    // Without TLS no certificate minds a dot.
    const plain = { endpoint: "http://s3.example.com", isCustomEndpoint: true };
    for (const [Bucket, host] of [
      ["a.b", "a.b.s3.example.com"],
      ["192.168.0.1", "s3.example.com"],
      ["a..b", "s3.example.com"],
    ] as const)
      expect(new URL(await getSignedUrl(client(plain), make({ Bucket, Key: "k" }), options)).host).toBe(host);
  });

  it("keeps credentials that do not end, and asks again for those that do", async () => {
    let asked = 0;
    const count = (expiration: Date | undefined) =>
      client({ credentials: async () => ({ ...credentials, expiration, sessionToken: String(++asked) }) });
    const lasting = count(undefined);
    for (let i = 0; i < 3; i++) await getSignedUrl(lasting, make({ Bucket: "media", Key: "a" }), options);
    expect(asked).toBe(1);
    const ending = count(new Date(AT.getTime() + 1000));
    for (let i = 0; i < 3; i++) await getSignedUrl(ending, make({ Bucket: "media", Key: "a" }), options);
    expect(asked).toBe(4);
  });

  it("asks the client's present provider, and asks again after a provider without a key", async () => {
    const one = client();
    const sign = () => getSignedUrl(one, make({ Bucket: "media", Key: "a" }), options);
    expect(await sign()).toContain("=AKIDEXAMPLE%2F");
    one.config.credentials = async () => ({ ...credentials, accessKeyId: "AKIDOTHER" });
    expect(await sign()).toContain("=AKIDOTHER%2F");
    const given = [{} as typeof credentials, credentials];
    one.config.credentials = async () => given.shift() as typeof credentials;
    await expectRefusal(sign(), "INVALID_KEY");
    expect(await sign()).toContain("=AKIDEXAMPLE%2F");
  });

  it("asks a client that has signed before for sessions, lengths and hashes of keys all the same", async () => {
    const authSchemes = [{ name: "sigv4-s3express", signingName: "s3express", signingRegion: "eu-west-1" }];
    const url = { protocol: "https:", hostname: "h", port: "", pathname: "/" };
    const session = { ...credentials, accessKeyId: "ASIASESSION", sessionToken: "token" };
    const express = client({
      endpointProvider: () => ({ url, properties: { authSchemes } }),
      s3ExpressIdentityProvider: { getS3ExpressIdentity: async () => session },
    });
    const one = client({
      md5: class {
        update(): void {}
        digest = async () => new Uint8Array(16);
      },
    });
    const name = "x-amz-server-side-encryption-customer-key";
    const headers = [{ httpHeader: name }, { httpHeader: `${name}-MD5` }].map((traits) => [0, traits]);
    const members = ["Bucket", "Key", "SSECustomerKey", "SSECustomerKeyMD5"];
    const keyed = [3, "ns", "Keyed", 0, members, [[0, 1], [0, 1], ...headers], 2];
    const get = [9, "ns", "GetObject", { http: ["GET", "/{Key+}", 200] }, () => keyed, () => undefined];
    const object = { Bucket: "media", Key: "a" };
    for (let turn = 0; turn < 2; turn++) {
      expect(await getSignedUrl(express, make(object), options)).toContain("=ASIASESSION%2F");
      expect((await presign(one, make({ ...object, Body: "a" }), options)).headers).toEqual({ "content-length": "1" });
      await getSignedUrl(one, make(object, get), options);
      const { headers } = await presign(one, make({ ...object, SSECustomerKey: "k" }, get), options);
      expect(headers).toEqual({ [name]: "aw==", [`${name}-md5`]: "AAAAAAAAAAAAAAAAAAAAAA==" });
    }
  });

  it("ends a URL with its credentials where those end first, and says so", async () => {
    const end = (seconds: number) => new Date(AT.getTime() + seconds * 1000);
    for (const [seconds, ends, warnings] of [
      [59, 59, ["the URL ends with its credentials"]],
      [60, 60, []],
      [61, 60, []],
    ] as const) {
      const one = client({ credentials: async () => ({ ...credentials, expiration: end(seconds) }) });
      const signed = await presign(one, make({ Bucket: "media", Key: "a" }), options);
      expect([signed.expiresAt, signed.warnings]).toEqual([end(ends), warnings]);
    }
  });

  it("takes a text of digits for seconds since 1970, as it takes a number", async () => {
    const seconds = AT.getTime() / 1000;
    for (const signingDate of [seconds, String(seconds), AT.toISOString()])
      expect(await getSignedUrl(client(), make({ Bucket: "media", Key: "a" }), { ...options, signingDate })).toContain(
        "&X-Amz-Date=20260102T030405Z&",
      );
  });

  it("refuses what it cannot read", async () => {
    const sign = (command: { input: object }, of = client()) => getSignedUrl(of, command, options);
    await expectRefusal(sign(make({ Bucket: "media" })), "INVALID_INPUT");
    await expectRefusal(sign(make({ Bucket: "media", Key: "" })), "INVALID_INPUT");
    await expectRefusal(sign(make({ Bucket: "media", Key: "a", Since: new Date(Number.NaN) })), "INVALID_INPUT");
    await expectRefusal(sign(make({ Bucket: "media", Key: "a", VersionId: {} })), "INVALID_INPUT");
    await expectRefusal(sign(make({ Bucket: "a/b", Key: "a" })), "INVALID_INPUT");
    await expectRefusal(sign({ input: { Bucket: "media", Key: "a" } }), "INVALID_INPUT");
    await expectRefusal(sign(make({}, [9, "ns", "Odd", {}, request])), "INVALID_INPUT");
    await expectRefusal(sign(make({ Bucket: "media", Key: "a" }), { config: {} } as never), "INVALID_INPUT");
    await expectRefusal(
      sign(make({ Bucket: "media", Key: "a" }), client({ credentials: async () => ({}) })),
      "INVALID_KEY",
    );
    const global = {
      properties: { authSchemes: [{ name: "sigv4a", signingRegionSet: ["*"] }] },
      url: { protocol: "https:", hostname: "h", port: "", pathname: "/" },
    };
    await expectRefusal(
      sign(make({ Bucket: "media", Key: "a" }), client({ endpointProvider: () => global })),
      "UNSUPPORTED_CONSTRAINT",
    );
    const nowhere = { ...global, properties: { authSchemes: [{ name: "sigv4", signingName: "s3" }] } };
    await expectRefusal(
      sign(make({ Bucket: "media", Key: "a" }), client({ endpointProvider: () => nowhere })),
      "UNSUPPORTED_CONSTRAINT",
    );
  });
});
