import { describe, expect, it } from "vitest";
import { getSignedUrl, presign } from "../../src/schemes/s3/compat/index.ts";
import { expectRefusal, wireRequest } from "../wire-request.ts";
import { type Asked, client, make, operation, options, verifier } from "./sdk.ts";

describe("what daypass/compat/aws makes of a command", () => {
  it("binds the length of a body, and a type in signableHeaders", async () => {
    const signed = await presign(client(), make({ Bucket: "media", Key: "a", Body: "ü€" }), {
      ...options,
      signableHeaders: new Set(["content-type"]),
    });
    expect(signed.headers).toEqual({ "content-length": "5", "content-type": "application/octet-stream" });
    expect(signed.bound).toEqual(expect.arrayContaining(["header content-length", "header content-type"]));
  });

  it.each([
    ["no text", "", undefined],
    ["bytes", new Uint8Array(7), "7"],
    ["a Blob", new Blob(["abcd"]), "4"],
    ["what does not tell its length", { read: () => undefined }, undefined],
  ])("binds the length of %s where it is known", async (_, Body, length) => {
    const { headers } = await presign(client(), make({ Bucket: "media", Key: "a", Body }), options);
    expect(headers["content-length"]).toBe(length);
  });

  /** A command whose members are sent as headers of these names. */
  const sending = (headers: Readonly<Record<string, string>>) => {
    const members = Object.keys(headers).map((name) => [name, [0, { httpHeader: name }]]);
    const schema = operation("PutObject", "PUT", {
      ...Object.fromEntries(members),
      Body: [[0, "ns", "Blob", {}, 42], 16],
    });
    return (input: object = {}) => make({ Bucket: "media", Key: "a", ...headers, ...input }, schema);
  };

  it("leaves a length and a type alone that the command has", async () => {
    const own = sending({ "Content-Length": "99", "Content-Type": "image/png" });
    const signableHeaders = new Set(["content-type"]);
    const { headers } = await presign(client(), own({ Body: "abc" }), { ...options, signableHeaders });
    expect(headers).toEqual({ "content-length": "99", "content-type": "image/png" });
  });

  it("does not sign headers that proxies change, nor unsignableHeaders", async () => {
    const changed = ["X-Amzn-Trace-Id", "User-Agent", "Sec-Fetch-Mode", "Proxy-Own", "Cache-Control", "X-Own"];
    const own = sending(Object.fromEntries([...changed, "If-Match"].map((name) => [name, "v"])));
    const unsignableHeaders = new Set(["x-own"]);
    expect((await presign(client(), own(), { ...options, unsignableHeaders })).headers).toEqual({ "if-match": "v" });
  });

  it.each([
    ["32 bytes in base64", btoa("k".repeat(32)), "k".repeat(32)],
    ["a text that is base64 of fewer", "a2V5", "a2V5"],
    ["a view of longer memory", new TextEncoder().encode("..key..").subarray(2, 5), "key"],
  ])("takes for the key of an object that is copied: %s", async (_, CopySourceSSECustomerKey, key) => {
    const hashed: string[] = [];
    const md5 = class {
      update(data: Uint8Array): void {
        hashed.push(new TextDecoder().decode(data));
      }
      digest = async () => new Uint8Array(16);
    };
    const header = "x-amz-copy-source-server-side-encryption-customer-key";
    const copy = operation("CopyObject", "PUT", { CopySourceSSECustomerKey: [0, { httpHeader: header }] });
    const command = make({ Bucket: "media", Key: "a", CopySourceSSECustomerKey }, copy);
    const url = new URL(await getSignedUrl(client({ md5 }), command, options));
    expect([hashed, url.searchParams.get(header)]).toEqual([[key], btoa(key)]);
  });

  it("sorts a parameter in capitals among the signature's own", async () => {
    const get = operation("GetObject", "GET", { A: [0, { httpQuery: "A-first" }] });
    const { url, method } = await presign(client(), make({ Bucket: "media", Key: "a", A: "1" }, get), options);
    expect(url).toContain("/a?A-first=1&X-Amz-Algorithm=");
    expect(await verifier.verify(wireRequest({ url, method, headers: {} } as never))).toMatchObject({ key: "a" });
  });

  it("signs for the port of an endpoint, and asks for a bucket by a name that no URL cuts", async () => {
    const authSchemes = [{ name: "sigv4", signingName: "s3", signingRegion: "eu-west-1" }];
    const asked: unknown[] = [];
    const one = client({
      endpointProvider({ Bucket }: Asked) {
        asked.push(Bucket);
        const url = { protocol: "http:", hostname: "s3.example.com", port: "9000", pathname: `/${Bucket}` };
        return { url, properties: { authSchemes } };
      },
    });
    const url = await getSignedUrl(one, make({ Bucket: "a#b?c", Key: "k" }), options);
    expect(url).toMatch(/^http:\/\/s3\.example\.com:9000\/a%23b%3Fc\/k\?/);
    expect(asked).toEqual(["a%23b%3Fc"]);
  });

  it("takes a bucket for an endpoint that is one, and for no other", async () => {
    const sign = (Bucket: string) =>
      getSignedUrl(client({ bucketEndpoint: true }), make({ Bucket, Key: "k" }), options);
    expect(await sign("https://files.example.com:8443/x")).toMatch(/^https:\/\/files\.example\.com:8443\/x\/k\?/);
    for (const text of [
      "https://files.example.com@evil.example",
      "https://a.example/?x",
      "https://a.example/#x",
      "media",
    ])
      await expectRefusal(sign(text), "INVALID_INPUT");
  });
});
