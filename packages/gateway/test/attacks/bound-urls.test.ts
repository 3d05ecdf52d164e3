import { describe, expect, it } from "vitest";
import { daypassUrl, s3Field, s3For } from "../e2e/clients.ts";
import { attack, gateway, get, openSite, put, targetOf } from "./site.ts";

openSite();

describe("a URL opens what it was signed for", () => {
  it("supabase 1135: a download URL is no upload URL, and the other way round", async () => {
    expect((await attack({ method: "PUT", target: get(), body: "x" })).status).toBe(403);
    expect((await attack({ target: put("hello.txt") })).status).toBe(403);
    const download = targetOf(daypassUrl(gateway, "/media/hello.txt"));
    expect((await attack({ method: "PUT", target: download, body: "x" })).status).toBe(403);
  });

  it("Appwrite 13744: HEAD and method overrides do not change the method that is verified", async () => {
    for (const name of ["x-http-method-override", "x-method-override", "x-http-method"]) {
      const reply = await attack({ target: get(), headers: { [name]: "DELETE" } });
      expect(reply.body.toString()).toBe("hello");
    }
    expect((await attack({ method: "HEAD", target: get() })).status).toBe(403);
  });

  it("minio 5411: a URL for the data opens nothing under /-/", async () => {
    const query = get().slice(get().indexOf("?"));
    for (const path of ["/-/metrics", "/-/admin/keys", "/-/config"]) {
      const reply = await attack({ target: path + query });
      expect([reply.status, reply.calls]).toEqual([403, 0]);
    }
  });

  it("host confusion: forwarded hosts are not read, and a URL for one origin does not open another", async () => {
    const forwarded = {
      "x-forwarded-host": "evil.example.com",
      forwarded: "host=evil.example.com",
      "x-original-url": "/private/secret.txt",
    };
    expect((await attack({ target: get(), headers: forwarded })).body.toString()).toBe("hello");
    const other = { host: `other.localhost:${gateway.port}` };
    expect((await attack({ target: get(), headers: other })).status).toBe(403);
    expect((await attack({ target: targetOf(daypassUrl(gateway, "/media/hello.txt")), headers: other })).status).toBe(
      403,
    );
    expect((await attack({ target: get(), headers: { host: "evil.example.com" } })).status).toBe(400);
  });

  it("laravel 59860: security parameters cannot be repeated, arrays or in another case", async () => {
    for (const extra of [
      "X-Amz-Expires=9999",
      "X-Amz-Signature=0",
      "x-amz-expires=9999",
      "X-Amz-Expires[]=1",
      "X%2DAmz-Expires=9999",
    ]) {
      const reply = await attack({ target: `${get()}&${extra}` });
      expect([extra, reply.status < 500 && reply.status >= 400, reply.calls]).toEqual([extra, true, 0]);
    }
  });

  it("s3rver: refuses a URL without an expiry or with an expiry that is no number", async () => {
    const target = get();
    for (const expires of ["", "NaN", "-1", "1e9", "0x10", "604801", "99999999999999999999", "60%00"]) {
      const reply = await attack({ target: target.replace(/X-Amz-Expires=[^&]*/, `X-Amz-Expires=${expires}`) });
      expect([expires, reply.status, reply.calls]).toEqual([expires, 400, 0]);
    }
    expect((await attack({ target: target.replace(/&X-Amz-Expires=[^&]*/, "") })).status).toBe(400);
    for (const date of ["", "20260230T000000Z", "now", "20261124"]) {
      const reply = await attack({ target: target.replace(/X-Amz-Date=[^&]*/, `X-Amz-Date=${date}`) });
      expect([date, reply.status]).toEqual([date, 400]);
    }
  });

  it("clock: a URL dated further ahead than the skew is not valid yet", async () => {
    const clock = () => new Date(Date.now() + 3_600_000);
    const reply = await attack({
      target: targetOf(s3For(gateway, { clock }).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url),
    });
    expect([reply.status, s3Field(reply.body, "Message")]).toEqual([403, "Request is not valid yet"]);
  });
});
