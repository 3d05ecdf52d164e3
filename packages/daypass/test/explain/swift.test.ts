import { createHmac } from "node:crypto";
import { swiftSigner } from "daypass/swift";
import { describe, expect, it } from "vitest";
import { askingAt } from "./asking.ts";
import { expectCause, named } from "./raw-requests.ts";

const key = "a temporary key";
const options = { endpoint: "https://swift.example.com/swift", account: "AUTH_test", key };
const clock = () => new Date("2026-01-02T03:04:05Z");
const swift = swiftSigner({ ...options, clock });
const wish = { container: "media", object: "talks/a b.txt", expiresIn: 3600 };
const keys = [{ account: "AUTH_test", key }];
const now = () => new Date("2026-01-02T03:30:00Z");
const { ask, causeOf, trapsOf } = askingAt(now());

/** A URL of a signer with mistakes, which signs `text`. */
function wrongUrl(text: string, more = "", secret = key): string {
  const signature = createHmac("sha256", secret).update(text).digest("hex");
  const end = more.includes("expires") ? "" : "&temp_url_expires=1767326645";
  return `https://swift.example.com/swift/v1/AUTH_test/media/talks/a%20b.txt?temp_url_sig=${signature}${end}${more}`;
}

describe("explain for a temporary URL of Swift", () => {
  it("returns grants, bindings and expiry", async () => {
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

  it.each(["sha1", "sha256", "sha512"] as const)("accepts %s with the key", async (digest) => {
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

  it.each(["GET", "PUT", "POST"] as const)("grants HEAD with %s", async (method) => {
    const { url } = swift.sign({ ...wish, method });
    const request = { method: "HEAD" };
    const told = await ask(url, { keys, request });
    expect([told.cause, told.grants.methods]).toEqual([undefined, [method, "HEAD"]]);
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
  const get = { keys, request: { method: "GET" } };
  const good = swift.sign({ ...wish, prefix: "talks/" }).url;
  it.each(
    named([
      [/^undefined/, wrongUrl(`GET\n${end}\n${path}`), get],
      [/^METHOD: .*signed for PUT and sent with GET/, wrongUrl(`PUT\n${end}\n${path}`), get],
      [/^WRONG_SECRET: .*line feed/, wrongUrl(`GET\n${end}\n${path}`, "", `${key}\n`), get],
      [/^PATH: .*encoded/, wrongUrl(`GET\n${end}\n/v1/AUTH_test/media/talks/a%20b.txt`), get],
      [/^PATH: .*with \/swift in front/, wrongUrl(`GET\n${end}\n/swift${path}`), get],
      [/^PATH: .*without the account/, wrongUrl(`GET\n${end}\n/v1/media/talks/a b.txt`), get],
      [/^PATH: .*without prefix:/, wrongUrl(`GET\n${end}\n/v1/AUTH_test/media/talks/`, prefix), get],
      [/^PATH: .*for the object/, wrongUrl(`GET\n${end}\n${path}`, prefix), get],
      [/^IP: .*without the range/, wrongUrl(`GET\n${end}\n${path}`, "&temp_url_ip_range=10.0.0.0/8"), get],
      [/^TIME: .*as 2026-/, wrongUrl(`GET\n${iso}\n${path}`, `&temp_url_expires=${iso}`), get],
      [/^EXPIRED/, good, { clock: () => new Date("2026-01-02T04:04:05Z") }],
      [/^UNKNOWN_KEY/, good, { keys: [{ account: "AUTH_other", key }] }],
      [/^undefined/, good, { keys: [{ account: "AUTH_test", container: "media", key }] }],
      [/^WRONG_SECRET/, good, { keys: [{ account: "AUTH_test", key: "another" }] }],
      [/^PATH/, good.replace("/talks/", "/other/")],
      [/^MALFORMED/, good.replace("temp_url_sig=", "temp_url_sig=ZZ")],
      [/^AMBIGUOUS_AUTHENTICATION/, good, { request: { headers: { "x-auth-token": "t" } } }],
    ]),
  )("returns %s", async (_, refusal) => {
    await expectCause(refusal, now);
  });

  it("returns the trap loose-prefix for a prefix without a slash", async () => {
    expect(await trapsOf(swift.sign({ ...wish, prefix: "talks", prefixMatch: "text" }).url)).toContain("loose-prefix");
  });
});
