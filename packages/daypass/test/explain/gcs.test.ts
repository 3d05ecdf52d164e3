import { createHash, createSign } from "node:crypto";
import { type ExplainOptions, explain } from "daypass/explain";
import { type GcsObjectRequest, gcsHmacSigner, gcsSigner } from "daypass/gcs";
import { gcsV2HmacSigner, gcsV2Signer } from "daypass/gcs/v2";
import { describe, expect, it } from "vitest";
import { account, foreignKey, hmacKey, publicAccount } from "../gcs/account.ts";
import { expectCause, named, type Refusal } from "./raw-requests.ts";

const signedAt = new Date("2026-11-24T12:00:00Z");
const now = new Date("2026-11-24T12:05:00Z");
const clock = () => now;
const at = { clock: () => signedAt };
const request = { bucket: "media", object: "a/b.txt", expiresIn: 900 };
const byHmac = (extra: Partial<GcsObjectRequest> = {}) =>
  gcsHmacSigner({ credentials: hmacKey, ...at }).sign({ ...request, ...extra }).url;
const byAccount = async (extra: Partial<GcsObjectRequest> = {}) =>
  (await gcsSigner({ credentials: account, ...at }).sign({ ...request, ...extra })).url;
const v2ByHmac = (extra: Partial<GcsObjectRequest> = {}) =>
  gcsV2HmacSigner({ credentials: hmacKey, ...at }).sign({ ...request, ...extra }).url;
const v2ByAccount = async (extra: Partial<GcsObjectRequest> = {}) =>
  (await gcsV2Signer({ credentials: account, ...at }).sign({ ...request, ...extra })).url;
const ask = (url: string, options: ExplainOptions = {}) => explain(url, { clock, ...options });
const trapsOf = async (url: string, options: ExplainOptions = {}) =>
  (await ask(url, options)).traps.map(({ name }) => name);

/** An answer in the form of the XML API. */
function googleXml(fields: Readonly<Record<string, string>>): string {
  const escapeXml = (text: string): string =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const elements = Object.entries(fields).map(([name, text]) => `<${name}>${escapeXml(text)}</${name}>`);
  return `<?xml version='1.0' encoding='UTF-8'?><Error>${elements.join("")}</Error>`;
}

interface RawSigning {
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly signedPath?: string;
  readonly query?: string;
  readonly payload?: string;
}

/** A URL of the account by a signer with the given mistakes. */
function rawUrl(options: RawSigning): string {
  const { method = "GET", host = "storage.googleapis.com", path = "/media/a/b.txt", signedPath = path } = options;
  const { query = "", payload = "UNSIGNED-PAYLOAD" } = options;
  const scope = "20261124/auto/storage/goog4_request";
  const auth = `X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=${encodeURIComponent(`${account.client_email}/${scope}`)}&X-Goog-Date=20261124T120000Z&X-Goog-Expires=900&X-Goog-SignedHeaders=host`;
  const canonical = [method, signedPath, auth + query, `host:${host}`, "", "host", payload].join("\n");
  const hash = createHash("sha256").update(canonical).digest("hex");
  const text = `GOOG4-RSA-SHA256\n20261124T120000Z\n${scope}\n${hash}`;
  const signature = createSign("sha256").update(text).sign(account.private_key, "hex");
  return `https://storage.googleapis.com${path}?${auth}${query}&X-Goog-Signature=${signature}`;
}

/** Google's answer to a mismatch, with the canonical request of the server. */
function errorBody(
  url: string,
  saw: { readonly method?: string; readonly host?: string; readonly path?: string } = {},
) {
  const { hostname, pathname, search } = new URL(url);
  const query = search
    .slice(1)
    .split("&")
    .filter((token) => !token.startsWith("X-Goog-Signature="))
    .sort()
    .join("&");
  const { method = "GET", host = hostname, path = pathname } = saw;
  const canonical = [method, path, query, `host:${host}`, "", "host", "UNSIGNED-PAYLOAD"].join("\n");
  const value = (name: string) => new URL(url).searchParams.get(name) ?? "";
  const scope = value("X-Goog-Credential").split("/").slice(1).join("/");
  const hash = createHash("sha256").update(canonical).digest("hex");
  return googleXml({
    Code: "SignatureDoesNotMatch",
    Message: "Access denied.",
    Details:
      "The request signature we calculated does not match the signature you provided. Check your Google secret key and signing method.",
    StringToSign: [value("X-Goog-Algorithm"), value("X-Goog-Date"), scope, hash].join("\n"),
    CanonicalRequest: canonical,
  });
}

