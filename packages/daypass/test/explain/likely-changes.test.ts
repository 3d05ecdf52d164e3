import { createHash, createHmac } from "node:crypto";
import { type ExplainOptions, explain } from "daypass/explain";
import { gcsSigner } from "daypass/gcs";
import { laravelSigner } from "daypass/laravel";
import { s3Signer } from "daypass/s3";
import { urlSigner } from "daypass/url";
import { describe, expect, it } from "vitest";
import { RSA } from "../cloudfront/keys.ts";
import { cpuMilliseconds } from "../cpu-time.ts";
import { awsErrorBody, credentials, errorXml, rawUrl } from "./broken-requests.ts";

const AT = new Date("2026-11-24T12:00:00Z");
const clock = () => AT;
const keys = [credentials];
const expiresIn = 900;
const LARAVEL = "base64:S2V5T2ZBbkFwcGxpY2F0aW9uV2l0aDMyQnl0ZXM=";
const causeOf = async (url: string, options: ExplainOptions = {}) => (await explain(url, { clock, ...options })).cause;
const sign = (options: Partial<Parameters<typeof s3Signer>[0]>, key = "k") =>
  s3Signer({ region: "eu-west-1", credentials, clock, ...options }).sign({ bucket: "media", key, expiresIn }).url;

/** A signer that takes whatever stands in a file for the key's id. */
function signedAs(id: string): { readonly url: string; readonly hash: string } {
  const scope = "20261124/eu-west-1/s3/aws4_request";
  const query = [
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    `X-Amz-Credential=${encodeURIComponent(`${id}/${scope}`)}`,
    "X-Amz-Date=20261124T120000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host",
  ].join("&");
  const canonical = `GET\n/media/a\n${query}\nhost:s3.example.com\n\nhost\nUNSIGNED-PAYLOAD`;
  const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const key = scope.split("/").reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const text = `AWS4-HMAC-SHA256\n20261124T120000Z\n${scope}\n${createHash("sha256").update(canonical).digest("hex")}`;
  return { url: `https://s3.example.com/media/a?${query}`, hash: hmac(key, text).toString("hex") };
}

describe("without a key", () => {
  it("what stands behind a signature was added, most likely", async () => {
    const added = `${rawUrl()}&_=123`;
    expect(await causeOf(added, { errorBody: awsErrorBody(added) })).toMatchObject({
      code: "QUERY",
      sentence: expect.stringMatching(/^Most likely _ was added after signing: it follows the signature/),
    });
    const token = `${rawUrl()}&X-Amz-Security-Token=IQoJb3JpZ2luX2VjEXAMPLE`;
    expect(await causeOf(token, { errorBody: awsErrorBody(token) })).toMatchObject({
      code: "TOKEN_AFTER_SIGNING",
      sentence: expect.stringMatching(/^Most likely X-Amz-Security-Token was added after signing/),
    });
  });

  it("but not what signers and services put there", async () => {
    // As AWS's SDK for JavaScript sorts.
    const sorted = `${rawUrl()}&x-amz-checksum-mode=ENABLED&x-id=GetObject`;
    expect((await causeOf(sorted, { errorBody: awsErrorBody(sorted) }))?.code).toBe("WRONG_SECRET");
  });

  it("an end within a word was cut off", async () => {
    for (const end of ["x-amz-ch", "x-amz-checksum-mode=EN", "x-amz-checksum-mode=ENABLED&x-id=Get"]) {
      const url = `${rawUrl()}&${end}`;
      expect(await causeOf(url, { errorBody: awsErrorBody(url) })).toMatchObject({
        code: "QUERY",
        sentence: expect.stringMatching(/^The end of the URL was most likely cut off: it ends with x-/),
      });
    }
  });

  it("a method is no cause where none is signed", async () => {
    const laravel = laravelSigner({ secret: LARAVEL, clock }).sign({
      url: "https://shop.example.com/a",
      expiresIn,
    }).url;
    const page = '{"message":"Invalid signature."}';
    const added = await causeOf(`${laravel}&fbclid=1`, { errorBody: page });
    expect(added?.sentence).toMatch(/^Most likely fbclid was added after signing/);
    const right = await causeOf(laravel, { errorBody: page, keys: [{ scheme: "laravel", secret: LARAVEL }] });
    expect(right?.code).toBe("HOST");
    for (const cause of [added, right]) expect(`${cause?.sentence} ${cause?.fix}`).not.toMatch(/method/);
  });

  it("a tracker's parameter is named for a Daypass URL, unless it may vary", async () => {
    const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
    const signer = urlSigner({ key, clock });
    const errorBody = JSON.stringify({ code: "SIGNATURE_MISMATCH" });
    const { url } = signer.sign({ url: "https://api.example.com/a", expiresIn });
    expect(await causeOf(`${url}&utm_source=x`, { errorBody })).toMatchObject({
      code: "QUERY",
      sentence: expect.stringMatching(/^Most likely utm_source was added after signing/),
    });
    const varied = signer.sign({ url: "https://api.example.com/a", expiresIn, vary: ["utm_source"] }).url;
    expect((await causeOf(`${varied}&utm_source=x`, { errorBody }))?.code).toBe("WRONG_SECRET");
  });

  it("a path or query with %25 was encoded twice, most likely", async () => {
    const path = rawUrl({ path: "/media/my%2520file.txt" });
    expect(await causeOf(path, { errorBody: awsErrorBody(path) })).toMatchObject({
      code: "PATH",
      sentence: expect.stringMatching(/^The path has %25 before two digits/),
    });
    const query = rawUrl({ query: "response-content-type=text%252Fplain" });
    expect((await causeOf(query, { errorBody: awsErrorBody(query) }))?.code).toBe("QUERY");
    // Escapes that are of the value.
    for (const value of [
      "attachment%3B%20filename%2A%3DUTF-8%27%27na%25C3%25AFve.pdf",
      "https%3A%2F%2Fa%2F%3Fb%3Dc%2520d",
    ]) {
      const right = rawUrl({ query: `response-content-disposition=${value}` });
      expect((await causeOf(right, { errorBody: awsErrorBody(right) }))?.code).toBe("WRONG_SECRET");
    }
  });

  it("a signed length that was not sent is none that was sent empty", async () => {
    const url = rawUrl({ method: "PUT", headers: { "content-length": "10" } });
    const cause = await causeOf(url, { errorBody: awsErrorBody(url, { method: "PUT" }) });
    expect(cause?.sentence).toMatch(/was sent with no content-length: most likely/);
  });

  it("a resumable upload begins with POST", async () => {
    const account = { client_email: "app@project.iam.gserviceaccount.com", private_key: RSA.privateKey };
    const { url } = await gcsSigner({ credentials: account, clock }).sign({
      ...{ bucket: "media", object: "a", method: "POST", expiresIn },
      bind: { headers: { "x-goog-resumable": "start" } },
    });
    const request = { method: "PUT", headers: { "x-goog-resumable": "start" } };
    expect(await causeOf(url, { request, errorBody: errorXml("SignatureDoesNotMatch", "m") })).toMatchObject({
      code: "METHOD",
      sentence: expect.stringMatching(
        /signed for POST \(the header x-goog-resumable begins an upload\) and sent with PUT/,
      ),
    });
    expect(await causeOf(url, { request: { ...request, method: "POST" } })).toBeUndefined();
  });
});

