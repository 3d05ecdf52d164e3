import { describe, expect, it } from "vitest";
import { anyFormOf } from "../../src/forms/verify.ts";
import { type S3FormRequest, s3FormSigner, s3FormVerifier } from "../../src/schemes/s3/form/index.ts";
import { s3FormV2Signer, s3FormV2Verifier } from "../../src/schemes/s3/form/v2/index.ts";
import { expectRefusal } from "../wire-request.ts";

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: the providers' own spelling
const AT = new Date("2026-01-02T03:04:05Z");
const clock = () => AT;
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const session = { ...credentials, sessionToken: "FwoGZXIvYXdzE+/=" };
const signer = s3FormSigner({ region: "eu-west-1", credentials, clock });
const policyOf = (fields: Readonly<Record<string, string>>): unknown =>
  JSON.parse(Buffer.from((fields["Policy"] ?? fields["policy"]) as string, "base64").toString());
const sign = (request: Partial<S3FormRequest>) => signer.sign({ bucket: "media", key: "a", expiresIn: 60, ...request });
const verify = (form: { readonly fields: Readonly<Record<string, string>> }, options = {}, extra = {}) =>
  s3FormVerifier({ credentials, clock, enforces: ["body-length", "body-checksum"], ...options }).verify({
    bucket: "media",
    fields: Object.entries(form.fields),
    ...extra,
  });

