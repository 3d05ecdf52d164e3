import { anyOf, type WireRequest } from "daypass";
import { s3Signer, s3Verifier } from "daypass/s3";
import { type S3ObjectRequest, s3V2Signer, s3V2Verifier } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const now = new Date("2026-11-24T12:00:00Z");
const clock = () => now;
const endpoint = "https://s3.example.com";
const origins = [endpoint, "https://*.s3.example.com"];
const signer = s3V2Signer({ region: "us-east-1", endpoint, credentials, clock });
const verifier = s3V2Verifier({ credentials, origins, clock, enforces: ["response", "body-checksum", "body-sha256"] });

interface Change {
  readonly method?: string;
  readonly authority?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function request(url: string, { method = "GET", authority, headers = {} }: Change = {}): WireRequest {
  const [, host = "", target = ""] = /^https?:\/\/([^/]+)(.*)$/.exec(url) ?? [];
  return { method, target, authority: authority ?? host, headers: Object.entries(headers) };
}

const sign = (extra: Partial<S3ObjectRequest> = {}) =>
  signer.sign({ bucket: "media", key: "a/b.txt", expiresIn: 600, ...extra });
const refusal = (sent: WireRequest) =>
  verifier.verify(sent).then(
    () => "accepted",
    (error: { readonly code: string }) => error.code,
  );

describe("round trip", () => {
  it("accepts what the signer made, in path and virtual-host style", async () => {
    for (const addressing of ["path", "virtual"] as const) {
      const styled = s3V2Signer({ region: "us-east-1", endpoint, addressing, credentials, clock });
      const signed = styled.sign({ bucket: "media", key: "é/ü +%?#.txt", expiresIn: 600 });
      const grant = await verifier.verify(request(signed.url));
      expect(grant).toMatchObject({ bucket: "media", key: "é/ü +%?#.txt", methods: ["GET"], keyId: "AKIDEXAMPLE" });
      expect(grant.id).toBe(signed.id);
      expect(grant.expiresAt).toEqual(signed.expiresAt);
    }
  });

  it("keeps apart a bucket that is the first label of the endpoint", async () => {
    const styled = s3V2Signer({ region: "us-east-1", endpoint, addressing: "path", credentials, clock });
    const grant = await verifier.verify(request(styled.sign({ bucket: "s3", key: "k", expiresIn: 60 }).url));
    expect(grant).toMatchObject({ bucket: "s3", key: "k" });
  });

  it("binds Content-Type, Content-MD5 and x-amz-* headers", async () => {
    const headers = { "content-type": "text/plain", "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==", "x-amz-meta-a": "b" };
    const { url } = sign({ method: "PUT", headers });
    const grant = await verifier.verify(request(url, { method: "PUT", headers }));
    expect(grant.obligations).toEqual([
      { kind: "body-checksum", header: "content-md5", value: "1B2M2Y8AsgTpgAmY7PhCfg==" },
    ]);
    expect(grant.signedHeaders).toContain("x-amz-meta-a");
    for (const name of Object.keys(headers)) {
      const { [name as keyof typeof headers]: _, ...fewer } = headers;
      expect(await refusal(request(url, { method: "PUT", headers: fewer }))).toBe("SIGNATURE_MISMATCH");
    }
  });

  it("turns response overrides into an obligation", async () => {
    const { url } = sign({ response: { contentDisposition: 'attachment; filename="a & b.txt"' } });
    expect((await verifier.verify(request(url))).obligations).toEqual([
      { kind: "response", headers: { "content-disposition": 'attachment; filename="a & b.txt"' } },
    ]);
  });

  it("carries the session token in the query and requires it", async () => {
    const temporary = { ...credentials, sessionToken: "tok/en+=" };
    const temporarySigner = s3V2Signer({ region: "us-east-1", endpoint, credentials: temporary, clock });
    const temporaryVerifier = s3V2Verifier({ credentials: temporary, origins, clock });
    const { url } = temporarySigner.sign({ bucket: "media", key: "k", expiresIn: 60 });
    expect(url).toContain("&x-amz-security-token=tok%2Fen%2B%3D&");
    expect((await temporaryVerifier.verify(request(url))).parameters).toEqual([]);
    await expect(temporaryVerifier.verify(request(sign().url))).rejects.toMatchObject({ code: "INVALID_TOKEN" });
    expect(await refusal(request(url))).toBe("INVALID_TOKEN");
  });
});

describe("refusals", () => {
  it("refuses another method, key, bucket, end, sub-resource or x-amz-* header", async () => {
    const { url } = sign();
    expect(await refusal(request(url, { method: "PUT" }))).toBe("SIGNATURE_MISMATCH");
    expect(await refusal(request(url.replace("/a/b.txt", "/a/c.txt")))).toBe("SIGNATURE_MISMATCH");
    expect(await refusal(request(url.replace("media", "other")))).toBe("SIGNATURE_MISMATCH");
    expect(await refusal(request(url.replace(/Expires=(\d+)/, (_, end) => `Expires=${Number(end) + 1}`)))).toBe(
      "SIGNATURE_MISMATCH",
    );
    expect(await refusal(request(`${url}&versionId=1`))).toBe("SIGNATURE_MISMATCH");
    expect(await refusal(request(`${url}&x-amz-acl=public-read`))).toBe("SIGNATURE_MISMATCH");
    expect(await refusal(request(url, { headers: { "x-amz-copy-source": "/other/secret" } }))).toBe(
      "SIGNATURE_MISMATCH",
    );
  });

  it("refuses query parameters that nothing covers unless they are allowed by name", async () => {
    const { url } = sign();
    expect(await refusal(request(`${url}&utm_source=mail`))).toBe("UNSIGNED_PARAMETER");
    const lenient = s3V2Verifier({ credentials, origins, clock, allowUnsigned: ["utm_source"] });
    const grant = await lenient.verify(request(`${url}&utm_source=mail`));
    expect(grant.parameters).toEqual([]);
    expect(grant.unsignedParameters).toEqual([["utm_source", "mail"]]);
  });

  it("refuses a content-md5 parameter that the header does not repeat, and a parameter without a value", async () => {
    const headers = { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" };
    const { url } = sign({ method: "PUT", headers });
    const put = (more: string) => refusal(request(url + more, { method: "PUT", headers }));
    expect(await put("&Content-MD5=1B2M2Y8AsgTpgAmY7PhCfg%3D%3D")).toBe("accepted");
    expect(await put("&content-md5=XrY7u%2BAe7tCTyyK7j1rNww%3D%3D")).toBe("UNSIGNED_PARAMETER");
    expect(await put("&x-md5=1B2M2Y8AsgTpgAmY7PhCfg%3D%3D")).toBe("UNSIGNED_PARAMETER");
    for (const more of ["&note", "&md5=", "&content-types="]) {
      expect(await refusal(request(sign().url + more)), more).toBe("UNSIGNED_PARAMETER");
    }
  });

  it("refuses a content-type parameter that the header does not repeat", async () => {
    const { url } = sign({ method: "PUT", headers: { "content-type": "text/plain" } });
    const headers = { "content-type": "text/plain" };
    // With capitals it comes from the AWS SDK 2 for JavaScript.
    for (const name of ["content-type", "Content-Type"]) {
      expect(await refusal(request(`${url}&${name}=text/plain`, { method: "PUT", headers }))).toBe("accepted");
      expect(await refusal(request(`${url}&${name}=text/html`, { method: "PUT", headers }))).toBe("UNSIGNED_PARAMETER");
    }
  });

  it("refuses at the end, and a life longer than maxLife", async () => {
    const { url } = sign({ expiresIn: 600 });
    const at = (time: string) => s3V2Verifier({ credentials, origins, clock: () => new Date(time) });
    await expect(at("2026-11-24T12:09:59.999Z").verify(request(url))).resolves.toBeDefined();
    await expect(at("2026-11-24T12:10:00Z").verify(request(url))).rejects.toMatchObject({ code: "EXPIRED" });
    await expect(at("invalid").verify(request(url))).rejects.toMatchObject({ code: "EXPIRED" });
    const just = s3V2Verifier({ credentials, origins, clock, maxLife: 600 });
    await expect(just.verify(request(url))).resolves.toBeDefined();
    const short = s3V2Verifier({ credentials, origins, clock, maxLife: 599 });
    await expect(short.verify(request(url))).rejects.toMatchObject({ code: "KEY_SCOPE" });
  });

  it.each(["", "0x10", "-1", "1e12", "1.5", "%201999999999", "01999999999", "199999999999999", "NaN"])(
    "refuses Expires=%s",
    async (text) => {
      expect(await refusal(request(sign().url.replace(/Expires=\d+/, `Expires=${text}`)))).toBe("MALFORMED");
    },
  );

  it("refuses every second spelling of a signature", async () => {
    const { url } = sign();
    const signature = decodeURIComponent(/Signature=([^&]+)/.exec(url)?.[1] ?? "");
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const spare = alphabet[alphabet.indexOf(signature.charAt(26)) + 1];
    for (const other of [`${signature.slice(0, 26)}${spare}=`, signature.slice(0, -1), `${signature}=`, "", "AAAA"]) {
      const isWhole = other.length === signature.length;
      expect(await refusal(request(url.replace(/Signature=[^&]+/, `Signature=${encodeURIComponent(other)}`)))).toBe(
        isWhole ? "SIGNATURE_MISMATCH" : "MALFORMED",
      );
    }
  });

  it.each([
    ["AWSAccessKeyId=AKIDEXAMPLE"],
    ["Expires=1999999999"],
    ["Signature=AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D"],
    ["%53ignature=AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D"],
  ])("refuses a repeated %s", async (token) => {
    expect(await refusal(request(`${sign().url}&${token}`))).toBe("MALFORMED");
  });

  it("refuses a sub-resource or an x-amz-* name that comes twice", async () => {
    const { url } = sign({ query: { versionId: "1" } });
    expect(await refusal(request(`${url}&versionId=1`))).toBe("MALFORMED");
    const acl = sign({ method: "PUT", headers: { "x-amz-acl": "private" } }).url;
    const headers = { "x-amz-acl": "private" };
    expect(await refusal(request(`${acl}&x-amz-acl=public-read`, { method: "PUT", headers }))).toBe("MALFORMED");
    expect(await refusal(request(`${acl}&X-Amz-Acl=private`, { method: "PUT", headers }))).toBe("MALFORMED");
    const twice = `${acl}&x-amz-acl=private&x-amz-acl=private`;
    expect(await refusal(request(twice, { method: "PUT", headers }))).toBe("MALFORMED");
  });

  it("takes a parameter that repeats an x-amz-* header as the header, which is how boto's URLs are sent", async () => {
    const { url } = sign({ method: "PUT", headers: { "x-amz-meta-a": "1" } });
    const put = { method: "PUT", headers: { "x-amz-meta-a": "1" } };
    const { id, signedHeaders } = await verifier.verify(request(url, put));
    expect(signedHeaders).toContain("x-amz-meta-a");
    expect(await verifier.verify(request(`${url}&x-amz-meta-a=1`, put))).toMatchObject({ id, signedHeaders });
  });

  it("refuses a second kind of signature beside it", async () => {
    const { url } = sign();
    expect(await refusal(request(url, { headers: { authorization: "AWS AKIDEXAMPLE:x" } }))).toBe(
      "AMBIGUOUS_AUTHENTICATION",
    );
    expect(await refusal(request(`${url}&X-Amz-Algorithm=AWS4-HMAC-SHA256`))).toBe("AMBIGUOUS_AUTHENTICATION");
    const both = anyOf(verifier, s3Verifier({ credentials, origins, clock }));
    const v4 = s3Signer({ region: "us-east-1", endpoint, credentials, clock }).sign({
      bucket: "media",
      key: "a/b.txt",
      expiresIn: 60,
    });
    await expect(both.verify(request(v4.url))).resolves.toMatchObject({ scheme: "s3" });
    await expect(both.verify(request(url))).resolves.toMatchObject({ scheme: "s3/v2" });
    await expect(both.verify(request(`${v4.url}&${url.split("?")[1]}`))).rejects.toMatchObject({
      code: "AMBIGUOUS_AUTHENTICATION",
    });
  });

  it("refuses an unknown key and a wrong secret", async () => {
    expect(await refusal(request(sign().url.replace("AKIDEXAMPLE", "AKIDOTHER")))).toBe("UNKNOWN_KEY");
    const other = s3V2Signer({
      region: "us-east-1",
      endpoint,
      credentials: { ...credentials, secretAccessKey: "other" },
      clock,
    });
    expect(await refusal(request(other.sign({ bucket: "media", key: "k", expiresIn: 60 }).url))).toBe(
      "SIGNATURE_MISMATCH",
    );
  });
});

describe("the ambiguities of SigV2's string to sign", () => {
  it("refuses a value that could be split into two parameters, on both sides", async () => {
    const response = { contentDisposition: 'attachment; filename="x&versionId=3"' };
    expect(() => sign({ response })).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
    const joined = "response-content-disposition=a%26versionId%3D3";
    expect(await refusal(request(`${sign().url}&${joined}`))).toBe("MALFORMED");
  });

  it("refuses a line feed that would begin another x-amz-* line", async () => {
    expect(() => sign({ query: { "x-amz-meta-a": "b\nx-amz-copy-source:/o/k" } })).toThrowError(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
    expect(await refusal(request(`${sign().url}&x-amz-meta-a=b%0Ax-amz-copy-source:/o/k`))).toBe("MALFORMED");
  });

  it("ignores the header that CloudFront adds to every request", async () => {
    expect(await refusal(request(sign().url, { headers: { "X-Amz-Cf-Id": "abc" } }))).toBe("accepted");
  });
});

describe("what SigV2 cannot do", () => {
  it("says that it is legacy, what it leaves open, and which parameter nothing covers", () => {
    const signed = signer.sign({
      bucket: "media",
      resource: "bucket",
      expiresIn: 60,
      query: { prefix: "a/", versions: "" },
    });
    expect(signed.unbound).toContain("host");
    expect(signed.warnings[0]).toMatch(/^SigV2 is legacy/);
    expect(signed.warnings[1]).toContain("prefix");
    expect(signed.warnings).toHaveLength(2);
  });

  it.each([
    [{ bind: { contentLength: 3 } }],
    [{ bind: { sha256: "0".repeat(64) } }],
    [{ bind: { ip: "10.0.0.0/8" } }],
    [{ bind: { query: { prefix: "a" } } }],
    [{ headers: { "if-none-match": "*" } }],
    [{ prefix: "a/" }],
    [{ notBefore: now }],
  ])("refuses to sign %j", (extra) => {
    expect(() => sign(extra)).toThrowError(expect.objectContaining({ code: "UNSUPPORTED_CONSTRAINT" }));
  });

  it("signs the same bytes within a stable window, and refuses lives that are no lives", () => {
    const at = (time: string) =>
      s3V2Signer({ region: "us-east-1", endpoint, credentials, clock: () => new Date(time) });
    const url = (time: string) => at(time).sign({ bucket: "b", key: "k", expiresIn: 60, stableWindow: 3600 }).url;
    expect(url("2026-11-24T12:00:00Z")).toBe(url("2026-11-24T12:59:59Z"));
    expect(() => sign({ expiresIn: 0 })).toThrowError(expect.objectContaining({ code: "INVALID_EXPIRY" }));
    expect(() => sign({ expiresIn: 1.8e12 })).toThrowError(expect.objectContaining({ code: "INVALID_EXPIRY" }));
    expect(sign({ expiresIn: 10 * 365 * 86_400 }).url).toContain("Expires=2110881600");
  });
});

it("CVE-2022-3854: refuses a signature of any length with a code", async () => {
  const { url } = sign();
  for (const length of [0, 24, 32, 12_000, 400_000]) {
    const other = url.replace(/Signature=[^&]*/, `Signature=${"A".repeat(length)}`);
    expect(await refusal(request(other)), String(length)).toBe("MALFORMED");
  }
});
