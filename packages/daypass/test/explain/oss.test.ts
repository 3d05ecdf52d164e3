import { createHash, createHmac } from "node:crypto";
import type { CauseCode } from "daypass/explain";
import { ossSigner } from "daypass/oss";
import { ossV1Signer } from "daypass/oss/v1";
import { describe, expect, it } from "vitest";
import { askingAt } from "./asking.ts";

const signedAt = new Date("2026-01-02T03:04:05Z");
const credentials = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "wJalrXUtnFEMI/K7MDENG" };
const options = { region: "cn-hangzhou", credentials, clock: () => signedAt };
const oss = ossSigner(options);
const v1 = ossV1Signer(options);
const wish = { bucket: "media", key: "talks/a b.txt", expiresIn: 3600 };
const { ask, causeOf, trapsOf } = askingAt("2026-01-02T03:30:00Z");
const keys = [credentials];
const mismatch = (fields: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided.</Message>${fields}</Error>`;

interface Wrong {
  readonly method?: string;
  readonly path?: string;
  readonly query?: (pairs: readonly string[]) => string;
  readonly headers?: string;
  readonly region?: string;
  readonly secret?: string;
  readonly more?: readonly string[];
  readonly unsigned?: string;
  readonly host?: string;
}

/** A V4 URL of a signer that may err: what it signs and what stands in the URL can differ. */
function wrongUrl(wrong: Wrong): string {
  const { method = "GET", path = "/media/talks/a%20b.txt", more = [], unsigned = "", region = "cn-hangzhou" } = wrong;
  const scope = `20260102/cn-hangzhou/oss/aliyun_v4_request`;
  const pairs = [
    `x-oss-credential=${encodeURIComponent(`${credentials.accessKeyId}/${scope}`)}`,
    "x-oss-date=20260102T030405Z",
    "x-oss-expires=3600",
    "x-oss-signature-version=OSS4-HMAC-SHA256",
    ...more,
  ];
  const query = (wrong.query ?? ((all) => [...all].sort().join("&")))(pairs);
  const request = `${method}\n${path}\n${query}\n${wrong.headers ?? ""}\n\nUNSIGNED-PAYLOAD`;
  const hash = createHash("sha256").update(request).digest("hex");
  const mac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  let key = mac(`aliyun_v4${wrong.secret ?? credentials.accessKeySecret}`, "20260102");
  for (const part of [region, "oss", "aliyun_v4_request"]) key = mac(key, part);
  const signature = mac(key, `OSS4-HMAC-SHA256\n20260102T030405Z\n${scope}\n${hash}`).toString("hex");
  const host = wrong.host ?? "media.oss-cn-hangzhou.aliyuncs.com";
  return `https://${host}/talks/a%20b.txt?${pairs.join("&")}${unsigned}&x-oss-signature=${signature}`;
}

