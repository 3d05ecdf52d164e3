import { describe, expect, it } from "vitest";
import { s3Signer, s3Verifier } from "../../src/schemes/s3/index.ts";
import { s3V2Signer } from "../../src/schemes/s3/v2/index.ts";
import { wireRequest } from "../wire-request.ts";
import { AT, call, clock, credentials, endpoint, message, options } from "./given.ts";

// The suffixes of `partitions.json` in the AWS SDK, for the partitions that are open to everybody.
it.each([
  ["eu-west-1", "media.s3.eu-west-1.amazonaws.com"],
  ["us-gov-west-1", "media.s3.us-gov-west-1.amazonaws.com"],
  ["cn-north-1", "media.s3.cn-north-1.amazonaws.com.cn"],
  ["eusc-de-east-1", "media.s3.eusc-de-east-1.amazonaws.eu"],
])("signs for Amazon's host of the region %s", (region, host) => {
  expect(new URL(s3Signer({ ...options, region }).sign(call).url).host).toBe(host);
});

// What a client makes of the host is what it sends, so anything else would be signed in vain.
it.each([
  ["http://127.1:9000", "127.0.0.1:9000"],
  ["http://0x7f.1", "127.0.0.1"],
  ["http://[0:0:0:0:0:0:0:1]:9000", "[::1]:9000"],
  ["https://S3.example.com:0443", "s3.example.com"],
])("signs for the host that clients make of the endpoint %s", async (place, host) => {
  const { url } = s3Signer({ ...options, endpoint: place }).sign(call);
  expect(url.split("/")[2]).toBe(host);
  expect(new URL(url).host).toBe(host);
  const request = {
    ...wireRequest(s3Signer(options).sign(call)),
    authority: host,
    target: url.slice(url.indexOf("/media")),
  };
  const origins = [new URL(url).origin];
  expect(await s3Verifier({ credentials, origins, clock }).verify(request)).toMatchObject({ bucket: "media" });
});

// Each is refused for what it is, and before its signature: a client can mend a date, and not a signature.
it.each([
  ["a day that no month has", /20260102(?=T)|20260102(?=%2F)/g, "20260230"],
  ["an hour that no day has", "T030405Z", "T250405Z"],
  ["no life", "X-Amz-Expires=60", "X-Amz-Expires="],
  ["a life with a sign", "X-Amz-Expires=60", "X-Amz-Expires=%2B60"],
  ["a life with what stands behind 9", "X-Amz-Expires=60", "X-Amz-Expires=6:"],
  ["a life with what stands before 0", "X-Amz-Expires=60", "X-Amz-Expires=6/"],
  ["a life that ends with a minus", "X-Amz-Expires=60", "X-Amz-Expires=60-"],
])("refuses a URL with %s as malformed", async (_, part, other) => {
  const request = wireRequest(s3Signer({ ...options, endpoint }).sign(call));
  const target = request.target.replace(part, other);
  expect(target).not.toBe(request.target);
  const verifier = s3Verifier({ credentials, origins: [endpoint], clock });
  await expect(verifier.verify({ ...request, target })).rejects.toMatchObject({ code: "MALFORMED" });
});

