import { createHmac } from "node:crypto";
import { anyOf, type ErrorCode, isDaypassError, type WireRequest } from "daypass";
import {
  type GcsSignRequest,
  gcsHmacSigner,
  gcsHmacVerifier,
  gcsSignedTexts,
  gcsSigner,
  gcsVerifier,
} from "daypass/gcs";
import { describe, expect, it } from "vitest";
import { expectRefusal, wireRequest } from "../scheme-contract.ts";
import { account, foreignKey, hmacKey, publicAccount } from "./account.ts";

const NOW = new Date("2026-01-02T03:04:05Z");
const clock = () => NOW;
const endpoint = "https://storage.example.com";
const origins = [endpoint, "https://*.storage.example.com", "https://files.example.com", "http://localhost:8080"];
const buckets = { "https://files.example.com": "media" };
const enforces = ["response", "body-checksum", "body-sha256", "body-length", "create-only"] as const;
const signer = gcsHmacSigner({ credentials: hmacKey, endpoint, clock });
const common = { origins, buckets, clock, enforces };
const verifier = anyOf(gcsVerifier({ keys: publicAccount, ...common }), gcsHmacVerifier({ keys: hmacKey, ...common }));

const sign = (extra: Partial<GcsSignRequest> = {}) =>
  signer.sign({ bucket: "media", object: "a/b.txt", expiresIn: 600, ...extra });
const codeOf = (work: () => unknown): ErrorCode | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    if (isDaypassError(error)) return error.code;
    throw error;
  }
};
const parameters = (url: string): URLSearchParams => new URL(url).searchParams;