describe("explain for a URL of Cloud Storage", () => {
  it("returns signer, bindings, open parts and times", async () => {
    const url = await byAccount({ headers: { "x-goog-acl": "private" } });
    const said = await ask(url);
    expect(said.scheme).toBe("gcs");
    expect(said.summary).toBe(
      `A Cloud Storage signed URL (V4, the RSA key of a service account) for object a/b.txt in bucket media, signed by ${account.client_email}, valid until 2026-11-24T12:15:00.000Z.`,
    );
    expect(said.signedBy).toBe(account.client_email);
    expect(said.binds).toEqual(expect.arrayContaining(["host storage.googleapis.com", "header x-goog-acl"]));
    expect(said.leavesOpen).toEqual(expect.arrayContaining(["body", "scheme and port"]));
    expect(said.startsAt).toEqual(new Date("2026-11-24T11:45:00Z"));
    expect(said.endsAt).toEqual(new Date("2026-11-24T12:15:00Z"));
    expect(said.mayEndEarlier).toContain("key is deleted");
    expect(said.mustSend).toEqual([{ name: "x-goog-acl", value: undefined }]);
    expect([said.cause, said.canonicalRequest]).toEqual([undefined, undefined]);
    expect(JSON.stringify(said)).not.toContain(new URL(url).searchParams.get("X-Goog-Signature"));
  });

  it("returns the bucket of Google's hosts, and the path for other hosts", async () => {
    const options = { credentials: hmacKey, ...at };
    const of = async (url: string) => (await ask(url)).grants.resource;
    expect(await of(gcsHmacSigner({ ...options, addressing: "virtual" }).sign(request).url)).toBe(
      "object a/b.txt in bucket media",
    );
    expect(await of(gcsHmacSigner({ ...options, universeDomain: "apis.example" }).sign(request).url)).toBe(
      "object a/b.txt in bucket media",
    );
    const own = gcsHmacSigner({ ...options, addressing: "bucket-bound", endpoint: "https://files.example.com" });
    expect(await of(own.sign(request).url)).toContain("/a/b.txt at files.example.com");
    expect(await of(byHmac({ object: undefined, resource: "bucket" } as never))).toBe("bucket media");
  });

  it.each([
    ["a key file", account],
    ["a public key", publicAccount],
  ])("returns method and canonical request with %s", async (_, key) => {
    const said = await ask(await byAccount({ method: "PUT" }), { keys: [key] });
    expect(said.grants.methods).toEqual(["PUT"]);
    expect(said.cause).toBeUndefined();
    expect(said.canonicalRequest).toMatch(/^PUT\n\/media\/a\/b\.txt\n/);
    expect(said.stringToSign).toMatch(/^GOOG4-RSA-SHA256\n20261124T120000Z\n/);
  });

  it("accepts key files in PKCS#1, and rejects other texts", async () => {
    const { createPrivateKey } = await import("node:crypto");
    const pkcs1 = createPrivateKey(account.private_key).export({ format: "pem", type: "pkcs1" }).toString();
    const said = await ask(await byAccount(), { keys: [{ ...account, private_key: pkcs1 }] });
    expect(said.grants.methods).toEqual(["GET"]);
    await expect(ask(await byAccount(), { keys: [{ ...account, private_key: "hunter2" }] })).rejects.toMatchObject({
      code: "INVALID_KEY",
    });
  });

  it("returns the open parameters and the lifetime of V2", async () => {
    const said = await ask(await v2ByAccount({ query: { generation: "7" } }), { keys: [account] });
    expect(said.scheme).toBe("gcs/v2");
    expect(said.grants).toEqual({ methods: ["GET"], resource: "object a/b.txt in bucket media" });
    expect(said.leavesOpen.join()).toMatch(/scheme and host.*generation and the response headers/);
    expect(said.traps.map(({ name }) => name)).toEqual(["gcs-v2", "open-parameters"]);
    expect(said.mayEndEarlier).toContain("12 hours");
    expect(said.stringToSign).toMatch(/^GET\n\n\n\d+\n\/media\/a\/b\.txt$/);
    expect(JSON.stringify(said)).not.toContain("PRIVATE KEY");
  });
});