describe("an OSS URL", () => {
  it("is explained: what it is, what it binds, when it ends", async () => {
    const { url } = oss.sign({ ...wish, headers: { range: "bytes=0-9" } });
    const told = await ask(url, { keys });
    expect(told).toMatchObject({
      scheme: "oss",
      signedBy: "LTAIEXAMPLE",
      grants: { methods: undefined, resource: "object talks/a b.txt in bucket media" },
      endsAt: new Date("2026-01-02T04:04:05Z"),
      mustSend: [{ name: "range" }],
    });
    expect(told.cause?.code).toBe("HEADER");
    expect(told.summary).toMatch(/^An Alibaba OSS presigned URL .* valid until 2026/);
    const sent = await ask(url, { keys, request: { headers: { range: "bytes=0-9" } } });
    expect(sent.cause).toBe(undefined);
    expect(sent.grants.methods).toEqual(["GET"]);
    expect(sent.stringToSign).toMatch(
      /^OSS4-HMAC-SHA256\n20260102T030405Z\n20260102\/cn-hangzhou\/oss\/aliyun_v4_request\n[0-9a-f]{64}$/,
    );
    expect(sent.canonicalRequest).toContain("\n/media/talks/a%20b.txt\n");
  });

  it("has no signature, secret or token in any text", async () => {
    const token = "CAISowJ1q6Ft5B2yfSjIr5bg";
    const session = { ...credentials, securityToken: token };
    const { url } = ossSigner({ ...options, credentials: session }).sign(wish);
    const text = JSON.stringify(await ask(url.replace("GET", "PUT"), { keys: [session], request: { method: "PUT" } }));
    expect(text).not.toContain(token);
    expect(text).not.toContain(credentials.accessKeySecret);
    expect(text).not.toContain(new URL(url).searchParams.get("x-oss-signature"));
  });

  const wrong: readonly (readonly [string, CauseCode, RegExp, Wrong])[] = [
    ["another method", "METHOD", /signed for PUT and sent with GET/, { method: "PUT" }],
    ["a damaged secret", "WRONG_SECRET", /line feed at its end/, { secret: `${credentials.accessKeySecret}\n` }],
    ["a content type", "HEADER", /content-type was signed as "text\/plain"/, { headers: "content-type:text/plain\n" }],
    ["no bucket", "PATH", /without the bucket/, { path: "/talks/a%20b.txt" }],
    ["a path that is encoded twice", "PATH", /encoded twice/, { path: "/media/talks/a%2520b.txt" }],
    ["a parameter that came later", "QUERY", /versionId was added after signing/, { unsigned: "&versionId=1" }],
    ["a key for another region", "REGION", /for the region oss-cn-hangzhou/, { region: "oss-cn-hangzhou" }],
  ];
  it.each(wrong)("that was signed with %s is found out by its key", async (_, code, sentence, made) => {
    const cause = await causeOf(wrongUrl(made), { keys, request: { method: "GET", headers: {} } });
    expect(cause?.sentence).toMatch(sentence);
    expect(cause?.code).toBe(code);
  });

  it("of a signer that errs not at all has no cause", async () => {
    expect(await causeOf(wrongUrl({}), { keys, request: { method: "GET" } })).toBe(undefined);
  });

  it("on a domain of the bucket's own needs the bucket to be named", async () => {
    const url = wrongUrl({ host: "cdn.example.com" });
    const named = { keys, request: { method: "GET" }, hosts: ["media.oss-cn-hangzhou.aliyuncs.com"] };
    expect((await causeOf(url, named))?.sentence).toMatch(/with the bucket media in front/);
  });

  it("that signs its host is found out when the host was changed", async () => {
    const { url } = oss.sign({ ...wish, bindHost: true });
    const request = { method: "GET", headers: { host: "media.oss-cn-hangzhou-internal.aliyuncs.com" } };
    expect(await causeOf(url, { keys, request })).toMatchObject({ code: "HOST" });
    expect(await trapsOf(url)).not.toContain("host-open");
    expect(await trapsOf(oss.sign(wish).url)).toContain("host-open");
  });

  it("that was changed in transit is told from one that was signed wrongly", async () => {
    const { url } = oss.sign(wish);
    const sent = url.replace("a%20b", "a+b");
    expect(await causeOf(url, { keys, request: { method: "GET", url: sent } })).toMatchObject({
      code: "PATH",
      sentence: expect.stringContaining("was changed in transit"),
    });
  });

  it("is compared with the server's own string to sign, without a key", async () => {
    const url = wrongUrl({ more: ["acl="] });
    const told = (path: string) => {
      const pairs = new URL(url).search.slice(1).split("&").slice(0, -1);
      const query = pairs
        .sort()
        .map((pair) => pair.replace(/=$/, ""))
        .join("&");
      const hash = createHash("sha256").update(`GET\n${path}\n${query}\n\n\nUNSIGNED-PAYLOAD`).digest("hex");
      const text = `OSS4-HMAC-SHA256\n20260102T030405Z\n20260102/cn-hangzhou/oss/aliyun_v4_request\n${hash}`;
      return mismatch(`<StringToSign>${text}</StringToSign>`);
    };
    expect(await causeOf(url, { errorBody: told("/media/talks/a%20b.txt") })).toMatchObject({ code: "WRONG_SECRET" });
    expect(await causeOf(url, { errorBody: told("/media/talks/a+b.txt") })).toMatchObject({ code: "PATH" });
    expect(await causeOf(url, { errorBody: mismatch("") })).toMatchObject({ code: "WRONG_SECRET" });
  });

  it("tells time, region, unknown keys and what cannot be read", async () => {
    const { url } = oss.sign(wish);
    const late = { clock: () => new Date("2026-01-02T04:04:05Z") };
    expect(await causeOf(url, late)).toMatchObject({ code: "EXPIRED" });
    expect(await causeOf(url.replaceAll("cn-hangzhou%2Foss", "oss-cn-hangzhou%2Foss"))).toMatchObject({
      code: "REGION",
    });
    expect(await causeOf(url.replace("media.oss-cn-hangzhou", "media.oss-cn-beijing"))).toMatchObject({
      code: "REGION",
    });
    const other = { ...credentials, accessKeyId: "LTAIOTHER" };
    expect(await causeOf(url, { keys: [other] })).toMatchObject({ code: "UNKNOWN_KEY" });
    expect(await causeOf(url.slice(0, -4))).toMatchObject({ code: "MALFORMED" });
    const secret = { ...credentials, accessKeySecret: "another" };
    expect(await causeOf(url, { keys: [secret] })).toMatchObject({ code: "WRONG_SECRET" });
  });
});