describe("a GCS signer", () => {
  it("derives the HMAC's key from GOOG4, date, auto, storage and goog4_request", () => {
    const link = sign();
    const { stringToSign } = gcsSignedTexts(wireRequest(link));
    const key = ["20260102", "auto", "storage", "goog4_request"].reduce<string | Buffer>(
      (secret, step) => createHmac("sha256", secret).update(step).digest(),
      `GOOG4${hmacKey.secretAccessKey}`,
    );
    expect(stringToSign.startsWith("GOOG4-HMAC-SHA256\n20260102T030405Z\n20260102/auto/storage/goog4_request\n")).toBe(
      true,
    );
    expect(parameters(link.url).get("X-Goog-Signature")).toBe(
      createHmac("sha256", key).update(stringToSign).digest("hex"),
    );
  });

  it("signs by promise with an account and at once with an HMAC key", async () => {
    const promised = gcsSigner({ credentials: account, clock }).sign({ bucket: "b", object: "o", expiresIn: 1 });
    expect(promised).toBeInstanceOf(Promise);
    expect(parameters((await promised).url).get("X-Goog-Algorithm")).toBe("GOOG4-RSA-SHA256");
    expect(parameters(sign().url).get("X-Goog-Algorithm")).toBe("GOOG4-HMAC-SHA256");
  });

  it("carries hostile object names in all three addressings", async () => {
    const names = ["a b+c", "100%", "a%20b", "q?x=1#y&z", "'()!*", "x//y", "/lead", "dir/", "é/日本/🚀", "tab\tline\n"];
    const styles = [
      { endpoint },
      { endpoint, addressing: "virtual" },
      { endpoint: "https://files.example.com", addressing: "bucket-bound" },
    ] as const;
    for (const style of styles) {
      const { sign: signOne } = gcsHmacSigner({ ...style, credentials: hmacKey, clock });
      for (const object of names) {
        const grant = await verifier.verify(wireRequest(signOne({ bucket: "media", object, expiresIn: 1 })));
        expect([grant.bucket, grant.object]).toEqual(["media", object]);
      }
      const grant = await verifier.verify(wireRequest(signOne({ bucket: "media", expiresIn: 1 })));
      expect([grant.bucket, grant.object]).toEqual(["media", undefined]);
    }
  });

  it("takes a bucket with underscores as a host", async () => {
    const { sign: signOne } = gcsHmacSigner({ endpoint, addressing: "virtual", credentials: hmacKey, clock });
    const link = signOne({ bucket: "b_1.c_d", object: "o", expiresIn: 1 });
    expect(new URL(link.url).host).toBe("b_1.c_d.storage.example.com");
    expect((await verifier.verify(wireRequest(link))).bucket).toBe("b_1.c_d");
    expect(codeOf(() => signOne({ bucket: "_b", object: "o", expiresIn: 1 }))).toBe("INVALID_INPUT");
  });

  it("signs the host without the port that its URL has", async () => {
    const link = gcsHmacSigner({ credentials: hmacKey, endpoint: "http://localhost:8080", clock }).sign({
      bucket: "b",
      object: "o",
      expiresIn: 60,
    });
    expect(link.url).toMatch(/^http:\/\/localhost:8080\/b\/o\?/);
    const request = wireRequest(link);
    expect(request.authority).toBe("localhost:8080");
    expect(gcsSignedTexts(request).canonicalRequest).toContain("\nhost:localhost\n");
    await expect(verifier.verify(request)).resolves.toBeDefined();
  });

  it("takes the universe from the key file unless it is told another", async () => {
    const credentials = { ...account, universe_domain: "apis.example" };
    const request = { bucket: "b", object: "o", expiresIn: 60 };
    expect((await gcsSigner({ credentials, clock }).sign(request)).url).toMatch(
      /^https:\/\/storage\.apis\.example\/b\/o/,
    );
    const virtual = gcsSigner({ credentials, addressing: "virtual", universeDomain: "domain.com", clock });
    expect((await virtual.sign(request)).url).toMatch(/^https:\/\/b\.storage\.domain\.com\/o/);
  });

  it("binds lengths, a digest, a type and headers, and lists them", async () => {
    const sha256 = "0".repeat(64);
    const link = sign({
      method: "PUT",
      bind: { contentType: "image/png", contentLength: { max: 10 }, sha256 },
      headers: { "X-Goog-If-Generation-Match": "0", "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" },
    });
    expect(link.headers).toEqual({
      "content-type": "image/png",
      "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==",
      "x-goog-content-length-range": "0,10",
      "x-goog-content-sha256": sha256,
      "x-goog-if-generation-match": "0",
    });
    expect(link.bound).toContain("header x-goog-content-length-range");
    expect(link.unbound).not.toContain("body");
    const { obligations } = await verifier.verify(wireRequest(link));
    expect(obligations).toEqual(
      expect.arrayContaining([
        { kind: "body-checksum", header: "content-md5", value: "1B2M2Y8AsgTpgAmY7PhCfg==" },
        { kind: "body-length", min: 0, max: 10 },
        { kind: "body-sha256", sha256 },
        { kind: "create-only" },
      ]),
    );
    expect(sign({ method: "PUT", bind: { contentLength: 7 } }).headers).toEqual({ "content-length": "7" });
  });

  it("sets the two response headers that Cloud Storage can set, as an obligation", async () => {
    const response = { contentDisposition: 'attachment; filename="ü.txt"', contentType: "text/plain" };
    const { obligations } = await verifier.verify(wireRequest(sign({ response })));
    expect(obligations).toEqual([
      {
        kind: "response",
        headers: { "content-disposition": response.contentDisposition, "content-type": "text/plain" },
      },
    ]);
  });

  it("holds a URL back until notBefore, with the leeway that Google gives", async () => {
    const notBefore = new Date("2026-01-02T04:00:00.500Z");
    const link = sign({ notBefore, expiresIn: 7200 });
    expect(parameters(link.url).get("X-Goog-Date")).toBe("20260102T041501Z");
    expect(link.expiresAt).toEqual(new Date(NOW.getTime() + 7_200_000));
    const at = (time: string): Promise<unknown> =>
      gcsHmacVerifier({ keys: hmacKey, origins, clock: () => new Date(time) }).verify(wireRequest(link));
    await expectRefusal(at("2026-01-02T04:00:00Z"), "NOT_YET_VALID");
    await expect(at("2026-01-02T04:00:01Z")).resolves.toBeDefined();
    await expect(at("2026-01-02T05:04:04Z")).resolves.toBeDefined();
    await expectRefusal(at("2026-01-02T05:04:05Z"), "EXPIRED");
    expect(codeOf(() => sign({ notBefore: NOW, expiresIn: 900 }))).toBe("INVALID_EXPIRY");
    for (const notBefore of [new Date(Number.NaN), "2026-01-02", 1_767_323_045] as Date[]) {
      expect(codeOf(() => sign({ notBefore }))).toBe("INVALID_INPUT");
    }
    // A clock that tests have set back knows no earlier time than its own.
    const early = gcsHmacSigner({ credentials: hmacKey, endpoint, clock: () => new Date(60_000) });
    const { url } = early.sign({ bucket: "media", expiresIn: 600 });
    expect(parameters(url).get("X-Goog-Date")).toBe("19700101T000100Z");
    expect(parameters(url).get("X-Goog-Expires")).toBe("600");
    const past = sign({ notBefore: new Date("2025-01-01T00:00:00Z") });
    expect(parameters(past.url).get("X-Goog-Date")).toBe("20260102T030405Z");
  });

  it("gives the same bytes within a stable window, and each URL its life", () => {
    const at = (seconds: number) =>
      gcsHmacSigner({ credentials: hmacKey, clock: () => new Date(NOW.getTime() + seconds * 1000) }).sign({
        bucket: "b",
        object: "o",
        expiresIn: 600,
        stableWindow: 300,
      });
    expect(at(60).url).toBe(at(290).url);
    expect(parameters(at(60).url).get("X-Goog-Expires")).toBe("900");
  });

  it("lives for 1 to 604800 seconds", () => {
    for (const expiresIn of [1, 604_800]) expect(codeOf(() => sign({ expiresIn }))).toBeUndefined();
    for (const expiresIn of [0, -1, 1.5, 604_801, Number.NaN, NOW.getTime()]) {
      expect(codeOf(() => sign({ expiresIn }))).toBe("INVALID_EXPIRY");
    }
  });

  it.each<[string, Partial<GcsSignRequest>, ErrorCode]>([
    ["a prefix", { prefix: "a/" }, "UNSUPPORTED_CONSTRAINT"],
    ["addresses", { bind: { ip: "203.0.113.0/24" } }, "UNSUPPORTED_CONSTRAINT"],
    ["an override that Google ignores", { response: { cacheControl: "no-store" } }, "UNSUPPORTED_CONSTRAINT"],
    [
      "a range that ends before it begins",
      { method: "PUT", bind: { contentLength: { min: 2, max: 1 } } },
      "INVALID_INPUT",
    ],
    ["a range of half bytes", { method: "PUT", bind: { contentLength: { max: 1.5 } } }, "INVALID_INPUT"],
    ["a digest in capitals", { bind: { sha256: "A".repeat(64) } }, "INVALID_INPUT"],
    [
      "two values for one header",
      { headers: { "X-Goog-Hash": "a" }, bind: { headers: { "x-goog-hash": "b" } } },
      "INVALID_INPUT",
    ],
    ["a host header", { headers: { Host: "evil.example.com" } }, "INVALID_INPUT"],
    ["a header beyond ASCII", { headers: { "x-goog-meta-a": "ü" } }, "INVALID_INPUT"],
    ["a header with a line break", { headers: { "x-goog-meta-a": "a\r\nb: c" } }, "INVALID_INPUT"],
    ["a parameter of the signer's own", { query: { "x-goog-expires": "9" } }, "INVALID_INPUT"],
    ["an empty object name", { object: "" }, "INVALID_INPUT"],
    ["dot segments", { object: "a/../b" }, "DOT_SEGMENTS"],
    ["a final dot segment", { object: "a/.." }, "DOT_SEGMENTS"],
    ["a bucket with a slash", { bucket: "a/b" }, "INVALID_INPUT"],
    ["a method in small letters", { method: "get" }, "INVALID_INPUT"],
    ["half of a surrogate pair", { object: "\ud834" }, "INVALID_INPUT"],
    ["no lifetime", { expiresIn: undefined }, "INVALID_INPUT"],
  ])("refuses %s", (_, extra, code) => {
    expect(codeOf(() => sign(extra))).toBe(code);
  });

  it("signs dot segments where it is told to, and the verifier reads them raw", async () => {
    const request = wireRequest(sign({ object: "a/../b", dotSegments: "sign" }));
    expect((await verifier.verify(request)).object).toBe("a/../b");
  });

  it("refuses credentials that cannot sign, without showing them", async () => {
    for (const credentials of [
      { ...account, private_key: "hunter2" },
      { ...account, client_email: "hunter2" },
      { ...account, client_email: undefined as unknown as string },
      { ...account, client_email: "a/b@example.com" },
    ]) {
      const error = await (async () => gcsSigner({ credentials }))().catch((reason: unknown) => reason as Error);
      expect(error).toMatchObject({ code: "INVALID_KEY" });
      expect(String(error)).not.toContain("hunter2");
    }
    for (const part of ["accessKeyId", "secretAccessKey"] as const) {
      expect(codeOf(() => gcsHmacSigner({ credentials: { ...hmacKey, [part]: "" } }))).toBe("INVALID_KEY");
    }
    expect(codeOf(() => gcsHmacSigner({ credentials: hmacKey, addressing: "bucket-bound" }))).toBe("INVALID_INPUT");
    expect(codeOf(() => gcsHmacSigner({ credentials: hmacKey, endpoint: "storage.example.com" }))).toBe(
      "INVALID_INPUT",
    );
    expect(codeOf(() => gcsHmacSigner({ credentials: hmacKey, addressing: "host" as "path" }))).toBe("INVALID_INPUT");
  });

  it("signs many in order, a bad one in its place", async () => {
    const requests = Array.from({ length: 40 }, (_, i) => ({
      bucket: "b",
      object: i === 7 ? ".." : `${i}`,
      expiresIn: 60,
    }));
    const paths: (string | undefined)[] = [];
    for await (const item of gcsSigner({ credentials: account, clock }).signMany(requests)) {
      paths.push("error" in item ? undefined : new URL(item.url).pathname);
    }
    expect(paths).toEqual(requests.map(({ object }) => (object === ".." ? undefined : `/b/${object}`)));
  });
});

