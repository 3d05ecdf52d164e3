import { createHash, createSign } from "node:crypto";
import { type CauseCode, type ExplainOptions, explain } from "daypass/explain";
import { type GcsSignRequest, gcsHmacSigner, gcsSigner } from "daypass/gcs";
import { gcsV2HmacSigner, gcsV2Signer } from "daypass/gcs/v2";
import { describe, expect, it } from "vitest";
import { account, foreignKey, hmacKey, publicAccount } from "../gcs/account.ts";

const signedAt = new Date("2026-11-24T12:00:00Z");
const now = new Date("2026-11-24T12:05:00Z");
const clock = () => now;
const at = { clock: () => signedAt };
const request = { bucket: "media", object: "a/b.txt", expiresIn: 900 };
const byHmac = (extra: Partial<GcsSignRequest> = {}) =>
  gcsHmacSigner({ credentials: hmacKey, ...at }).sign({ ...request, ...extra }).url;
const byAccount = async (extra: Partial<GcsSignRequest> = {}) =>
  (await gcsSigner({ credentials: account, ...at }).sign({ ...request, ...extra })).url;
const v2ByHmac = (extra: Partial<GcsSignRequest> = {}) =>
  gcsV2HmacSigner({ credentials: hmacKey, ...at }).sign({ ...request, ...extra }).url;
const v2ByAccount = async (extra: Partial<GcsSignRequest> = {}) =>
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

/** A URL of the account by a signer that makes the mistakes it is told to make. */
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

/** The body with which Google refuses: what it computed from the request that reached it. */
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