it("says of a life that is too long, or an instant as V1 has it, that a shorter one has to be signed", async () => {
  for (const life of [604_801, signedAt.getTime() / 1000, signedAt.getTime(), 999_999_999_999_999]) {
    const { cause, endsAt, traps } = await ask(oss.sign(wish).url.replace("expires=3600", `expires=${life}`));
    expect(cause).toMatchObject({ code: "MALFORMED", fix: expect.stringContaining("a lifetime of at most one week") });
    // The last is none that a Date can hold.
    expect(endsAt?.getTime()).toBe(life > 1e14 ? undefined : signedAt.getTime() + life * 1000);
    expect(traps.map(({ name }) => name)).toContain("too-long-life");
  }
});

describe("an OSS V1 URL", () => {
  it("is explained: what it leaves open stands among the traps", async () => {
    const { url } = v1.sign({ ...wish, query: { versionId: "1", "x-oss-process": "image/resize,w_100", free: "1" } });
    const told = await ask(url, { keys });
    expect(told).toMatchObject({
      scheme: "oss/v1",
      grants: { methods: ["GET"], resource: "object talks/a b.txt in bucket media" },
      endsAt: new Date("2026-01-02T04:04:05Z"),
    });
    expect(told.cause).toBe(undefined);
    expect(told.stringToSign).toMatch(/^GET\n\n\n\d+\n\/media\/talks\/a b\.txt\?versionId=1&x-oss-process=/);
    expect(told.traps.find(({ name }) => name === "unsigned-parameter")?.text).toMatch(/^free:/);
    expect(told.traps.map(({ name }) => name)).toContain("sha1");
  });

  /** `text` is what a signer that errs has signed. */
  const made = (text: string, more = "", secret = credentials.accessKeySecret) => {
    const signature = createHmac("sha1", secret).update(text).digest("base64");
    return `https://media.oss-cn-hangzhou.aliyuncs.com/talks/a%20b.txt?OSSAccessKeyId=LTAIEXAMPLE&Expires=1767330245${more}&Signature=${encodeURIComponent(signature)}`;
  };
  const wrong: readonly (readonly [string, CauseCode, RegExp, readonly [string, string?, string?]])[] = [
    ["another method", "METHOD", /signed for PUT/, ["PUT\n\n\n1767330245\n/media/talks/a b.txt"]],
    ["a content type", "HEADER", /content-type/, ["GET\n\nimage/png\n1767330245\n/media/talks/a b.txt"]],
    ["no bucket", "PATH", /without the bucket/, ["GET\n\n\n1767330245\n/talks/a b.txt"]],
    ["an encoded path", "PATH", /encoded/, ["GET\n\n\n1767330245\n/media/talks/a%20b.txt"]],
    ["a later acl", "QUERY", /acl was added/, ["GET\n\n\n1767330245\n/media/talks/a b.txt", "&acl"]],
    [
      "a damaged secret",
      "WRONG_SECRET",
      /space/,
      ["GET\n\n\n1767330245\n/media/talks/a b.txt", "", " wJalrXUtnFEMI/K7MDENG"],
    ],
  ];
  it.each(wrong)("that was signed with %s is found out by its key", async (_, code, sentence, args) => {
    const cause = await causeOf(made(...args), { keys, request: { method: "GET", headers: {} } });
    expect(cause?.sentence).toMatch(sentence);
    expect(cause?.code).toBe(code);
  });

  it("is compared with the server's own string to sign, without a key", async () => {
    const url = made("GET\n\n\n1767330245\n/media/talks/a b.txt");
    const told = (text: string) => ({ errorBody: mismatch(`<StringToSign>${text}</StringToSign>`) });
    expect(await causeOf(url, told("GET\n\n\n1767330245\n/media/talks/a b.txt"))).toMatchObject({
      code: "WRONG_SECRET",
    });
    expect(await causeOf(url, told("GET\n\ntext/plain\n1767330245\n/media/talks/a b.txt"))).toMatchObject({
      code: "HEADER",
    });
    expect(await causeOf(url, told("GET\n\n\n1\n/media/talks/a b.txt"))).toMatchObject({ code: "TIME" });
  });

  it("with its end in milliseconds lives for ever", async () => {
    const url = made("").replace("1767330245", "1767330245000");
    expect(await trapsOf(url)).toContain("milliseconds");
  });
});
