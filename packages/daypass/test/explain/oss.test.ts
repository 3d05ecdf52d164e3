import { createHash, createHmac } from "node:crypto";
import { ossSigner } from "daypass/oss";
import { ossV1Signer } from "daypass/oss/v1";
import { describe, expect, it } from "vitest";
import { askingAt } from "./asking.ts";
import { errorXml, expectCause, named } from "./raw-requests.ts";

const signedAt = new Date("2026-01-02T03:04:05Z");
const credentials = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "wJalrXUtnFEMI/K7MDENG" };
const options = { region: "cn-hangzhou", credentials, clock: () => signedAt };
const oss = ossSigner(options);
const v1 = ossV1Signer(options);
const wish = { bucket: "media", key: "talks/a b.txt", expiresIn: 3600 };
const clock = () => new Date("2026-01-02T03:30:00Z");
const { ask, trapsOf } = askingAt(clock());
const keys = [credentials];
const mismatch = (text?: string) => ({
  errorBody: errorXml("SignatureDoesNotMatch", "m", text === undefined ? {} : { StringToSign: text }),
});

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

/** A V4 URL of a signer with mistakes: the signed parts can differ from those in the URL. */
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

describe("explain for an OSS URL", () => {
  it("returns grants, bindings and expiry", async () => {
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

  it("hides signature, secret and token in every text", async () => {
    const token = "CAISowJ1q6Ft5B2yfSjIr5bg";
    const session = { ...credentials, securityToken: token };
    const { url } = ossSigner({ ...options, credentials: session }).sign(wish);
    const text = JSON.stringify(await ask(url.replace("GET", "PUT"), { keys: [session], request: { method: "PUT" } }));
    expect(text).not.toContain(token);
    expect(text).not.toContain(credentials.accessKeySecret);
    expect(text).not.toContain(new URL(url).searchParams.get("x-oss-signature"));
  });

  const get = { keys, request: { method: "GET", headers: {} } };
  const good = oss.sign(wish).url;
  const own = wrongUrl({ host: "cdn.example.com" });
  const internal = { method: "GET", headers: { host: "media.oss-cn-hangzhou-internal.aliyuncs.com" } };
  const withAcl = wrongUrl({
    more: ["acl="],
    query: (pairs) =>
      [...pairs]
        .sort()
        .join("&")
        .replace(/=(?=&|$)/, ""),
  });
  const saw = (path: string) => {
    const pairs = new URL(withAcl).search.slice(1).split("&").slice(0, -1);
    const query = pairs.sort().map((pair) => pair.replace(/=$/, ""));
    const hash = createHash("sha256")
      .update(`GET\n${path}\n${query.join("&")}\n\n\nUNSIGNED-PAYLOAD`)
      .digest("hex");
    return mismatch(`OSS4-HMAC-SHA256\n20260102T030405Z\n20260102/cn-hangzhou/oss/aliyun_v4_request\n${hash}`);
  };
  it.each(
    named([
      [/^undefined/, wrongUrl({}), get],
      [/^METHOD: .*signed for PUT and sent with GET/, wrongUrl({ method: "PUT" }), get],
      [/^WRONG_SECRET: .*line feed at its end/, wrongUrl({ secret: `${credentials.accessKeySecret}\n` }), get],
      [/^HEADER: .*content-type was signed as "text\/plain"/, wrongUrl({ headers: "content-type:text/plain\n" }), get],
      [/^PATH: .*without the bucket/, wrongUrl({ path: "/talks/a%20b.txt" }), get],
      [/^PATH: .*encoded twice/, wrongUrl({ path: "/media/talks/a%2520b.txt" }), get],
      [/^QUERY: .*versionId was added after signing/, wrongUrl({ unsigned: "&versionId=1" }), get],
      [/^REGION: .*for the region oss-cn-hangzhou/, wrongUrl({ region: "oss-cn-hangzhou" }), get],
      [/with the bucket media in front/, own, { ...get, hosts: ["media.oss-cn-hangzhou.aliyuncs.com"] }],
      [/^HOST/, oss.sign({ ...wish, bindHost: true }).url, { keys, request: internal }],
      [
        /^PATH: .*was changed in transit/,
        good,
        { keys, request: { method: "GET", url: good.replace("a%20b", "a+b") } },
      ],
      [/^WRONG_SECRET/, withAcl, saw("/media/talks/a%20b.txt")],
      [/^PATH/, withAcl, saw("/media/talks/a+b.txt")],
      [/^WRONG_SECRET/, withAcl, mismatch()],
      [/^EXPIRED/, good, { clock: () => new Date("2026-01-02T04:04:05Z") }],
      [/^REGION/, good.replaceAll("cn-hangzhou%2Foss", "oss-cn-hangzhou%2Foss")],
      [/^REGION/, good.replace("media.oss-cn-hangzhou", "media.oss-cn-beijing")],
      [/^UNKNOWN_KEY/, good, { keys: [{ ...credentials, accessKeyId: "LTAIOTHER" }] }],
      [/^MALFORMED/, good.slice(0, -4)],
      [/^WRONG_SECRET/, good, { keys: [{ ...credentials, accessKeySecret: "another" }] }],
    ]),
  )("returns %s", async (_, refusal) => {
    await expectCause(refusal, clock);
  });

  it("returns the trap host-open unless the host is signed", async () => {
    expect(await trapsOf(oss.sign({ ...wish, bindHost: true }).url)).not.toContain("host-open");
    expect(await trapsOf(oss.sign(wish).url)).toContain("host-open");
  });
});

it("returns MALFORMED for a lifetime over one week", async () => {
  for (const life of [604_801, signedAt.getTime() / 1000, signedAt.getTime(), 999_999_999_999_999]) {
    const { cause, endsAt, traps } = await ask(oss.sign(wish).url.replace("expires=3600", `expires=${life}`));
    expect(cause).toMatchObject({ code: "MALFORMED", fix: expect.stringContaining("a lifetime of at most one week") });
    // A Date cannot hold the last one.
    expect(endsAt?.getTime()).toBe(life > 1e14 ? undefined : signedAt.getTime() + life * 1000);
    expect(traps.map(({ name }) => name)).toContain("too-long-life");
  }
});

describe("explain for an OSS URL of V1", () => {
  it("returns the open parameters as a trap", async () => {
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

  /** A URL of a signer that signs `text`. */
  const made = (text: string, more = "", secret = credentials.accessKeySecret) => {
    const signature = createHmac("sha1", secret).update(text).digest("base64");
    return `https://media.oss-cn-hangzhou.aliyuncs.com/talks/a%20b.txt?OSSAccessKeyId=LTAIEXAMPLE&Expires=1767330245${more}&Signature=${encodeURIComponent(signature)}`;
  };
  const text = "GET\n\n\n1767330245\n/media/talks/a b.txt";
  const get = { keys, request: { method: "GET", headers: {} } };
  it.each(
    named([
      [/^METHOD: .*signed for PUT/, made("PUT\n\n\n1767330245\n/media/talks/a b.txt"), get],
      [/^HEADER: .*content-type/, made("GET\n\nimage/png\n1767330245\n/media/talks/a b.txt"), get],
      [/^PATH: .*without the bucket/, made("GET\n\n\n1767330245\n/talks/a b.txt"), get],
      [/^PATH: .*encoded/, made("GET\n\n\n1767330245\n/media/talks/a%20b.txt"), get],
      [/^QUERY: .*acl was added/, made(text, "&acl"), get],
      [/^WRONG_SECRET: .*space/, made(text, "", " wJalrXUtnFEMI/K7MDENG"), get],
      [/^WRONG_SECRET/, made(text), mismatch(text)],
      [/^HEADER/, made(text), mismatch("GET\n\ntext/plain\n1767330245\n/media/talks/a b.txt")],
      [/^TIME/, made(text), mismatch("GET\n\n\n1\n/media/talks/a b.txt")],
    ]),
  )("returns %s", async (_, refusal) => {
    await expectCause(refusal, clock);
  });

  it("returns the trap milliseconds for an expiry in milliseconds", async () => {
    const url = made("").replace("1767330245", "1767330245000");
    expect(await trapsOf(url)).toContain("milliseconds");
  });
});
