import { ceph } from "daypass/presets";
import { type S3ObjectRequest, s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { s3V4aSigner } from "daypass/s3/v4a";
import { type SwiftSignRequest, swiftSigner } from "daypass/swift";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";
import { type Radosgw, startRadosgw } from "../../tools/radosgw-server.ts";
import { aws4Oracle } from "../oracles/aws4.ts";
import { aws4fetchOracle } from "../oracles/aws4fetch.ts";
import { daypassUrl } from "../oracles/daypass.ts";
import { minioOracle } from "../oracles/minio.ts";
import { draft, targetOf } from "../oracles/oracle.ts";
import { smithyOracle } from "../oracles/smithy.ts";
import { HOSTILE_KEYS } from "../random/hostile-keys.ts";
import { randomKey } from "../random/keys.ts";
import { randomWish, type S3Wish } from "../random/requests.ts";
import { runSeed, seeded } from "../random/seeded.ts";
import { type Answer, send } from "../send.ts";

const missing = needs("radosgw", "radosgw-admin");
const BUCKET = "media";

describe.skipIf(missing)(`URLs of Daypass, judged by radosgw${missing ?? ""}`, () => {
  let radosgw: Radosgw;
  const signers = () => {
    const { endpoint, virtualEndpoint, credentials } = radosgw;
    const path = { region: "us-east-1", endpoint, addressing: "path", credentials } as const;
    const virtual = { region: "us-east-1", endpoint: virtualEndpoint, addressing: "virtual", credentials } as const;
    return {
      "SigV4, path style": s3Signer(path),
      "SigV4, virtual-host style": s3Signer(virtual),
      "SigV2, path style": s3V2Signer(path),
      "SigV2, virtual-host style": s3V2Signer(virtual),
    };
  };
  type Style = keyof ReturnType<typeof signers>;

  const call = (style: Style, { key, ...asked }: Partial<S3ObjectRequest>, body?: string): Promise<Answer> => {
    const { url, method, headers } = signers()[style].sign({
      bucket: BUCKET,
      expiresIn: 600,
      dotSegments: "sign",
      ...asked,
      ...targetOf(key),
    });
    return send({ url, method, headers, body });
  };

  beforeAll(async () => {
    radosgw = await startRadosgw();
    const { status } = await call("SigV4, path style", { method: "PUT" });
    expect(status).toBe(200);
  });
  afterAll(() => radosgw?.stop());

  const STYLES: readonly Style[] = [
    ...(["SigV4, path style", "SigV4, virtual-host style", "SigV2, path style", "SigV2, virtual-host style"] as const),
  ];

  describe.each(STYLES)("%s", (style) => {
    test(`puts, looks at, gets and deletes ${HOSTILE_KEYS.length} hostile keys and 25 random ones`, async () => {
      const random = seeded(runSeed());
      const keys = [...HOSTILE_KEYS, ...Array.from({ length: 25 }, () => randomKey(random))];
      // radosgw answers 400 to a NUL in a path, before it looks at any signature.
      for (const key of new Set(keys.filter((candidate) => !candidate.includes("\0")))) await lives(style, key);
    });

    test("refuses every tampered URL", async () => {
      await call(style, { method: "PUT", key: "a b+c.txt" }, "content");
      const { url } = signers()[style].sign({
        bucket: BUCKET,
        key: "a b+c.txt",
        expiresIn: 600,
        query: { versionId: "null" },
        response: { contentDisposition: 'attachment; filename="a b+c.txt"' },
      });
      expect((await send({ url, method: "GET" })).status).toBe(200);
      const accepted: string[] = [];
      for (const [name, tampered, method] of tamperedUrls(url)) {
        const { status } = await send({ url: tampered, method });
        if (status < 400) accepted.push(`${name}: ${tampered}`);
      }
      expect(accepted).toEqual([]);
    });

    test("answers with the response overrides that were signed", async () => {
      await call(style, { method: "PUT", key: "o.txt" }, "content");
      const contentDisposition = `attachment; filename="a b+c's.txt"; filename*=UTF-8''%C3%A9.txt`;
      const answer = await call(style, { key: "o.txt", response: { contentDisposition, contentType: "text/x-own" } });
      expect(answer.status).toBe(200);
      expect(answer.headers["content-disposition"]).toBe(contentDisposition);
      expect(answer.headers["content-type"]).toBe("text/x-own");
    });

    test("takes the headers that were signed, and no others", async () => {
      const headers = { "content-type": "image/png", "x-amz-meta-note": "a,  b" };
      const signed = signers()[style].sign({ bucket: BUCKET, key: "h.png", method: "PUT", headers, expiresIn: 600 });
      const put = (changed: Record<string, string>) =>
        send({ url: signed.url, method: "PUT", headers: { ...signed.headers, ...changed }, body: "png" });
      expect((await put({})).status).toBe(200);
      expect((await put({ "content-type": "text/html" })).code).toBe("SignatureDoesNotMatch");
      expect((await put({ "x-amz-meta-note": "other" })).code).toBe("SignatureDoesNotMatch");
      const { headers: kept } = await call(style, { method: "HEAD", key: "h.png" });
      expect([kept["content-type"], kept["x-amz-meta-note"]]).toEqual(["image/png", "a,  b"]);
    });
  });

  async function lives(style: Style, key: string): Promise<void> {
    const content = `content of ${JSON.stringify(key)}`;
    const put = await call(style, { method: "PUT", key }, content);
    expect([key, put.status, put.code]).toEqual([key, 200, ""]);
    expect((await call(style, { method: "HEAD", key })).status).toBe(200);
    const got = await call(style, { method: "GET", key });
    expect([got.status, got.body.toString()]).toEqual([200, content]);
    expect((await call(style, { method: "DELETE", key })).status).toBe(204);
    expect((await call(style, { method: "GET", key })).code).toBe("NoSuchKey");
  }

  test("binds the body when its SHA-256 is signed", async () => {
    const sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const signed = signers()["SigV4, path style"].sign({
      bucket: BUCKET,
      key: "abc",
      method: "PUT",
      bind: { sha256 },
      expiresIn: 600,
    });
    const put = (body: string) => send({ url: signed.url, method: "PUT", headers: signed.headers, body });
    expect((await put("abc")).status).toBe(200);
    expect((await put("abd")).status).toBe(400);
  });

  test("it knows no SigV4A, as the preset of Ceph says", async () => {
    const { endpoint, credentials } = radosgw;
    const key = "as it is";
    expect((await call("SigV4, path style", { key, method: "PUT" }, "x")).status).toBe(200);
    expect((await call("SigV4, path style", { key })).status).toBe(200);
    const signer = s3V4aSigner({ endpoint, addressing: "path", credentials });
    expect((await send(await signer.sign({ bucket: BUCKET, key, expiresIn: 60 }))).status).toBe(403);
    expect(ceph({ endpoint }).provider.supports).toMatchObject({ sigv4a: false, sigv2: true, virtual: true });
  });

  test("its Swift API takes TempURLs of both keys, but for SHA-512, prefixes and networks", async () => {
    const { account, keys } = radosgw.swift;
    const endpoint = `${radosgw.endpoint}/swift`;
    const object = "talks/key note+1%.txt";
    type Wish = Partial<SwiftSignRequest> & { readonly digest?: "sha1" | "sha256" | "sha512" };
    const asked = async (key: string, { digest = "sha256", ...wish }: Wish, body?: string) => {
      const options = { endpoint, account, key };
      const signer = digest === "sha512" ? swiftSigner({ ...options, digest }) : swiftSigner({ ...options, digest });
      const { url, method } = await signer.sign({ container: BUCKET, object, expiresIn: 60, ...wish });
      const answer = await send({ method, url, body });
      return [answer.status, answer.status === 200 ? answer.body.toString() : ""];
    };
    for (const [at, key] of keys.entries()) {
      const text = `content ${at}`;
      expect(await asked(key, { method: "PUT" }, text)).toEqual([201, ""]);
      for (const digest of ["sha1", "sha256"] as const) {
        expect(await asked(key, { digest })).toEqual([200, text]);
        expect(await asked(key, { digest, expiresAs: "iso" })).toEqual([200, text]);
      }
      // It wants padding behind the base64, and `/swift` in a prefix; of networks it knows nothing.
      const left: readonly Wish[] = [{ digest: "sha512" }, { prefix: "talks/" }, { bind: { ip: "127.0.0.0/8" } }];
      for (const wish of left) expect(await asked(key, wish)).toEqual([403, ""]);
    }
    expect(await asked("no key", {})).toEqual([403, ""]);
  });

  describe("where a client differs from Daypass", () => {
    const unlike = [smithyOracle, aws4Oracle, minioOracle].flatMap((oracle) =>
      oracle.deviations.map((deviation) => ({ oracle, deviation, name: `${oracle.name}: ${deviation.name}` })),
    );

    test.each(unlike)("radosgw accepts ours and refuses theirs. $name", async ({ oracle, deviation }) => {
      const wish = wishFor((candidate) => deviation.applies(candidate, draft(candidate, [])), oracle.narrow);
      // An empty body of the wrong hash is refused before the signature is looked at.
      const body = wish.method === "PUT" ? "body" : undefined;
      expect((await send({ ...wish, url: daypassUrl(wish, []), body })).code).not.toBe("SignatureDoesNotMatch");
      const theirs = await send({ ...wish, url: await oracle.sign(wish), body });
      // minio does not send this parameter, so its URL is for another request.
      const lost = deviation.name.includes("neither sent nor signed");
      expect(theirs.code === "SignatureDoesNotMatch").toBe(!lost);
    });

    test("radosgw takes the form spelling of aws4fetch for what was signed", async () => {
      const deviation = aws4fetchOracle.deviations.find(({ name }) => name.includes("spelled as a form"));
      const repeats = aws4fetchOracle.deviations.find(({ name }) => name.includes("repeats"));
      const wish = wishFor(
        (candidate) => {
          const right = draft(candidate, []);
          return deviation?.applies(candidate, right) === true && repeats?.applies(candidate, right) === false;
        },
        (candidate) => ({ ...candidate, key: "spelling.txt" }),
      );
      expect((await send({ ...wish, url: await aws4fetchOracle.sign(wish) })).code).not.toBe("SignatureDoesNotMatch");
    });

    test("aws4fetch gives a valid URL for another object when a key has dot segments", async () => {
      await call("SigV4, path style", { method: "PUT", key: "secret.txt" }, "secret");
      const wish: S3Wish = { ...ownWish(), key: "uploads/../secret.txt" };
      expect((await send({ ...wish, url: await aws4fetchOracle.sign(wish) })).body.toString()).toBe("secret");
      expect((await send({ ...wish, url: daypassUrl(wish, []) })).code).toBe("NoSuchKey");
    });

    test("radosgw takes a call on the bucket with and without a slash at its end", async () => {
      const { url } = signers()["SigV4, path style"].sign({ bucket: BUCKET, resource: "bucket", expiresIn: 600 });
      expect((await send({ url, method: "GET" })).status).toBe(200);
    });
  });

  function ownWish(): S3Wish {
    return {
      method: "GET",
      endpoint: radosgw.endpoint,
      addressing: "path",
      region: "us-east-1",
      bucket: BUCKET,
      key: "plain.txt",
      query: [],
      headers: {},
      credentials: radosgw.credentials,
      expiresIn: 600,
      signedAt: new Date(),
    };
  }

  /** A random wish of some class, made for this server. */
  function wishFor(isOfClass: (wish: S3Wish) => boolean, narrow: (wish: S3Wish) => S3Wish): S3Wish {
    const random = seeded(runSeed());
    for (;;) {
      const { method, query, headers } = randomWish(random);
      const free = query.filter(([name]) => name === "__proto__" || name.startsWith("x"));
      const wish = narrow({
        ...ownWish(),
        method: method === "PUT" ? "PUT" : "GET",
        key: "deviation.txt",
        query: free,
        headers,
      });
      if (isOfClass(wish)) return wish;
    }
  }
});

/** A valid URL with one thing changed that its signature covers. */
function tamperedUrls(url: string): readonly (readonly [name: string, url: string, method: string])[] {
  const isV4 = url.includes("X-Amz-Signature");
  const signature = isV4 ? "X-Amz-Signature=" : "Signature=";
  const at = url.indexOf(signature) + signature.length;
  const other = url.charAt(at) === "a" ? "b" : "a";
  return [
    ["another signature", `${url.slice(0, at)}${other}${url.slice(at + 1)}`, "GET"],
    ["a shorter signature", url.replace(/(Signature=[^&]*)[^&]/, "$1"), "GET"],
    ["another method", url, "PUT"],
    ["another method", url, "DELETE"],
    ["another key", url.replace("a%20b", "a%20c"), "GET"],
    ["a longer key", url.replace(".txt?", ".txt/?"), "GET"],
    ["another override", url.replace("filename", "filenome"), "GET"],
    ["no override", url.replace(/response-content-disposition=[^&]*&?/, ""), "GET"],
    ["one more override", `${url}&response-content-type=text%2Fhtml`, "GET"],
    ["another version", url.replace("versionId=null", "versionId=1"), "GET"],
    ["a plus for %2B", url.replaceAll("%2Bc.txt%22", "+c.txt%22"), "GET"],
    ...(isV4
      ? ([
          ["a longer life", url.replace("X-Amz-Expires=600", "X-Amz-Expires=601"), "GET"],
          ["another date", url.replace(/(X-Amz-Date=\d{8}T\d{5})\d/, (_, start: string) => `${start}x`), "GET"],
          ["another region", url.replace("us-east-1", "us-east-2"), "GET"],
          ["one more parameter", `${url}&x=1`, "GET"],
          ["a repeated parameter", `${url}&X-Amz-Expires=600`, "GET"],
        ] as const)
      : ([
          ["a longer life", url.replace(/Expires=(\d+)/, (_, end: string) => `Expires=${Number(end) + 1}`), "GET"],
        ] as const)),
  ];
}