describe("what a GCS URL is", () => {
  it("says who signed what, what it binds and leaves open, and when it ends", async () => {
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

  it("tells buckets by Google's hosts, and says where a host does not", async () => {
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
    expect(await of(byHmac({ object: undefined }))).toBe("bucket media");
  });

  it.each([
    ["the key file", account],
    ["the public key", publicAccount],
  ])("learns the method from %s, and shows the canonical request only then", async (_, key) => {
    const said = await ask(await byAccount({ method: "PUT" }), { keys: [key] });
    expect(said.grants.methods).toEqual(["PUT"]);
    expect(said.cause).toBeUndefined();
    expect(said.canonicalRequest).toMatch(/^PUT\n\/media\/a\/b\.txt\n/);
    expect(said.stringToSign).toMatch(/^GOOG4-RSA-SHA256\n20261124T120000Z\n/);
  });

  it("reads key files in PKCS#1 as well, and refuses what is no key", async () => {
    const { createPrivateKey } = await import("node:crypto");
    const pkcs1 = createPrivateKey(account.private_key).export({ format: "pem", type: "pkcs1" }).toString();
    const said = await ask(await byAccount(), { keys: [{ ...account, private_key: pkcs1 }] });
    expect(said.grants.methods).toEqual(["GET"]);
    await expect(ask(await byAccount(), { keys: [{ ...account, private_key: "hunter2" }] })).rejects.toMatchObject({
      code: "INVALID_KEY",
    });
  });

  it("explains V2, which parameters it leaves open, and when it may end", async () => {
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

describe("traps of a GCS URL", () => {
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
  ])("finds %s", async (name, url, options) => {
    expect(await trapsOf(await url(), options)).toContain(name);
  });

  it("says of a life that is too long that a shorter one has to be signed", async () => {
    for (const life of [604_801, signedAt.getTime()]) {
      const { cause } = await explain(byHmac().replace("Expires=900", `Expires=${life}`), at);
      expect(cause).toMatchObject({
        code: "MALFORMED",
        fix: expect.stringContaining("a lifetime of at most one week"),
      });
    }
    // Other faults of the parameter are none of its length.
    for (const url of [byHmac().replace("Expires=900", "Expires=0900"), `${byHmac()}&x-goog-expires=900`]) {
      const { cause } = await explain(url, at);
      expect(cause).toMatchObject({ code: "MALFORMED", fix: expect.stringContaining("byte for byte") });
    }
  });

  it("finds none in a plain URL, and none in a port, which is not signed", async () => {
    expect(await trapsOf(byHmac())).toEqual([]);
    const local = gcsHmacSigner({ credentials: hmacKey, endpoint: "https://gcs.example.com:8443", ...at });
    expect(await trapsOf(local.sign(request).url)).toEqual([]);
  });
});

interface Broken {
  readonly what: string;
  readonly url: () => string | Promise<string>;
  readonly options?: (url: string) => ExplainOptions;
  readonly cause: CauseCode | undefined;
  readonly says: RegExp;
}

const keys = [account, hmacKey];
const details = (Code: string, Details: string): ExplainOptions => ({
  errorBody: googleXml({ Code, Message: "Access denied.", Details }),
});

const broken: readonly Broken[] = [
  {
    what: "a GET URL used for an upload (key)",
    url: byAccount,
    options: () => ({ keys, request: { method: "PUT" } }),
    cause: "METHOD",
    says: /signed for GET and sent with PUT/,
  },
  {
    what: "a GET URL used for an upload (HMAC key)",
    url: byHmac,
    options: () => ({ keys, request: { method: "PUT" } }),
    cause: "METHOD",
    says: /signed for GET and sent with PUT/,
  },
  {
    what: "a GET URL used for an upload (error body)",
    url: byAccount,
    options: (url) => ({ request: { method: "GET" }, errorBody: errorBody(url, { method: "PUT" }) }),
    cause: "METHOD",
    says: /the server saw PUT/i,
  },
  {
    what: "a signer that signs the port (key)",
    url: () => rawUrl({ host: "storage.googleapis.com:443" }),
    options: () => ({ keys }),
    cause: "HOST",
    says: /signed for the host storage\.googleapis\.com:443/,
  },
  {
    what: "a signer that signs another host (error body)",
    url: byAccount,
    options: (url) => ({ errorBody: errorBody(url, { host: "media.storage.googleapis.com" }) }),
    cause: "HOST",
    says: /saw the host media\.storage\.googleapis\.com/i,
  },
  {
    what: "a signer that encodes the slashes of an object",
    url: () => rawUrl({ signedPath: "/media/a%2Fb.txt" }),
    options: () => ({ keys }),
    cause: "PATH",
    says: /%2F/,
  },
  {
    what: "a payload signed as that of an empty body",
    url: () => rawUrl({ payload: createHash("sha256").digest("hex") }),
    options: () => ({ keys }),
    cause: "PAYLOAD",
    says: /empty body/,
  },
  {
    what: "a parameter added after signing",
    url: async () => `${await byAccount()}&generation=1`,
    options: () => ({ keys }),
    cause: "QUERY",
    says: /generation was added after signing/,
  },
  {
    what: "a life made longer",
    url: async () => (await byAccount()).replace("Expires=900", "Expires=604800"),
    options: () => ({ keys }),
    cause: "EXPIRES_CHANGED",
    says: /from 900 to 604800/,
  },
  {
    what: "a damaged HMAC secret",
    url: () =>
      gcsHmacSigner({ credentials: { ...hmacKey, secretAccessKey: `"${hmacKey.secretAccessKey}"` }, ...at }).sign(
        request,
      ).url,
    options: () => ({ keys }),
    cause: "WRONG_SECRET",
    says: /double quotes/,
  },
  {
    what: "a replaced key of the account",
    url: byAccount,
    options: () => ({ keys: [{ ...publicAccount, public_key: foreignKey }] }),
    cause: "WRONG_SECRET",
    says: /a different key than the one given/,
  },
  {
    what: "the key of another account",
    url: byAccount,
    options: () => ({ keys: [{ client_email: "other@example.com", public_key: foreignKey }] }),
    cause: "UNKNOWN_KEY",
    says: /given keys are other@example\.com/,
  },
  {
    what: "a key of the other kind",
    url: byAccount,
    options: () => ({ keys: [hmacKey] }),
    cause: "UNKNOWN_KEY",
    says: /none of the given keys is of that kind/,
  },
  {
    what: "a name and a key that do not belong together",
    url: async () =>
      (await gcsSigner({ credentials: { ...account, client_email: "other@example.com" }, ...at }).sign(request)).url,
    options: () => ({ keys }),
    cause: "UNKNOWN_KEY",
    says: /names other@example\.com and was signed with the key of/,
  },
  {
    what: "a right signature that Google refuses",
    url: byAccount,
    options: (url) => ({ keys, errorBody: errorBody(url) }),
    cause: "WRONG_SECRET",
    says: /right for this request and the given key/,
  },
  {
    what: "a request as the URL implies, and no key",
    url: byAccount,
    options: (url) => ({ errorBody: errorBody(url) }),
    cause: "WRONG_SECRET",
    says: /exactly the request that the URL implies/,
  },
  {
    what: "an expired URL",
    url: () => byHmac({ expiresIn: 60 }),
    cause: "EXPIRED",
    says: /2026-11-24T12:01:00/,
  },
  {
    what: "an expired URL, by Google's own word",
    url: byAccount,
    options: () => details("ExpiredToken", "Request signature expired at: 2026-11-24T12:15:00+00:00"),
    cause: "EXPIRED",
    says: /valid until 2026-11-24T12:15:00\.000Z/,
  },
  {
    what: "an account without the permission",
    url: byAccount,
    options: () => details("AccessDenied", "app@p.iam.gserviceaccount.com does not have storage.objects.get access"),
    cause: "PERMISSION",
    says: /storage\.objects\.get/,
  },
  {
    what: "a query that was cut off",
    url: byAccount,
    options: () => details("AccessDenied", "Anonymous caller does not have storage.objects.get access"),
    cause: "MALFORMED",
    says: /treated the request as unsigned/,
  },
  {
    what: "a body that is too long",
    url: byAccount,
    options: () => details("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size."),
    cause: "PAYLOAD",
    says: /x-goog-content-length-range/,
  },
  {
    what: "x-amz-* beside x-goog-* headers",
    url: byAccount,
    options: () => details("ExcessHeaderValues", "Cannot mix x-amz and x-goog"),
    cause: "UNSIGNED_HEADER",
    says: /mixes/,
  },
  {
    what: "a bucket that makes the requester pay",
    url: byAccount,
    options: () => details("UserProjectMissing", "Bucket is a requester pays bucket but no user project provided."),
    cause: "PERMISSION",
    says: /Requester Pays/,
  },
  {
    what: "a key that the server does not take",
    url: byHmac,
    options: () => details("InvalidSecurity", "The provided security credentials are not valid."),
    cause: "UNKNOWN_KEY",
    says: /does not accept the signing credentials/,
  },
  {
    what: "a parameter that Google cannot read",
    url: byAccount,
    options: () => details("InvalidArgument", "Invalid X-Goog-Expires"),
    cause: "MALFORMED",
    says: /Invalid X-Goog-Expires/,
  },
  {
    what: "an object that is not there",
    url: byAccount,
    options: () => details("NoSuchKey", "No such object: media/a/b.txt"),
    cause: "NOT_FOUND",
    says: /does not exist/,
  },
  {
    what: "an unsigned extension header",
    url: byAccount,
    options: () => ({ request: { headers: { "x-goog-copy-source": "/a/b" } } }),
    cause: "UNSIGNED_HEADER",
    says: /x-goog-copy-source/,
  },
  {
    what: "a signed header that was not sent",
    url: () => byAccount({ headers: { "x-goog-acl": "private" } }),
    options: () => ({ request: { headers: {} } }),
    cause: "HEADER",
    says: /x-goog-acl, which was not sent/,
  },
  {
    what: "a URL for another service",
    url: async () => (await byAccount()).replace("storage%2Fgoog4", "compute%2Fgoog4"),
    cause: "SERVICE",
    says: /service storage/,
  },
  {
    what: "V2: a Content-Type that was not signed (key)",
    url: v2ByAccount,
    options: () => ({ keys, request: { method: "GET", headers: { "content-type": "text/plain" } } }),
    cause: "HEADER",
    says: /content-type was signed not to be there and sent as "text\/plain"/,
  },
  {
    what: "V2: a GET URL asked with PUT (HMAC key)",
    url: v2ByHmac,
    options: () => ({ keys, request: { method: "PUT" } }),
    cause: "METHOD",
    says: /signed for GET and sent with PUT/,
  },
  {
    what: "V2: a Content-Type that Google saw (error body)",
    url: v2ByHmac,
    options: (url) => ({
      errorBody: googleXml({
        Code: "SignatureDoesNotMatch",
        Message: "Access denied.",
        StringToSign: `PUT\n\nimage/png\n${new URL(url).searchParams.get("Expires")}\n/media/a/b.txt`,
      }),
      request: { method: "PUT" },
    }),
    cause: "HEADER",
    says: /content-type differs.*image\/png/,
  },
  {
    what: "V2: another bucket in the server's resource (error body)",
    url: v2ByHmac,
    options: (url) => ({
      errorBody: googleXml({
        Code: "SignatureDoesNotMatch",
        StringToSign: `GET\n\n\n${new URL(url).searchParams.get("Expires")}\n/other/a/b.txt`,
      }),
    }),
    cause: "PATH",
    says: /resource differs/,
  },
  {
    what: "V2: the same text and another signature (error body)",
    url: v2ByHmac,
    options: (url) => ({
      errorBody: googleXml({
        Code: "SignatureDoesNotMatch",
        StringToSign: `GET\n\n\n${new URL(url).searchParams.get("Expires")}\n/media/a/b.txt`,
      }),
    }),
    cause: "WRONG_SECRET",
    says: /what the URL implies/,
  },
  {
    what: "V2: a signer that signs a parameter",
    url: () => {
      const end = signedAt.getTime() / 1000 + 900;
      const text = `GET\n\n\n${end}\n/media/a/b.txt?generation=7`;
      const signature = createSign("sha256").update(text).sign(account.private_key, "base64");
      return `https://storage.googleapis.com/media/a/b.txt?generation=7&GoogleAccessId=${encodeURIComponent(account.client_email)}&Expires=${end}&Signature=${encodeURIComponent(signature)}`;
    },
    options: () => ({ keys }),
    cause: "PATH",
    says: /generation=7, which V2 does not sign/,
  },
  {
    what: "V2: a replaced key",
    url: v2ByAccount,
    options: () => ({ keys: [{ ...publicAccount, public_key: foreignKey }], request: { headers: {} } }),
    cause: "WRONG_SECRET",
    says: /a different key/,
  },
  {
    what: "V2: a key of another account",
    url: v2ByAccount,
    options: () => ({ keys: [hmacKey] }),
    cause: "UNKNOWN_KEY",
    says: /of another kind/,
  },
  { what: "V2: an expired URL", url: () => v2ByHmac({ expiresIn: 60 }), cause: "EXPIRED", says: /12:01:00/ },
  {
    what: "V2: a customer's encryption key",
    url: v2ByHmac,
    options: () => ({ request: { headers: { "x-goog-encryption-key": "k" } } }),
    cause: "UNSIGNED_HEADER",
    says: /x-goog-encryption-key/,
  },
  {
    what: "V2: a plus that became a space",
    url: async () => {
      for (let i = 0; ; i++) {
        const url = await v2ByAccount({ object: `${i}` });
        if (url.includes("%2B")) return url.replace("%2B", "+");
      }
    },
    cause: "MALFORMED",
    says: /base64/,
  },
];

describe("the cause of a refusal by Google", () => {
  it.each(broken)("$what: $cause", async ({ url, options, cause, says }) => {
    const signed = await url();
    const said = await ask(signed, options?.(signed));
    expect(said.cause?.code).toBe(cause);
    expect(said.cause?.sentence).toMatch(says);
  });

  it("is missing where nothing is wrong", async () => {
    for (const url of [await byAccount(), byHmac(), await v2ByAccount(), v2ByHmac()]) {
      expect((await ask(url, { keys })).cause).toBeUndefined();
      expect((await ask(url)).cause).toBeUndefined();
    }
  });

  it("names a second fault beside an expired life", async () => {
    const said = await ask(await byAccount({ expiresIn: 60 }), { keys, request: { method: "PUT" } });
    expect(said.cause?.code).toBe("EXPIRED");
    expect(said.cause?.evidence.join()).toContain("signed for GET and sent with PUT");
  });

  it("finds two faults at once, also by promise", async () => {
    const url = rawUrl({ method: "PUT", host: "storage.googleapis.com:443" });
    const said = await ask(url, { keys, request: { method: "GET" } });
    expect(said.cause?.sentence).toMatch(/signed for PUT.*Also: .*storage\.googleapis\.com:443/);
  });

  it("never fails on a damaged URL", async () => {
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