describe("explain for a URL of Cloud Storage with traps", () => {
  it.each<[string, () => string | Promise<string>, ExplainOptions?]>([
    ["ignored-override", () => byHmac({ query: { "response-cache-control": "no-store" } })],
    ["header-in-query", () => byHmac({ query: { "x-goog-acl": "public-read" } })],
    ["header-in-query", () => byHmac({ query: { "X-Goog-Content-Length-Range": "0,1" } })],
    ["longest-life", () => byHmac({ expiresIn: 604_800 })],
    ["short-life", () => byHmac({ expiresIn: 59 })],
    ["expired", () => byHmac({ expiresIn: 300 })],
    ["instant-as-life", () => byHmac().replace("Expires=900", `Expires=${signedAt.getTime()}`)],
    ["too-long-life", () => byHmac().replace("Expires=900", "Expires=604801")],
    ["open-content-type", () => byAccount({ method: "PUT" }), { keys: [account] }],
    ["post-without-resumable", () => byAccount({ method: "POST" }), { keys: [account] }],
    ["double-slash", () => byHmac({ object: "a//b" })],
    ["milliseconds", () => v2ByHmac().replace(/Expires=\d+/, `Expires=${signedAt.getTime()}`)],
    ["too-long-life", () => v2ByHmac({ expiresIn: 604_800 * 2 })],
    ["expired", () => v2ByHmac({ expiresIn: 1 })],
  ])("returns the trap %s", async (name, url, options) => {
    expect(await trapsOf(await url(), options)).toContain(name);
  });

  it("returns MALFORMED for a lifetime over one week", async () => {
    for (const life of [604_801, signedAt.getTime()]) {
      const { cause } = await explain(byHmac().replace("Expires=900", `Expires=${life}`), at);
      expect(cause).toMatchObject({
        code: "MALFORMED",
        fix: expect.stringContaining("a lifetime of at most one week"),
      });
    }
    // Another spelling of the parameter has another fix.
    for (const url of [byHmac().replace("Expires=900", "Expires=0900"), `${byHmac()}&x-goog-expires=900`]) {
      const { cause } = await explain(url, at);
      expect(cause).toMatchObject({ code: "MALFORMED", fix: expect.stringContaining("byte for byte") });
    }
  });

  it("returns no trap for a plain URL, and none for a port", async () => {
    expect(await trapsOf(byHmac())).toEqual([]);
    const local = gcsHmacSigner({ credentials: hmacKey, endpoint: "https://gcs.example.com:8443", ...at });
    expect(await trapsOf(local.sign(request).url)).toEqual([]);
  });
});

const ACCOUNT = await byAccount();
const HMAC = byHmac();
const V2_ACCOUNT = await v2ByAccount();
const V2_HMAC = v2ByHmac();
/** V2 URL of a signer that signs a parameter. */
const SIGNED_PARAMETER = (() => {
  const end = signedAt.getTime() / 1000 + 900;
  const text = `GET\n\n\n${end}\n/media/a/b.txt?generation=7`;
  const signature = createSign("sha256").update(text).sign(account.private_key, "base64");
  return `https://storage.googleapis.com/media/a/b.txt?generation=7&GoogleAccessId=${encodeURIComponent(account.client_email)}&Expires=${end}&Signature=${encodeURIComponent(signature)}`;
})();
async function v2WithPlus(): Promise<string> {
  for (let i = 0; ; i++) {
    const url = await v2ByAccount({ object: `${i}` });
    if (url.includes("%2B")) return url.replace("%2B", "+");
  }
}
/** V2's answer: the string to sign of the server. */
const v2Text = (url: string, text: (end: string | null) => string): ExplainOptions => ({
  errorBody: googleXml({ Code: "SignatureDoesNotMatch", StringToSign: text(new URL(url).searchParams.get("Expires")) }),
});