describe("s3FormSigner", () => {
  it("binds fields, bucket, key, length, type and its own parameters", () => {
    const form = sign({
      key: "up/${filename}",
      contentLength: { min: 1, max: 5 },
      bind: { contentType: "image/png" },
      fields: { acl: "private" },
      conditions: [["starts-with", "$x-amz-meta-tag", ""]],
    });
    expect(form.url).toBe("https://media.s3.eu-west-1.amazonaws.com/");
    expect(Object.keys(form.fields)).toEqual([
      ...[
        "key",
        "acl",
        "Content-Type",
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "Policy",
        "X-Amz-Signature",
      ],
    ]);
    expect(policyOf(form.fields)).toEqual({
      conditions: [
        ["starts-with", "$x-amz-meta-tag", ""],
        ["content-length-range", 1, 5],
        { acl: "private" },
        { "Content-Type": "image/png" },
        { bucket: "media" },
        ["starts-with", "$key", "up/"],
        { "X-Amz-Algorithm": "AWS4-HMAC-SHA256" },
        { "X-Amz-Credential": "AKIDEXAMPLE/20260102/eu-west-1/s3/aws4_request" },
        { "X-Amz-Date": "20260102T030405Z" },
      ],
      expiration: "2026-01-02T03:05:05Z",
    });
    expect(form.bound).toEqual(
      expect.arrayContaining(["bucket", "key from its start to ${filename}", "length of the file"]),
    );
    expect(form.unbound).toEqual(["the file", "x-amz-meta-tag, as far as its condition goes"]);
    expect(form.warnings).toEqual([]);
  });

  it("shows the condition that cannot be read", () => {
    const refused = (conditions: unknown) => {
      try {
        sign({ conditions: conditions as never });
      } catch (error) {
        return String(error);
      }
      return "signed";
    };
    expect(refused("bogus")).toMatch(/conditions is "bogus"\. Pass a list/);
    expect(refused(["bogus"])).toContain("bogus");
    expect(refused([["content-length-range", 9, 1]])).toContain("9,1");
  });

  it("binds a length by either option, and by both at once", async () => {
    const lengths = async (request: Partial<S3FormRequest>) => (await verify(sign(request))).obligations;
    expect(await lengths({ contentLength: 5 })).toEqual([{ kind: "body-length", min: 5, max: 5 }]);
    expect(await lengths({ bind: { contentLength: { max: 5 } } })).toEqual([{ kind: "body-length", min: 0, max: 5 }]);
    expect(await lengths({ contentLength: { min: 2, max: 9 }, bind: { contentLength: { min: 1, max: 5 } } })).toEqual([
      { kind: "body-length", min: 2, max: 5 },
    ]);
  });

  it("says what it leaves open", () => {
    expect(sign({}).unbound).toEqual(["the file", "its length", "Content-Type"]);
    expect(sign({ key: "a/${filename}.png" }).warnings).toHaveLength(1);
    expect(sign({ fields: { "x-amz-meta-note": "a\nb" } }).warnings).toHaveLength(1);
  });

  it("takes a prefix in place of a key, and posts in path style where the endpoint is another's", async () => {
    const minio = s3FormSigner({ region: "auto", endpoint: "http://minio.example:9000/base", credentials, clock });
    const form = minio.sign({ bucket: "media", prefix: "u/7/", expiresIn: 60 });
    expect([form.url, form.fields["key"]]).toEqual(["http://minio.example:9000/base/media", "u/7/${filename}"]);
    expect((await verify(form, {}, { fileName: "x.png" })).key).toBe("u/7/x.png");
    const virtual = s3FormSigner({
      region: "auto",
      endpoint: "https://s3.example",
      addressing: "virtual",
      credentials,
    });
    expect(virtual.sign({ bucket: "media", key: "a", expiresIn: 60 }).url).toBe("https://media.s3.example/");
  });

  it("signs one text for a whole window", () => {
    const at = (second: number) =>
      s3FormSigner({ region: "eu-west-1", credentials, clock: () => new Date(AT.getTime() + second * 1000) }).sign({
        bucket: "media",
        key: "a",
        expiresIn: 60,
        stableWindow: 3600,
      });
    expect(at(0).fields).toEqual(at(1800).fields);
    expect(at(1800).expiresAt.getTime()).toBeGreaterThanOrEqual(AT.getTime() + 1860_000);
  });

  it.each<[string, Partial<S3FormRequest>, string]>([
    ["neither key nor prefix", { key: undefined }, "INVALID_INPUT"],
    ["both", { prefix: "a/" }, "INVALID_INPUT"],
    ["a key that is not set, from JavaScript", { key: null as never }, "INVALID_INPUT"],
    ["an empty key", { key: "" }, "INVALID_INPUT"],
    ["a prefix without its slash", { key: undefined, prefix: "pr" }, "INVALID_INPUT"],
    ["the empty prefix", { key: undefined, prefix: "" }, "INVALID_INPUT"],
    ["the prefix /", { key: undefined, prefix: "/" }, "INVALID_INPUT"],
    ["any key without being asked for it (HackerOne 764243)", { key: "${filename}" }, "INVALID_INPUT"],
    ["a key that leaves its folder", { key: "up/../x" }, "DOT_SEGMENTS"],
    ["a prefix that leaves its folder", { key: undefined, prefix: "up/../x/" }, "DOT_SEGMENTS"],
    ["a life of more than a week", { expiresIn: 604_801 }, "INVALID_EXPIRY"],
    ["no life", { expiresIn: undefined }, "INVALID_INPUT"],
    ["a start", { notBefore: AT }, "UNSUPPORTED_CONSTRAINT"],
    ["a key by Google's name", { object: "only.txt" } as object, "UNSUPPORTED_CONSTRAINT"],
    ["a client address", { bind: { ip: "10.0.0.0/8" } }, "UNSUPPORTED_CONSTRAINT"],
    ["a hash of the body", { bind: { sha256: "0".repeat(64) } }, "UNSUPPORTED_CONSTRAINT"],
    ["headers", { bind: { headers: { a: "b" } } }, "UNSUPPORTED_CONSTRAINT"],
    ["parameters", { bind: { query: { a: "b" } } }, "UNSUPPORTED_CONSTRAINT"],
    ["response headers", { response: { contentType: "text/plain" } }, "UNSUPPORTED_CONSTRAINT"],
    ["a range in the wrong order", { contentLength: { min: 2, max: 1 } }, "INVALID_INPUT"],
    [
      "two lengths that no file has",
      { contentLength: { min: 6, max: 9 }, bind: { contentLength: 5 } },
      "INVALID_INPUT",
    ],
    [
      "a length that a condition of its own rules out",
      { contentLength: 5, conditions: [["content-length-range", 6, 9]] },
      "INVALID_INPUT",
    ],
    ["a condition on a field of the signer", { conditions: [["starts-with", "$x-amz-date", ""]] }, "INVALID_INPUT"],
    ["a length that is no number", { contentLength: Number.NaN }, "INVALID_INPUT"],
    ["a field of the signer", { fields: { "X-Amz-Signature": "0" } }, "INVALID_INPUT"],
    ["a field of the other version", { fields: { AWSAccessKeyId: "0" } }, "INVALID_INPUT"],
    ["the policy as a field", { fields: { policy: "e30=" } }, "INVALID_INPUT"],
    ["the bucket as a field", { fields: { bucket: "media" } }, "INVALID_INPUT"],
    ["the key as a field", { fields: { Key: "a" } }, "INVALID_INPUT"],
    ["the file as a field", { fields: { file: "a" } }, "INVALID_INPUT"],
    ["a field twice", { fields: { acl: "private", ACL: "private" } }, "INVALID_INPUT"],
    ["the type twice", { fields: { "content-type": "a/b" }, bind: { contentType: "a/b" } }, "INVALID_INPUT"],
    ["a field's name with a quote", { fields: { 'a"b': "c" } }, "INVALID_INPUT"],
    ["a condition that is none", { conditions: [["ends-with", "$a", "b"] as never] }, "INVALID_INPUT"],
    [
      "a condition that its own field fails",
      { fields: { acl: "private" }, conditions: [{ acl: "public-read" }] },
      "INVALID_INPUT",
    ],
    ["a condition that its own key fails", { conditions: [["starts-with", "$key", "b"]] }, "INVALID_INPUT"],
    ["a condition for another bucket", { conditions: [{ bucket: "other" }] }, "INVALID_INPUT"],
  ])("refuses %s", (_, request, code) => {
    expect(() => sign(request)).toThrow(expect.objectContaining({ code }));
    expect([...signer.signMany([{ bucket: "media", key: "a", expiresIn: 60, ...request }])][0]).toMatchObject({
      error: { code },
    });
  });

  it("accepts any key if a condition permits it", async () => {
    const form = sign({ key: "${filename}", conditions: [["starts-with", "$key", ""]] });
    expect((await verify(form, {}, { fileName: "x" })).key).toBe("x");
  });

  it("refuses a form that outlives its credentials", () => {
    const dying = { ...session, expiration: new Date(AT.getTime() + 30_000) };
    const request = { bucket: "media", key: "a", expiresIn: 60 };
    expect(() => s3FormSigner({ region: "eu-west-1", credentials: dying, clock }).sign(request)).toThrow(
      expect.objectContaining({ code: "CREDENTIALS_EXPIRE_FIRST" }),
    );
    const clamped = s3FormSigner({
      region: "eu-west-1",
      credentials: () => dying,
      credentialExpiry: "clamp",
      clock,
    }).sign(request);
    expect(clamped.expiresAt).toEqual(dying.expiration);
    expect(clamped.warnings).toHaveLength(1);
  });
});

