import { describe, expect, it } from "vitest";
import { s3Signer, s3Verifier } from "../../src/schemes/s3/index.ts";
import { wireRequest } from "../wire-request.ts";
import { AT, call, clock, credentials, endpoint, message, options } from "./given.ts";

describe("a verifier", () => {
  const verify = (url: string, more: object = {}, own: object = {}) =>
    s3Verifier({ credentials, origins: [endpoint], clock, ...own }).verify({
      ...wireRequest(s3Link()),
      ...target(url),
      ...more,
    });
  const s3Link = () => s3Signer({ ...options, endpoint }).sign(call);
  const target = (url: string) => ({ target: url.slice(endpoint.length) });
  const code = (granted: Promise<unknown>) =>
    granted.then(
      () => "granted",
      (error: { code?: unknown }) => error.code,
    );

  it.each([
    ...["x-amz-copy-source", "X-Amz-Acl", "x-amz-meta-a", "x-amz-security-token", "X-AMZ-TAGGING"],
    ...["x-amz-content-sha256-a", "x-amz-cf-id2", "x-amz-"],
  ])("wants %s to be signed", async (name) => {
    const { url } = s3Signer({ ...options, endpoint }).sign(call);
    const headers = [
      ["Host", "s3.example.com"],
      [name, "a"],
    ];
    expect(await code(verify(url, { headers }))).toBe("UNSIGNED_HEADER");
  });

  it.each(["x-amz-cf-id", "X-Amz-Content-Sha256"])("ignores %s, which proxies and SDKs add", async (name) => {
    const { url } = s3Signer({ ...options, endpoint }).sign(call);
    const headers = [
      ["Host", "s3.example.com"],
      [name, "a"],
    ];
    expect(await code(verify(url, { headers }))).toBe("granted");
  });

  it("knows a signature by each of its parameters, and takes none for longer than a week", async () => {
    const { detects } = s3Verifier({ credentials, origins: [endpoint], clock });
    const request = wireRequest(s3Link());
    for (const name of ["Algorithm", "Credential", "Signature"])
      expect(detects({ ...request, target: `/media/a?X-Amz-${name}=a` }), name).toBe(true);
    const { url } = s3Signer({ ...options, endpoint }).sign(call);
    expect(await code(verify(url.replace(/(Expires=)\d+/, "$1604801")))).toBe("MALFORMED");
    for (const list of ["Host", "host%3BContent-Type", "host%3Ba%20b", "host%3B"])
      expect(await code(verify(url.replace("SignedHeaders=host", `SignedHeaders=${list}`))), list).toBe("MALFORMED");
  });

  it("wants a signed header to be sent, also one without a value", async () => {
    const { url } = s3Signer({ ...options, endpoint }).sign({ ...call, headers: { "x-amz-meta-a": "" } });
    const host = ["Host", "s3.example.com"];
    expect(await code(verify(url, { headers: [host, ["x-amz-meta-a", ""]] }))).toBe("granted");
    expect(await code(verify(url, { headers: [host] }))).toBe("SIGNATURE_MISMATCH");
  });

  it("names the expiry first, even if something else is wrong too", async () => {
    const { url } = s3Link();
    const late = { clock: () => new Date(AT.getTime() + 60_000) };
    expect(await code(verify(url, {}, late))).toBe("EXPIRED");
    expect(await code(verify(url.replace("a.txt", "b.txt"), {}, late))).toBe("EXPIRED");
    expect(await code(verify(url.replace("AKIDEXAMPLE", "AKIDUNKNOWN"), {}, late))).toBe("EXPIRED");
  });

  it("takes a text for one region, and no part of it for another", async () => {
    const signedIn = (region: string) => s3Signer({ ...options, region, endpoint }).sign(call).url;
    const regions = "us-east-1";
    expect(await code(verify(signedIn("us-east-1"), {}, { regions }))).toBe("granted");
    expect(await code(verify(signedIn("us-east"), {}, { regions }))).toBe("WRONG_SCOPE");
  });

  it("takes the longest wildcard that fits, in any order of the list", async () => {
    const place = "https://media.s3.example.com";
    const { url } = s3Signer({ ...options, endpoint: "https://s3.example.com", addressing: "virtual" }).sign(call);
    const wildcards = ["https://*.example.com", "https://*.s3.example.com"];
    for (const origins of [wildcards, [...wildcards].reverse()]) {
      const verifier = s3Verifier({ credentials, origins, clock });
      const request = { ...wireRequest(s3Link()), target: url.slice(place.length), authority: "media.s3.example.com" };
      expect((await verifier.verify(request)).bucket).toBe("media");
    }
    const doubled = ["http://*.s3.example.com", "https://*.s3.example.com"];
    expect(message(() => s3Verifier({ credentials, origins: doubled }))).toMatch(/^INVALID_INPUT/);
  });

  it.each(["me/dia", "media@other", "media:80", "media?", "", ".media", "media.", "mé"])(
    "takes %j for no name that a wildcard may stand for",
    async (name) => {
      const verifier = s3Verifier({ credentials, origins: ["https://*.s3.example.com"], clock });
      const request = { ...wireRequest(s3Link()), authority: `${name}.s3.example.com` };
      expect(await code(verifier.verify(request))).toBe("WRONG_ORIGIN");
    },
  );

  it("refuses a Host of thousands of labels in linear time", async () => {
    const origins = ["https://s3.example.com", "https://*.s3.example.com"];
    const verifier = s3Verifier({ credentials, origins, clock });
    const request = { ...wireRequest(s3Link()), authority: `a${".a".repeat(7500)}` };
    const refused = () => verifier.verify(request).catch(({ code }: { code?: unknown }) => code);
    expect(await refused()).toBe("WRONG_ORIGIN");
  });

  it("refuses a key with a line break, as a file of secrets ends with one, and shows none of it", async () => {
    const { accessKeyId, secretAccessKey } = credentials;
    for (const end of ["\n", "\r\n", "\r"]) {
      const read = [
        { ...credentials, secretAccessKey: secretAccessKey + end },
        { ...credentials, accessKeyId: accessKeyId + end },
        { ...credentials, sessionToken: `token${end}` },
      ];
      for (const found of read) {
        const said = message(() => s3Signer({ ...options, endpoint, credentials: found }));
        expect(said).toMatch(/^INVALID_KEY: .* contains a line break\. Trim/);
        expect(said).not.toContain(secretAccessKey);
        expect(await code(verify(s3Link().url, {}, { credentials: () => found }))).toBe("INVALID_KEY");
      }
    }
  });

  it("takes what a database has for nothing in a key", async () => {
    const row = { ...credentials, sessionToken: null, expiration: null } as unknown as typeof credentials;
    expect(await code(verify(s3Link().url, {}, { credentials: async () => row }))).toBe("granted");
    expect(s3Signer({ ...options, endpoint, credentials: row }).sign(call).url).toBe(s3Link().url);
    for (const found of [[null], "secret", 5])
      expect(await code(verify(s3Link().url, {}, { credentials: () => found }))).toBe("INVALID_KEY");
  });

  it("takes the milliseconds of an end for a Date on both sides", async () => {
    const until = (end: number) => ({ ...credentials, expiration: end as unknown as Date });
    const row = until(AT.getTime() + 3_600_000);
    expect(s3Signer({ ...options, endpoint, credentials: row }).sign(call).url).toBe(s3Link().url);
    expect(await code(verify(s3Link().url, {}, { credentials: row }))).toBe("granted");
    expect(await code(verify(s3Link().url, {}, { credentials: until(AT.getTime()) }))).toBe("EXPIRED_TOKEN");
  });

  it("gives a grant whose id is in its JSON", async () => {
    const link = s3Link();
    expect(JSON.parse(JSON.stringify(await verify(link.url)))).toMatchObject({ id: link.id, bucket: "media" });
  });
});