describe("what is refused", () => {
  it("is in the message without user, password and query", () => {
    const said = message(() => s3Signer({ ...options, endpoint: "https://user:hunter2@s3.example.com/?token=t0p" }));
    expect(said).toMatch(/^INVALID_INPUT: endpoint is .* Pass scheme:/);
    expect(said).toContain("s3.example.com");
    expect(said).not.toMatch(/user|hunter2|t0p/);
  });

  // `cond && {…}` is how it is left out in JavaScript.
  it.each([false, "", 0, null])("refuses an unknown binding beside %j", (nothing) => {
    const bind = { contentType: "text/plain", query: { versionId: "1" } };
    const more = { headers: nothing, query: nothing, bind } as object;
    const { url } = s3Signer({ ...options, endpoint }).sign({ ...call, method: "PUT", ...more });
    expect(url).toMatch(/SignedHeaders=content-type%3Bhost&.*versionId=1/);
  });

  it.each([
    "user:hunter2@s3.example.com",
    "https:user:hunter2@s3.example.com",
    "https:\\\\user:hunter2@s3.example.com",
    "https://user:hunt\u2028er2@s3.example.com",
    "https://s3.example.com/#token=hunter2",
    "https://s3.example.com/?a\u2028=hunter2",
  ])("stands in the message without its secret, however it is spelt: %j", (place) => {
    expect(message(() => s3Signer({ ...options, endpoint: place }))).toMatch(/^INVALID_INPUT(?!.*er2)/s);
  });

  it.each<[string, object]>([
    ["headers as Headers", { headers: new Headers({ "content-type": "image/png" }) }],
    ["headers as a Map", { bind: { headers: new Map([["content-type", "image/png"]]) } }],
    ["headers as a text", { headers: "x" }],
    ["all bindings as a Map", { bind: new Map([["contentType", "image/png"]]) }],
    ["overrides as a Map", { response: new Map([["contentType", "image/png"]]) }],
    ["a query as URLSearchParams", { query: new URLSearchParams("versionId=1") }],
    ["a query as a text", { bind: { query: "versionId=1" } }],
    ["a header of null", { bind: { contentType: null } }],
    ["a header that is an object", { headers: { "x-amz-meta-a": {} } }],
  ])("is %s, which would bind nothing or something else", (_, more) => {
    expect(message(() => s3Signer({ ...options, endpoint }).sign({ ...call, ...more }))).toMatch(/^INVALID_INPUT/);
  });

  it("refuses a session token that is not text without showing it", () => {
    const signer = s3Signer({ ...options, endpoint, credentials: { ...credentials, sessionToken: "T0PSECRET\ud800" } });
    expect(message(() => signer.sign(call))).toMatch(/^INVALID_INPUT(?!.*T0P)/);
  });

  it("refuses a past expiry, also within a stable window that began before it", () => {
    const signer = s3Signer({ ...options, endpoint });
    const ask = (expiresAt: Date) =>
      message(() => signer.sign({ bucket: "b", key: "k", expiresAt, stableWindow: 3600 }));
    expect(ask(new Date(AT.getTime() - 1000))).toMatch(/^INVALID_EXPIRY/);
    expect(ask(AT)).toMatch(/^INVALID_EXPIRY/);
    expect(ask(new Date(AT.getTime() + 1000))).toMatch(/^signed/);
  });

  it("refuses clamped credentials that expired after the window began", () => {
    const ended = { ...credentials, expiration: new Date(AT.getTime() - 1000) };
    const signer = s3Signer({ ...options, endpoint, credentials: ended, credentialExpiry: "clamp" });
    expect(message(() => signer.sign({ ...call, stableWindow: 3600 }))).toMatch(/^CREDENTIALS_EXPIRE_FIRST/);
  });

  it("refuses a lifetime as text", () => {
    const expiresIn = "60" as unknown as number;
    expect(message(() => s3Signer({ ...options, endpoint }).sign({ ...call, expiresIn }))).toMatch(/^INVALID_EXPIRY/);
  });

  it("refuses an endpoint with an escape, which would be escaped again", () => {
    expect(message(() => s3Signer({ ...options, endpoint: "https://h.example.com/a%20b" }))).toMatch(/^INVALID_INPUT/);
    expect(s3Signer({ ...options, endpoint: "http://my_minio:9000" }).sign(call).url).toMatch(
      /^http:\/\/my_minio:9000\//,
    );
  });

  it("refuses dot segments after many slashes in linear time", () => {
    const signer = s3Signer({ ...options, endpoint });
    const key = `${"/".repeat(200_000)}..`;
    expect(message(() => signer.sign({ ...call, key }))).toMatch(/^DOT_SEGMENTS/);
  });

  it.each(["http://s3.example.com:65536", "http://s3.example.com:99999"])("refuses the port of %s", (place) => {
    expect(message(() => s3Signer({ ...options, endpoint: place }))).toMatch(/^INVALID_INPUT: endpoint is/);
  });

  // What a variable that is not set leaves of it, also after a bucket.
  it.each(["http://:9000", "http://"])("refuses an endpoint without a host: %s", (place) => {
    for (const addressing of ["path", "virtual"] as const) {
      const at = { ...options, endpoint: place, addressing };
      expect(message(() => s3Signer(at))).toMatch(/^INVALID_INPUT: endpoint is/);
    }
  });

  it.each(["http://127.0.0.1:9000", "http://[::1]:9000", "http://2130706433"])(
    "refuses a bucket in front of an IP address: %s",
    (place) => {
      const at = { ...options, endpoint: place, addressing: "virtual" } as const;
      expect(message(() => s3Signer(at))).toMatch(/^INVALID_INPUT: endpoint is/);
    },
  );

  it.each(["us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1"])(
    "refuses a region of an isolated partition without its endpoint: %s",
    (region) => {
      expect(message(() => s3Signer({ ...options, region }))).toMatch(/^INVALID_INPUT: endpoint is/);
      const own = { ...options, region, endpoint: `https://s3.${region}.c2s.ic.gov` };
      expect(message(() => s3Signer(own).sign(call))).toMatch(/^signed/);
    },
  );

  it.each<[string, object]>([
    ["query and bind.query", { query: { versionId: "1" }, bind: { query: { versionId: "1" } } }],
    ["query and response", { query: { "response-content-type": "a/b" }, response: { contentType: "c/d" } }],
    ["bind.query and response", { bind: { query: { "response-expires": "0" } }, response: { expires: "1" } }],
  ])("is a parameter that comes from %s", (_, more) => {
    for (const signer of [s3Signer({ ...options, endpoint }), s3V2Signer({ ...options, endpoint })]) {
      expect(message(() => signer.sign({ ...call, ...more }))).toMatch(/^INVALID_INPUT: query\./);
    }
    const several = { query: { tag: ["1", "2"] }, bind: { query: { constructor: "1" } } } as object;
    expect(message(() => s3Signer({ ...options, endpoint }).sign({ ...call, ...several }))).toMatch(/^signed/);
  });

  it("refuses a parameter without a value, which would bind nothing", () => {
    for (const signer of [s3Signer({ ...options, endpoint }), s3V2Signer({ ...options, endpoint })]) {
      const asked = (versionId: unknown) =>
        [{ query: { versionId } }, { bind: { query: { versionId } } }].map((more) =>
          message(() => signer.sign({ ...call, ...(more as object) })),
        );
      for (const value of [[], undefined, [undefined], null])
        for (const text of asked(value)) expect(text).toMatch(/^INVALID_INPUT: query\.versionId/);
      for (const value of ["", [""]]) for (const text of asked(value)) expect(text).toMatch(/[?&]versionId[=&]/);
    }
  });

  it("refuses a constraint that a class has as a getter", () => {
    class Call {
      bucket = "media";
      key = "a.txt";
      expiresIn = 60;
    }
    const own = { ...options, endpoint };
    for (const signer of [s3Signer(own), s3V2Signer(own)]) {
      class Later extends Call {
        get notBefore() {
          return AT;
        }
      }
      class Folder extends Call {
        get prefix() {
          return "a/";
        }
      }
      class Peer {
        get ip() {
          return "203.0.113.9";
        }
      }
      expect(message(() => signer.sign(new Later()))).toMatch(/^UNSUPPORTED_CONSTRAINT: notBefore/);
      expect(message(() => signer.sign(new Folder()))).toMatch(/^UNSUPPORTED_CONSTRAINT: .* prefix/);
      expect(message(() => signer.sign({ ...call, bind: new Peer() }))).toMatch(/^UNSUPPORTED_CONSTRAINT: bind\.ip/);
    }
  });

  it.each([
    ["SigV4", s3Signer({ ...options, endpoint })],
    ["SigV2", s3V2Signer({ ...options, endpoint })],
  ])("refuses an unknown option of %s, and ignores undefined", (_, signer) => {
    const ask = (more: object) => message(() => signer.sign({ ...call, ...more }));
    expect(ask({ ContentType: "image/png" })).toMatch(/^UNSUPPORTED_CONSTRAINT: ContentType is not an option/);
    expect(ask({ uses: 1 })).toMatch(/^UNSUPPORTED_CONSTRAINT: uses/);
    const inherited = Object.assign(Object.create({ contentLength: 5 }), call) as typeof call;
    expect(message(() => signer.sign(inherited))).toMatch(/^UNSUPPORTED_CONSTRAINT: contentLength/);
    expect(ask({ uses: undefined, notBefore: undefined })).toMatch(/^signed/);
  });
});

