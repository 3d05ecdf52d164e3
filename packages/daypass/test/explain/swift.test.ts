import { createHmac } from "node:crypto";
import type { CauseCode } from "daypass/explain";
import { swiftSigner } from "daypass/swift";
import { describe, expect, it } from "vitest";
import { askingAt } from "./asking.ts";

const key = "a temporary key";
const options = { endpoint: "https://swift.example.com/swift", account: "AUTH_test", key };
const clock = () => new Date("2026-01-02T03:04:05Z");
const swift = swiftSigner({ ...options, clock });
const wish = { container: "media", object: "talks/a b.txt", expiresIn: 3600 };
const keys = [{ account: "AUTH_test", key }];
const { ask, causeOf, trapsOf } = askingAt("2026-01-02T03:30:00Z");

/** A URL of a signer that may err: `text` is what it signs. */
function wrongUrl(text: string, more = "", secret = key): string {
  const signature = createHmac("sha256", secret).update(text).digest("hex");
  const end = more.includes("expires") ? "" : "&temp_url_expires=1767326645";
  return `https://swift.example.com/swift/v1/AUTH_test/media/talks/a%20b.txt?temp_url_sig=${signature}${end}${more}`;
}

describe("a TempURL", () => {
  it("is explained: what it is, what it binds, when it ends", async () => {
    const { url } = swift.sign({ ...wish, bind: { ip: "203.0.113.0/24" }, filename: "x.txt" });
    const told = await ask(url, { keys });
    expect(told).toMatchObject({
      scheme: "swift",
      signedBy: "AUTH_test",
      grants: { methods: ["GET", "HEAD"], resource: "object talks/a b.txt in container media of AUTH_test" },
      endsAt: new Date("2026-01-02T04:04:05Z"),
    });
    expect(told.cause).toBe(undefined);
    const elsewhere = await ask(url, { keys, request: { method: "GET", remoteAddress: "198.51.100.7" } });
    expect(elsewhere.cause).toMatchObject({ code: "IP" });
    expect(told.binds).toContain("client address (203.0.113.0/24)");
    expect(told.stringToSign).toBe("ip=203.0.113.0/24\nGET\n1767326645\n/v1/AUTH_test/media/talks/a b.txt");
    expect(told.traps.find(({ name }) => name === "unsigned-parameter")?.text).toMatch(/^filename:/);
  });

  it.each(["sha1", "sha256", "sha512"] as const)("with %s is verified by its key", async (digest) => {
    const signer =
      digest === "sha512" ? swiftSigner({ ...options, digest, clock }) : swiftSigner({ ...options, digest, clock });
    const { url } = await signer.sign({ ...wish, object: undefined, prefix: "talks/", expiresAs: "iso" });
    const told = await ask(url, { keys });
    expect(told).toMatchObject({ endsAt: new Date("2026-01-02T04:04:05Z"), grants: { methods: ["GET", "HEAD"] } });
    expect(told.cause).toBe(undefined);
    expect(told.summary).toContain(digest);
    expect((await trapsOf(url)).includes("sha1")).toBe(digest === "sha1");
    const put = await ask(url, { keys, request: { method: "PUT" } });
    expect(put.cause).toMatchObject({ code: "METHOD" });
    expect(JSON.stringify(put)).not.toContain(new URL(url).searchParams.get("temp_url_sig"));
    expect(JSON.stringify(put)).not.toContain(key);
  });

  it.each(["GET", "PUT", "POST"] as const)("for %s may be asked with HEAD, too", async (method) => {
    const { url } = swift.sign({ ...wish, method });
    const request = { method: "HEAD" };
    const told = await ask(url, { keys, request });
    expect([told.cause, told.grants.methods]).toEqual([undefined, [method, "HEAD"]]);
    // Whatever is wrong, it is not this.
    const body = "<html><p>401 Unauthorized: Temp URL invalid</p></html>";
    for (const options of [
      { request, errorBody: body },
      { request, errorBody: body, keys },
    ]) {
      expect((await causeOf(url, options))?.code).not.toBe("METHOD");
    }
    expect(await causeOf(swift.sign({ ...wish, method: "DELETE" }).url, { keys, request })).toMatchObject({
      code: "METHOD",
      sentence: expect.stringContaining("signed for DELETE"),
    });
  });

  const path = "/v1/AUTH_test/media/talks/a b.txt";
  const end = "1767326645";
  const iso = "2026-01-02T04:04:05Z";
  const prefix = "&temp_url_prefix=talks/";
  const wrong: readonly (readonly [string, CauseCode, RegExp, readonly [string, string?, string?]])[] = [
    ["another method", "METHOD", /signed for PUT and sent with GET/, [`PUT\n${end}\n${path}`]],
    ["a damaged key", "WRONG_SECRET", /line feed/, [`GET\n${end}\n${path}`, "", `${key}\n`]],
    ["an encoded path", "PATH", /encoded/, [`GET\n${end}\n/v1/AUTH_test/media/talks/a%20b.txt`]],
    ["what stands in front of the version", "PATH", /with \/swift in front/, [`GET\n${end}\n/swift${path}`]],
    ["no account", "PATH", /without the account/, [`GET\n${end}\n/v1/media/talks/a b.txt`]],
    ["no prefix: in front", "PATH", /without prefix:/, [`GET\n${end}\n/v1/AUTH_test/media/talks/`, prefix]],
    ["the object, and not its prefix", "PATH", /for the object/, [`GET\n${end}\n${path}`, prefix]],
    ["no range", "IP", /without the range/, [`GET\n${end}\n${path}`, "&temp_url_ip_range=10.0.0.0/8"]],
    ["the end as it stands in the URL", "TIME", /as 2026-/, [`GET\n${iso}\n${path}`, `&temp_url_expires=${iso}`]],
  ];
  it.each(wrong)("that was signed with %s is found out by its key", async (_, code, sentence, args) => {
    const cause = await causeOf(wrongUrl(...args), { keys, request: { method: "GET" } });
    expect(cause?.sentence).toMatch(sentence);
    expect(cause?.code).toBe(code);
  });

  it("of a signer that errs not at all has no cause", async () => {
    expect(await causeOf(wrongUrl(`GET\n${end}\n${path}`), { keys, request: { method: "GET" } })).toBe(undefined);
  });

  it("tells time, unknown keys, names beside a prefix, and what cannot be read", async () => {
    const { url } = swift.sign({ ...wish, prefix: "talks/" });
    expect(await causeOf(url, { clock: () => new Date("2026-01-02T04:04:05Z") })).toMatchObject({ code: "EXPIRED" });
    expect(await causeOf(url, { keys: [{ account: "AUTH_other", key }] })).toMatchObject({ code: "UNKNOWN_KEY" });
    expect(await causeOf(url, { keys: [{ account: "AUTH_test", container: "media", key }] })).toBe(undefined);
    expect(await causeOf(url, { keys: [{ account: "AUTH_test", key: "another" }] })).toMatchObject({
      code: "WRONG_SECRET",
    });
    expect(await causeOf(url.replace("/talks/", "/other/"))).toMatchObject({ code: "PATH" });
    expect(await causeOf(url.replace("temp_url_sig=", "temp_url_sig=ZZ"))).toMatchObject({ code: "MALFORMED" });
    expect(await causeOf(url, { request: { headers: { "x-auth-token": "t" } } })).toMatchObject({
      code: "AMBIGUOUS_AUTHENTICATION",
    });
    expect(await trapsOf(swift.sign({ ...wish, prefix: "talks", prefixMatch: "text" }).url)).toContain("loose-prefix");
  });
});