const keys = [account, hmacKey];
const details = (Code: string, Details: string): ExplainOptions => ({
  errorBody: googleXml({ Code, Message: "Access denied.", Details }),
});

const REFUSALS: readonly Refusal[] = [
  [/^METHOD: .*signed for GET and sent with PUT/, ACCOUNT, { keys, request: { method: "PUT" } }],
  [/^METHOD: .*signed for GET and sent with PUT/, HMAC, { keys, request: { method: "PUT" } }],
  [
    /^METHOD: .*the server saw PUT/i,
    ACCOUNT,
    { request: { method: "GET" }, errorBody: errorBody(ACCOUNT, { method: "PUT" }) },
  ],
  [
    /^HOST: .*signed for the host storage\.googleapis\.com:443/,
    rawUrl({ host: "storage.googleapis.com:443" }),
    { keys },
  ],
  [
    /^HOST: .*saw the host media\.storage\.googleapis\.com/i,
    ACCOUNT,
    { errorBody: errorBody(ACCOUNT, { host: "media.storage.googleapis.com" }) },
  ],
  [/^PATH: .*%2F/, rawUrl({ signedPath: "/media/a%2Fb.txt" }), { keys }],
  [/^PAYLOAD: .*empty body/, rawUrl({ payload: createHash("sha256").digest("hex") }), { keys }],
  [/^QUERY: .*generation was added after signing/, `${await byAccount()}&generation=1`, { keys }],
  [/^EXPIRES_CHANGED: .*from 900 to 604800/, (await byAccount()).replace("Expires=900", "Expires=604800"), { keys }],
  [
    /^WRONG_SECRET: .*double quotes/,
    gcsHmacSigner({ credentials: { ...hmacKey, secretAccessKey: `"${hmacKey.secretAccessKey}"` }, ...at }).sign(request)
      .url,
    { keys },
  ],
  [
    /^WRONG_SECRET: .*a different key than the one given/,
    ACCOUNT,
    { keys: [{ ...publicAccount, public_key: foreignKey }] },
  ],
  [
    /^UNKNOWN_KEY: .*given keys are other@example\.com/,
    ACCOUNT,
    { keys: [{ client_email: "other@example.com", public_key: foreignKey }] },
  ],
  [/^UNKNOWN_KEY: .*none of the given keys is of that kind/, ACCOUNT, { keys: [hmacKey] }],
  [
    /^UNKNOWN_KEY: .*names other@example\.com and was signed with the key of/,
    (await gcsSigner({ credentials: { ...account, client_email: "other@example.com" }, ...at }).sign(request)).url,
    { keys },
  ],
  [/^WRONG_SECRET: .*right for this request and the given key/, ACCOUNT, { keys, errorBody: errorBody(ACCOUNT) }],
  [/^WRONG_SECRET: .*for another method than GET, or with another key/, ACCOUNT, { errorBody: errorBody(ACCOUNT) }],
  [/^EXPIRED: .*2026-11-24T12:01:00/, byHmac({ expiresIn: 60 })],
  [
    /^EXPIRED: .*valid until 2026-11-24T12:15:00\.000Z/,
    ACCOUNT,
    details("ExpiredToken", "Request signature expired at: 2026-11-24T12:15:00+00:00"),
  ],
  [
    /^PERMISSION: .*storage\.objects\.get/,
    ACCOUNT,
    details("AccessDenied", "app@p.iam.gserviceaccount.com does not have storage.objects.get access"),
  ],
  [
    /^MALFORMED: .*treated the request as unsigned/,
    ACCOUNT,
    details("AccessDenied", "Anonymous caller does not have storage.objects.get access"),
  ],
  [
    /^PAYLOAD: .*x-goog-content-length-range/,
    ACCOUNT,
    details("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size."),
  ],
  [/^UNSIGNED_HEADER: .*mixes/, ACCOUNT, details("ExcessHeaderValues", "Cannot mix x-amz and x-goog")],
  [
    /^PERMISSION: .*Requester Pays/,
    ACCOUNT,
    details("UserProjectMissing", "Bucket is a requester pays bucket but no user project provided."),
  ],
  [
    /^UNKNOWN_KEY: .*does not accept the signing credentials/,
    HMAC,
    details("InvalidSecurity", "The provided security credentials are not valid."),
  ],
  [/^MALFORMED: .*Invalid X-Goog-Expires/, ACCOUNT, details("InvalidArgument", "Invalid X-Goog-Expires")],
  [/^NOT_FOUND: .*does not exist/, ACCOUNT, details("NoSuchKey", "No such object: media/a/b.txt")],
  [/^UNSIGNED_HEADER: .*x-goog-copy-source/, ACCOUNT, { request: { headers: { "x-goog-copy-source": "/a/b" } } }],
  [
    /^HEADER: .*x-goog-acl, which was not sent/,
    await byAccount({ headers: { "x-goog-acl": "private" } }),
    { request: { headers: {} } },
  ],
  [/^SERVICE: .*Sign for storage/, (await byAccount()).replace("storage%2Fgoog4", "compute%2Fgoog4")],
  [
    /^HEADER: .*content-type was signed not to be there and sent as "text\/plain"/,
    V2_ACCOUNT,
    { keys, request: { method: "GET", headers: { "content-type": "text/plain" } } },
  ],
  [/^METHOD: .*signed for GET and sent with PUT/, V2_HMAC, { keys, request: { method: "PUT" } }],
  [
    /^HEADER: .*content-type differs.*image\/png/,
    V2_HMAC,
    { ...v2Text(V2_HMAC, (end) => `PUT\n\nimage/png\n${end}\n/media/a/b.txt`), request: { method: "PUT" } },
  ],
  [/^PATH: .*resource differs/, V2_HMAC, v2Text(V2_HMAC, (end) => `GET\n\n\n${end}\n/other/a/b.txt`)],
  [
    /^WRONG_SECRET: .*or was changed after signing/,
    V2_HMAC,
    v2Text(V2_HMAC, (end) => `GET\n\n\n${end}\n/media/a/b.txt`),
  ],
  [/^PATH: .*generation=7, which V2 does not sign/, SIGNED_PARAMETER, { keys }],
  [
    /^WRONG_SECRET: .*a different key/,
    V2_ACCOUNT,
    { keys: [{ ...publicAccount, public_key: foreignKey }], request: { headers: {} } },
  ],
  [/^UNKNOWN_KEY: .*of another kind/, V2_ACCOUNT, { keys: [hmacKey] }],
  [/^EXPIRED: .*12:01:00/, v2ByHmac({ expiresIn: 60 })],
  [/^UNSIGNED_HEADER: .*x-goog-encryption-key/, V2_HMAC, { request: { headers: { "x-goog-encryption-key": "k" } } }],
  [/^MALFORMED: .*base64/, await v2WithPlus()],
];