describe("a checksum that was signed", () => {
  const signer = s3Signer({ ...options, endpoint });
  const put = { ...call, method: "PUT" };
  const verify = (wish: object, enforces: readonly "body-checksum"[] = []) =>
    s3Verifier({ credentials, origins: [endpoint], enforces, clock }).verify(
      wireRequest(signer.sign({ ...put, ...wish })),
    );

  it.each([
    ["a header", { headers: { "x-amz-checksum-crc32": "NhCmhg==" } }],
    ["a parameter, where SDKs move it", { query: { "x-amz-checksum-crc32": "NhCmhg==" } }],
    ["a parameter in another case", { query: { "X-Amz-Checksum-Crc32": "NhCmhg==" } }],
    ["a header of no bytes", { headers: { "x-amz-checksum-crc32": "AAAAAA==" } }],
  ])("obliges the caller to enforce %s", async (_, wish) => {
    await expect(verify(wish)).rejects.toMatchObject({ code: "UNENFORCED_CONSTRAINT" });
    const { obligations } = await verify(wish, ["body-checksum"]);
    expect(obligations).toMatchObject([{ kind: "body-checksum", header: "x-amz-checksum-crc32" }]);
  });

  it.each(["content-md5", "x-amz-checksum-xxhash3", "x-amz-checksum-sha512", "x-amz-checksum-mode2"])(
    "obliges the caller to enforce the header %s, even an unknown one",
    async (header) => {
      const { obligations } = await verify({ headers: { [header]: "a" } }, ["body-checksum"]);
      expect(obligations).toEqual([{ kind: "body-checksum", header, value: "a" }]);
    },
  );

  it("ignores the checksum of AWS's presigner without a body, a mode and an algorithm", async () => {
    const { obligations } = await verify({
      query: {
        "x-amz-checksum-crc32": "AAAAAA==",
        "x-amz-checksum-mode": "ENABLED",
        "x-amz-sdk-checksum-algorithm": "CRC32",
        // Which S3 reads as a header only.
        "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==",
      },
    });
    expect(obligations).toEqual([]);
  });
});