describe("a GCS verifier", () => {
  const put = (extra: Partial<GcsSignRequest> = {}): WireRequest => wireRequest(sign({ method: "PUT", ...extra }));
  const withHeader = (request: WireRequest, name: string, value: string): WireRequest => ({
    ...request,
    headers: [...request.headers, [name, value]],
  });
  const withQuery = (request: WireRequest, from: string | RegExp, to: string): WireRequest => {
    const target = request.target.replace(from, to);
    expect(target).not.toBe(request.target);
    return { ...request, target };
  };

  it.each([
    ["x-goog-copy-source", "/private/secret"],
    ["X-Goog-Copy-Source", "/private/secret"],
    ["x-goog-acl", "public-read"],
    ["x-goog-meta-a", "b"],
    ["x-goog-user-project", "billed"],
    ["x-goog-content-length-range", "0,1"],
    ["x-goog-content-sha256", "UNSIGNED-PAYLOAD"],
    ["x-amz-copy-source", "/private/secret"],
  ])("refuses the unsigned header %s", async (name, value) => {
    await expectRefusal(verifier.verify(withHeader(put(), name, value)), "UNSIGNED_HEADER");
  });

  it.each(["X-Goog-Api-Client", "x-cloud-trace-context", "x-goo"])(
    "does not mind %s, which no operation reads",
    async (name) => {
      await expect(verifier.verify(withHeader(put(), name, "x"))).resolves.toBeDefined();
    },
  );

  it("refuses a signed header that is missing, changed or repeated", async () => {
    const request = put({ headers: { "x-goog-acl": "private" } });
    await expect(verifier.verify(request)).resolves.toBeDefined();
    const changed = (headers: WireRequest["headers"]) => verifier.verify({ ...request, headers });
    await expectRefusal(changed([]), "SIGNATURE_MISMATCH");
    await expectRefusal(changed([["x-goog-acl", "public-read"]]), "SIGNATURE_MISMATCH");
    await expectRefusal(
      changed([
        ["x-goog-acl", "private"],
        ["x-goog-acl", "public-read"],
      ]),
      "SIGNATURE_MISMATCH",
    );
    await expect(changed([["X-Goog-ACL", "  private\t"]])).resolves.toBeDefined();
  });

  it("does not take an absent header for an empty one", async () => {
    const request = put({ headers: { "x-goog-meta-a": "" } });
    await expect(verifier.verify(request)).resolves.toBeDefined();
    await expectRefusal(verifier.verify({ ...request, headers: [] }), "SIGNATURE_MISMATCH");
  });

  it("lets the key say the algorithm, not the URL", async () => {
    const rsa = wireRequest(
      await gcsSigner({ credentials: account, endpoint, clock }).sign({ bucket: "b", object: "o", expiresIn: 60 }),
    );
    await expect(verifier.verify(rsa)).resolves.toMatchObject({ keyId: account.client_email });
    await expectRefusal(verifier.verify(withQuery(rsa, "GOOG4-RSA-SHA256", "GOOG4-HMAC-SHA256")), "UNKNOWN_KEY");

    // The public key is public: a MAC with it as the secret must not pass for the account's signature.
    const confused = gcsHmacSigner({
      credentials: { accessKeyId: account.client_email, secretAccessKey: publicAccount.public_key.replace(/\s/g, "") },
      endpoint,
      clock,
    }).sign({ bucket: "b", object: "o", expiresIn: 60 });
    await expectRefusal(verifier.verify(wireRequest(confused)), "UNKNOWN_KEY");
    await expectRefusal(
      verifier.verify(withQuery(wireRequest(confused), "GOOG4-HMAC-SHA256", "GOOG4-RSA-SHA256")),
      "SIGNATURE_MISMATCH",
    );
    await expectRefusal(verifier.verify(withQuery(rsa, "GOOG4-RSA-SHA256", "AWS4-HMAC-SHA256")), "MALFORMED");
    await expectRefusal(
      verifier.verify(withQuery(rsa, "&X-Goog-Date", "&X-Goog-Algorithm=GOOG4-HMAC-SHA256&X-Goog-Date")),
      "MALFORMED",
    );
    await expectRefusal(verifier.verify(withQuery(wireRequest(sign()), "GOOG4-HMAC", "%47OOG4-HMAC")), "MALFORMED");
    await expectRefusal(verifier.verify(withQuery(rsa, "GOOG4-RSA-SHA256", "none")), "MALFORMED");
  });

  it("accepts any of an account's keys, from a resolver as well", async () => {
    const rsa = wireRequest(
      await gcsSigner({ credentials: account, endpoint, clock }).sign({ bucket: "b", object: "o", expiresIn: 60 }),
    );
    const asked: string[] = [];
    const rotating = gcsVerifier({
      keys: async (id) => {
        asked.push(id);
        return [{ ...publicAccount, public_key: foreignKey }, publicAccount];
      },
      origins,
      clock,
    });
    await expect(rotating.verify(rsa)).resolves.toBeDefined();
    expect(asked).toEqual([account.client_email]);
    await expectRefusal(gcsVerifier({ keys: () => undefined, origins, clock }).verify(rsa), "UNKNOWN_KEY");
  });

  it.each<[string, string | RegExp, string, ErrorCode]>([
    ["another service", "storage%2Fgoog4", "compute%2Fgoog4", "WRONG_SCOPE"],
    ["AWS's terminator", "goog4_request", "aws4_request", "MALFORMED"],
    ["another date than the credential's", "%2F20260102%2F", "%2F20260103%2F", "MALFORMED"],
    ["a life of zero", "X-Goog-Expires=600", "X-Goog-Expires=0", "MALFORMED"],
    ["a life with a sign", "X-Goog-Expires=600", "X-Goog-Expires=%2B600", "MALFORMED"],
    ["a life of more than a week", "X-Goog-Expires=600", "X-Goog-Expires=604801", "MALFORMED"],
    ["a life in another spelling", "X-Goog-Expires=600", "X-Goog-Expires=0600", "MALFORMED"],
    ["a longer life", "X-Goog-Expires=600", "X-Goog-Expires=6000", "SIGNATURE_MISMATCH"],
    ["another location", "%2Fauto%2F", "%2Feu%2F", "SIGNATURE_MISMATCH"],
    ["a further parameter", "&X-Goog-Signature", "&generation=1&X-Goog-Signature", "SIGNATURE_MISMATCH"],
    ["a parameter in another case", "&X-Goog-Signature", "&x-goog-expires=9&X-Goog-Signature", "MALFORMED"],
    ["a parameter in hidden capitals", "&X-Goog-Signature", "&%58-GOOG-Date=9&X-Goog-Signature", "MALFORMED"],
    ["a list without host", "SignedHeaders=host", "SignedHeaders=x-goog-acl", "MALFORMED"],
    ["a list out of order", "SignedHeaders=host", "SignedHeaders=host%3Bcontent-type", "MALFORMED"],
    ["a name twice in the list", "SignedHeaders=host", "SignedHeaders=host%3Bhost", "MALFORMED"],
    ["a name in capitals in the list", "SignedHeaders=host", "SignedHeaders=Host", "MALFORMED"],
    ["an empty name in the list", "SignedHeaders=host", "SignedHeaders=host%3B", "MALFORMED"],
    ["a header more in the list", "SignedHeaders=host", "SignedHeaders=accept%3Bhost", "SIGNATURE_MISMATCH"],
  ])("refuses %s", async (_, from, to, code) => {
    await expectRefusal(verifier.verify(withQuery(wireRequest(sign()), from, to)), code);
  });

  it("refuses parameters that repeat, as servers differ in which of two they read", async () => {
    const request = wireRequest(sign({ query: { generation: "1" } }));
    await expectRefusal(verifier.verify(withQuery(request, "generation=1", "generation=1&generation=2")), "MALFORMED");
  });

  it("refuses a signed query beside an Authorization header", async () => {
    await expectRefusal(verifier.verify(withHeader(put(), "Authorization", "Bearer x")), "AMBIGUOUS_AUTHENTICATION");
  });

  it("refuses a body rule that it cannot read", async () => {
    for (const range of ["1", "2,1", "-1,5", "0,9999999999999999", "0,1,2", ""]) {
      const request = put({ headers: { "x-goog-content-length-range": range } });
      await expectRefusal(verifier.verify(request), "UNSUPPORTED_PAYLOAD");
    }
    const streamed = put({ headers: { "x-goog-content-sha256": "STREAMING-GOOG4-RSA-SHA256-PAYLOAD" } });
    await expectRefusal(verifier.verify(streamed), "UNSUPPORTED_PAYLOAD");
    await expect(
      verifier.verify(put({ headers: { "x-goog-content-sha256": "UNSIGNED-PAYLOAD" } })),
    ).resolves.toMatchObject({ obligations: [] });
  });

  it("refuses obligations that its caller does not enforce", async () => {
    const lax = gcsHmacVerifier({ keys: hmacKey, origins, clock });
    for (const extra of [
      { bind: { contentLength: { max: 5 } } },
      { bind: { sha256: "0".repeat(64) } },
      { headers: { "x-goog-hash": "crc32c=AAAAAA==" } },
      { headers: { "x-goog-if-generation-match": " 0 " } },
      { headers: { "if-none-match": "*" } },
      { response: { contentType: "text/html" } },
    ]) {
      await expectRefusal(lax.verify(put(extra)), "UNENFORCED_CONSTRAINT");
    }
  });

  it("limits the body that it is given to the granted range", async () => {
    const grant = await verifier.verify(put({ bind: { contentLength: { min: 2, max: 3 } } }));
    const drain = async (length: number): Promise<void> => {
      async function* body(): AsyncGenerator<Uint8Array> {
        for (let i = 0; i < length; i++) yield new Uint8Array(1);
      }
      for await (const _ of grant.limitBody(body()));
    };
    await expectRefusal(drain(1), "BODY_LENGTH");
    await drain(3);
    await expectRefusal(drain(4), "BODY_LENGTH");
  });

  it("names the same id as the signer, and reads the same under any order of the query", async () => {
    const link = sign({ query: { userProject: "p", "X-Goog-Meta-Foo": "bar" } });
    const request = wireRequest(link);
    const [path, query = ""] = request.target.split("?");
    const reversed = { ...request, target: `${path}?${query.split("&").reverse().join("&")}` };
    expect((await verifier.verify(request)).id).toBe(link.id);
    expect((await verifier.verify(reversed)).id).toBe(link.id);
  });

  it("stands beside other schemes", async () => {
    const both = anyOf(verifier, gcsHmacVerifier({ keys: hmacKey, origins, clock }));
    await expectRefusal(both.verify(wireRequest(sign())), "AMBIGUOUS_AUTHENTICATION");
    await expect(anyOf(verifier).verify(wireRequest(sign()))).resolves.toMatchObject({ scheme: "gcs" });
  });

  it("refuses to be made with a private key, a bad address or no origin", () => {
    const make = (keys: object, from = origins): ErrorCode | undefined =>
      codeOf(() => gcsVerifier({ keys: keys as typeof publicAccount, origins: from }));
    expect(make({ ...publicAccount, public_key: account.private_key })).toBe("INVALID_KEY");
    expect(make({ ...publicAccount, client_email: "nobody" })).toBe("INVALID_KEY");
    expect(make(hmacKey)).toBe("INVALID_KEY");
    expect(make(publicAccount, [])).toBe("INVALID_INPUT");
    for (const secretAccessKey of [7, "", "ü"]) {
      const keys = { ...hmacKey, secretAccessKey: secretAccessKey as string };
      expect(codeOf(() => gcsHmacVerifier({ keys, origins }))).toBe("INVALID_KEY");
    }
  });
});