describe("s3FormVerifier", () => {
  it("takes a session token that the policy names, and no other", async () => {
    for (const [make, verifier] of [
      [s3FormSigner, s3FormVerifier],
      [s3FormV2Signer, s3FormV2Verifier],
    ] as const) {
      const { fields } = make({ region: "eu-west-1", credentials: session, clock }).sign({
        bucket: "media",
        key: "a",
        expiresIn: 60,
      });
      const submit = (changed: Readonly<Record<string, string>>, known = session) =>
        verifier({ credentials: known, clock }).verify({
          bucket: "media",
          fields: Object.entries({ ...fields, ...changed }),
        });
      const granted = await submit({ bucket: "media", "x-ignore-a\nb": "c" });
      // Neither the token nor a bucket, which is the request's own.
      expect([granted.keyId, granted.fields]).toEqual(["AKIDEXAMPLE", {}]);
      const token = Object.keys(fields).find((name) => /token$/i.test(name)) ?? "";
      await expectRefusal(submit({ [token]: "other" }), "POLICY_NOT_MET");
      await expectRefusal(submit({}, { ...session, sessionToken: "new" }), "INVALID_TOKEN");
      await expectRefusal(submit({}, credentials as typeof session), "INVALID_TOKEN");
      await expectRefusal(submit({}, { ...session, expiration: AT } as typeof session), "EXPIRED_TOKEN");
    }
  });

  it("requires a condition for each field, even with a name similar to the signature's own", async () => {
    const v2 = s3FormV2Signer({ region: "r", credentials, clock }).sign({ bucket: "media", key: "a", expiresIn: 60 });
    const verifyV2 = (extra: object) =>
      s3FormV2Verifier({ credentials, clock }).verify({
        bucket: "media",
        fields: Object.entries({ ...v2.fields, ...extra }),
      });
    for (const name of ["x-amz-signature2", "my-x-amz-signature", "x-amz-acl", "x-amz-credential2", "signature2"]) {
      await expectRefusal(verify({ fields: { ...sign({}).fields, [name]: "a" } }), "POLICY_NOT_MET");
      await expectRefusal(verifyV2({ [name]: "a" }), "POLICY_NOT_MET");
    }
    await expectRefusal(verifyV2({ "my-signature": "a" }), "POLICY_NOT_MET");
    const { fields } = await verify(sign({ fields: { "x-amz-signature2": "a", "my-x-amz-date": "b" } }));
    expect(fields).toEqual({ "x-amz-signature2": "a", "my-x-amz-date": "b" });
  });

  it("takes no dot segments into a key of which the policy binds the start alone, in any spelling of theirs", async () => {
    const form = sign({ key: undefined, prefix: "up/" });
    for (const key of ["up/./a", "up/../a", "up/a/.", "up/..\\a", "up/a\\.\\b", "up/.."]) {
      const fields = Object.fromEntries(
        Object.entries(form.fields).map(([name, value]) => [name, name === "key" ? key : value]),
      );
      await expectRefusal(verify({ fields }), "MALFORMED");
    }
  });

  it("reads no more than 64 KiB of fields, which S3 ignores or not", async () => {
    const form = sign({});
    const padded = (count: number) => verify({ fields: { ...form.fields, "x-ignore-a": "v".repeat(count) } });
    await expect(padded(60_000)).resolves.toBeDefined();
    await expectRefusal(padded(65_536), "MALFORMED");
  });

  it("counts the file's name at each place where it will stand, before it puts it there", async () => {
    const places = (count: number) => ({ fields: { ...sign({}).fields, "x-ignore-a": `\${filename}`.repeat(count) } });
    const named = (count: number, length: number) => verify(places(count), {}, { fileName: "n".repeat(length) });
    await expect(named(50, 1000)).resolves.toBeDefined();
    // In 64 KiB of unsigned fields they would be half a gigabyte, longer than any text can be.
    await expectRefusal(named(5500, 100_000), "MALFORMED");
    await expectRefusal(named(100, 1000), "MALFORMED");
  });

  it("copies given credentials, and sees changes to the credentials of a function", () => {
    const row = { ...credentials };
    const request = { bucket: "media", key: "a", expiresIn: 60 };
    const options = { region: "eu-west-1", clock } as const;
    const [fixed, found] = [row, () => row].map((given) => s3FormSigner({ ...options, credentials: given }));
    const before = fixed?.sign(request).fields;
    row.secretAccessKey = "another";
    expect(fixed?.sign(request).fields).toEqual(before);
    expect(found?.sign(request).fields).toEqual(
      s3FormSigner({ ...options, credentials: { ...row } }).sign(request).fields,
    );
  });

  it("holds a form to regions, to its signing time and to a longest life", async () => {
    const form = sign({});
    await expectRefusal(verify(form, { regions: ["us-east-1"] }), "WRONG_SCOPE");
    await expect(verify(form, { regions: ["us-east-1", "eu-west-1"] })).resolves.toMatchObject({ region: "eu-west-1" });
    await expectRefusal(verify(form, { clock: () => new Date(AT.getTime() - 901_000) }), "NOT_YET_VALID");
    await expectRefusal(verify(form, { maxLife: 59 }), "KEY_SCOPE");
    await expect(verify(form, { maxLife: 60 })).resolves.toBeDefined();
    const long = s3FormV2Signer({ region: "r", credentials, clock }).sign({
      bucket: "media",
      key: "a",
      expiresIn: 1e7,
    });
    const v2 = (maxLife?: number) => s3FormV2Verifier({ credentials, clock, maxLife });
    const received = { bucket: "media", fields: Object.entries(long.fields) };
    await expect(v2().verify(received)).resolves.toBeDefined();
    await expectRefusal(v2(3600).verify(received), "KEY_SCOPE");
  });

  it("finds the key among several, so that keys can rotate by overlap", async () => {
    const others = [{ ...credentials, secretAccessKey: "old" }, credentials];
    await expect(verify(sign({}), { credentials: others })).resolves.toBeDefined();
    await expect(verify(sign({}), { credentials: async () => others })).resolves.toBeDefined();
    await expectRefusal(verify(sign({}), { credentials: async () => undefined }), "UNKNOWN_KEY");
  });

  it("returns the redirect and the status", async () => {
    const outcome = async (fields: Readonly<Record<string, string>>) => {
      const { redirect, status } = await verify(sign({ fields }));
      return [redirect, status];
    };
    expect(await outcome({})).toEqual([undefined, 204]);
    expect(await outcome({ success_action_status: "201" })).toEqual([undefined, 201]);
    expect(await outcome({ success_action_status: "200" })).toEqual([undefined, 200]);
    expect(await outcome({ success_action_status: "301" })).toEqual([undefined, 204]);
    expect(await outcome({ redirect: "https://a.example/" })).toEqual(["https://a.example/", 204]);
    const both = { redirect: "https://a.example/", success_action_redirect: "https://b.example/" };
    expect(await outcome(both)).toEqual(["https://b.example/", 204]);
  });

  it.each(["sha256", "md5", "sha512", "xxhash3"])("makes an obligation of a %s that was bound", async (algorithm) => {
    const [header, value] = [`x-amz-checksum-${algorithm}`, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="];
    const form = sign({ fields: { [header]: value, "x-amz-checksum-algorithm": algorithm } });
    expect((await verify(form)).obligations).toEqual([{ kind: "body-checksum", header, value }]);
    await expectRefusal(verify(form, { enforces: [] }), "UNENFORCED_CONSTRAINT");
  });

  it.each<[string, string]>([
    ["X-Amz-Algorithm", "AWS4-HMAC-SHA1"],
    ["X-Amz-Credential", "AKIDEXAMPLE"],
    ["X-Amz-Credential", "AKIDEXAMPLE/20260103/eu-west-1/s3/aws4_request"],
    ["X-Amz-Credential", "AKIDEXAMPLE/20260102/eu-west-1/s3/aws5_request"],
    ["X-Amz-Date", "2026-01-02T03:04:05Z"],
    ["X-Amz-Date", "20260102T030465Z"],
    ["X-Amz-Signature", "0".repeat(63)],
    ["X-Amz-Signature", "A".repeat(64)],
  ])("refuses the field %s with %s", async (name, value) => {
    await expectRefusal(verify({ fields: { ...sign({}).fields, [name]: value } }), "MALFORMED");
  });

  it("refuses a form of another service", async () => {
    const other = "AKIDEXAMPLE/20260102/eu-west-1/sts/aws4_request";
    await expectRefusal(verify({ fields: { ...sign({}).fields, "X-Amz-Credential": other } }), "WRONG_SCOPE");
  });

  it("reports in S3's order: the key, the signature, the policy, the end, the conditions", async () => {
    const { fields } = sign({});
    const late = { clock: () => new Date(AT.getTime() + 1e9) };
    const bad = { ...fields, acl: "extra", Policy: "e30=" };
    await expectRefusal(verify({ fields: bad }, { ...late, credentials: [] }), "UNKNOWN_KEY");
    await expectRefusal(verify({ fields: bad }, late), "SIGNATURE_MISMATCH");
    await expectRefusal(verify({ fields: { ...fields, acl: "extra" } }, late), "EXPIRED");
    await expectRefusal(verify({ fields: { ...fields, acl: "extra" } }), "POLICY_NOT_MET");
  });

  it("works in anyFormOf, which refuses a form of two versions", async () => {
    const any = anyFormOf(s3FormVerifier({ credentials, clock }), s3FormV2Verifier({ credentials, clock }));
    const v2 = s3FormV2Signer({ region: "r", credentials, clock }).sign({ bucket: "media", key: "a", expiresIn: 60 });
    const submit = (fields: Readonly<Record<string, string>>) =>
      any.verify({ bucket: "media", fields: Object.entries(fields) });
    expect((await submit(sign({}).fields)).scheme).toBe("s3/form");
    expect((await submit(v2.fields)).scheme).toBe("s3/form/v2");
    await expectRefusal(submit({ ...sign({}).fields, AWSAccessKeyId: "AKIDEXAMPLE" }), "AMBIGUOUS_AUTHENTICATION");
    await expectRefusal(submit({ key: "a" }), "NO_SIGNATURE");
    expect(any.detects([["key", "a"]])).toBe(false);
  });
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: the providers' own spelling