it("each response header that was signed has to be sent, and nothing that is named almost like one", async () => {
  const signer = s3Signer({ ...options, endpoint });
  const verifier = s3Verifier({ credentials, origins: [endpoint], enforces: ["response"], clock });
  const obligations = async (query: Readonly<Record<string, string>>) =>
    (await verifier.verify(wireRequest(signer.sign({ ...call, query })))).obligations;
  const headers = {
    ...{ "cache-control": "a", "content-disposition": "b", "content-encoding": "c" },
    ...{ "content-language": "d", "content-type": "e", expires: "f" },
  };
  const query = Object.entries(headers).map(([name, value]) => [`response-${name}`, value]);
  expect(await obligations(Object.fromEntries(query))).toEqual([{ kind: "response", headers }]);
  expect(await obligations({ "response-content-type2": "a", "my-response-expires": "b" })).toEqual([]);
});

it("no text passes for a body whose length is bound, as its characters are no bytes", async () => {
  const headers = { "x-amz-content-sha256": "0".repeat(64) };
  const verifier = s3Verifier({ credentials, origins: [endpoint], enforces: ["body-sha256"], clock });
  const request = wireRequest(s3Signer({ ...options, endpoint }).sign({ ...call, method: "PUT", headers }));
  const grant = await verifier.verify(request);
  Object.assign(grant, { obligations: [{ kind: "body-length", min: 0, max: 3 }] });
  const read = async (chunks: readonly unknown[]): Promise<void> => {
    async function* body() {
      yield* chunks;
    }
    for await (const _ of grant.limitBody(body() as AsyncIterable<Uint8Array>));
  };
  await read([new Uint8Array(1), Buffer.from("ab")]);
  await expect(read(["üüü"])).rejects.toMatchObject({ code: "BODY_LENGTH" });
  await expect(read(["a"])).rejects.toMatchObject({ code: "BODY_LENGTH" });
});