describe("with the key", () => {
  it("a space that was sent as a plus is found beside a plus of the name's own", async () => {
    const url = sign({ endpoint: "https://s3.example.com" }, "a+b c.txt").replace("a%2Bb%20c", "a%2Bb+c");
    expect(await causeOf(url, { keys })).toMatchObject({ code: "PATH", sentence: expect.stringMatching(/space/) });
  });

  it("a parameter of AWS's SDK for JavaScript that was lost is found", async () => {
    const url = rawUrl({ signedQuery: "x-amz-checksum-mode=ENABLED" });
    expect(await causeOf(url, { keys })).toMatchObject({
      code: "QUERY",
      sentence: "The query parameter x-amz-checksum-mode=ENABLED was signed and is missing.",
    });
  });

  it("an end that was cut off is found, wherever it was cut", async () => {
    const tail = "x-amz-checksum-mode=ENABLED&x-id=GetObject";
    const url = rawUrl({ signedQuery: tail });
    for (const kept of ["", "&x-amz-ch", "&x-amz-checksum-mode=EN", "&x-amz-checksum-mode=ENABLED&x-i"]) {
      expect(await causeOf(`${url}${kept}`, { keys })).toMatchObject({
        code: "QUERY",
        sentence: `The end of the URL was cut off: it was signed with ${tail}.`,
      });
    }
    expect(await causeOf(`${url}&${tail}`, { keys })).toBeUndefined();
  });

  it("an id with a line end around it is told as such", async () => {
    const { hash, ...signed } = signedAs(`${credentials.accessKeyId}\n`);
    const cause = await causeOf(`${signed.url}&X-Amz-Signature=${hash}`, { keys });
    expect(cause).toMatchObject({
      code: "UNKNOWN_KEY",
      sentence: expect.stringMatching(/AKIDEXAMPLE with a space or a line/),
    });
    expect(cause?.fix).toMatch(/^Trim/);
  });

  it("a domain that is a bucket of Cloud Storage stands for the bucket", async () => {
    const account = { client_email: "app@project.iam.gserviceaccount.com", private_key: RSA.privateKey };
    const { url } = await gcsSigner({ credentials: account, clock }).sign({
      ...{ bucket: "files.example.com", object: "a", expiresIn },
    });
    const other = url.replace("storage.googleapis.com/files.example.com", "files.example.com");
    expect(await causeOf(other, { keys: [account] })).toMatchObject({
      code: "HOST",
      sentence: expect.stringMatching(/storage\.googleapis\.com with the path \/files\.example\.com\/a/),
    });
  });

  it("that fits nothing is no search without an end, where there are many parameters", async () => {
    const url = `${rawUrl()}${"&a=b".repeat(900)}`;
    let cause: Awaited<ReturnType<typeof causeOf>>;
    const spent = await cpuMilliseconds(async () => {
      cause = await causeOf(url, { keys });
    });
    expect(cause?.evidence.at(-1)).toMatch(/^Not every change was tried: .*parameters/);
    expect(spent).toBeLessThan(1000);
  });

  it("that fits nothing another name of the host is asked for", async () => {
    const url = sign({}).replace("media.s3.eu-west-1.amazonaws.com", "cdn.example.com");
    expect((await causeOf(url, { keys }))?.fix).toMatch(/--host, hosts/);
    const hosts = ["media.s3.eu-west-1.amazonaws.com"];
    expect((await causeOf(url, { keys, hosts }))?.code).toBe("HOST");
  });
});