describe("explain for a refusal by Google", () => {
  it.each(named(REFUSALS))("returns %s", async (_, refusal) => {
    await expectCause(refusal, clock);
  });

  it("returns no cause for a good URL", async () => {
    for (const url of [await byAccount(), byHmac(), await v2ByAccount(), v2ByHmac()]) {
      expect((await ask(url, { keys })).cause).toBeUndefined();
      expect((await ask(url)).cause).toBeUndefined();
    }
  });

  it("adds a second fault to the evidence of an expired URL", async () => {
    const said = await ask(await byAccount({ expiresIn: 60 }), { keys, request: { method: "PUT" } });
    expect(said.cause?.code).toBe("EXPIRED");
    expect(said.cause?.evidence.join()).toContain("signed for GET and sent with PUT");
  });

  it("returns two faults of one URL", async () => {
    const url = rawUrl({ method: "PUT", host: "storage.googleapis.com:443" });
    const said = await ask(url, { keys, request: { method: "GET" } });
    expect(said.cause?.sentence).toMatch(/signed for PUT.*Also: .*storage\.googleapis\.com:443/);
  });

  it("rejects a damaged URL only with NO_SIGNATURE", async () => {
    const good = [await byAccount(), v2ByHmac()];
    for (const url of good) {
      for (let i = url.indexOf("?"); i < url.length; i += 3) {
        await ask(url.slice(0, i) + url.slice(i + 7), { keys: [hmacKey] }).catch((error: unknown) => {
          expect(error).toMatchObject({ code: "NO_SIGNATURE" });
        });
      }
    }
  });
});
