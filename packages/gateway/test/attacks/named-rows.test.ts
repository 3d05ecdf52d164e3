import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { daypassUrl, type Sent, s3Code, s3For, useCountedGateway } from "../e2e/clients.ts";

const { gateway, counted } = useCountedGateway({
  files: { "media/a": "a", "media/ab": "ab", "media/a.txt": "text", "media/docs/a": "docs", "private/a": "private" },
});

const targetOf = (url: string) => url.slice(gateway.url.length);
const sign = (method: string, key: string, bucket = "media") =>
  targetOf(s3For(gateway).sign({ method, bucket, key, expiresIn: 60 }).url);

function attack(sent: Sent) {
  const length = sent.body === undefined ? {} : { "content-length": String(Buffer.byteLength(sent.body)) };
  return counted({ ...sent, headers: { ...length, ...sent.headers } });
}

describe("attacks that hit others, by their names", () => {
  it("CVE-2023-43040: takes the bucket of a form from the target and ignores its form field", async () => {
    const body = '--x\r\ncontent-disposition: form-data; name="bucket"\r\n\r\nprivate\r\n--x--\r\n';
    const headers = { "content-type": "multipart/form-data; boundary=x" };
    for (const target of ["/media", "/media/", sign("POST", "form.txt"), `${sign("PUT", "form.txt")}&bucket=private`]) {
      const reply = await attack({ method: "POST", target, headers, body });
      expect([target, reply.status >= 400, reply.calls]).toEqual([target, true, 0]);
    }
    const reply = await attack({ method: "PUT", target: sign("PUT", "form.txt"), headers, body });
    expect([reply.status, readFileSync(join(gateway.root, "media/form.txt"), "utf8")]).toEqual([200, body]);
    expect(existsSync(join(gateway.root, "private/form.txt"))).toBe(false);
  });

  it("GHSA-g8w9-qw9q-fghr, s3proxy 4.1.1: no x-amz-* acts in any letter case, repeated or in the query unsigned", async () => {
    for (const name of ["X-AMZ-Copy-Source", "x-Amz-cOpy-source", "X-Amz-Copy-Source-Range", "x-amz-tagging"]) {
      const reply = await attack({
        method: "PUT",
        target: sign("PUT", "c"),
        headers: { [name]: "/private/a" },
        body: "",
      });
      expect([name, reply.status, reply.calls]).toEqual([name, 403, 0]);
    }
    for (const extra of ["x-amz-copy-source=%2Fprivate%2Fa", "X-Amz-Acl=public-read"]) {
      const reply = await attack({ method: "PUT", target: `${sign("PUT", "c")}&${extra}`, body: "" });
      expect([extra, reply.status, reply.calls]).toEqual([extra, 403, 0]);
    }
  });

  it("CVE-2026-54091, CVE-2026-54094: a delete ends exactly the object it names and nothing below or beside it", async () => {
    expect((await attack({ method: "DELETE", target: sign("DELETE", "doc") })).status).toBe(204);
    expect((await attack({ method: "DELETE", target: sign("DELETE", "docs") })).status).toBe(204);
    expect((await attack({ method: "DELETE", target: sign("DELETE", "a") })).status).toBe(204);
    const left = ["a", "ab", "a.txt", "docs/a"].map((name) => existsSync(join(gateway.root, "media", name)));
    expect(left).toEqual([false, true, true, true]);
  });

  it("CVE-2026-32761: what a URL does not grant is refused for each method and both forms of the path", async () => {
    for (const method of ["PUT", "DELETE", "POST", "PATCH", "COPY", "MOVE"]) {
      const daypass = targetOf(daypassUrl(gateway, "/media/ab"));
      for (const target of [sign("GET", "ab"), daypass, daypass.replace("/ab?", "/ab/?")]) {
        const reply = await attack({ method, target, body: "x" });
        expect([method, reply.status >= 400, reply.calls]).toEqual([method, true, 0]);
      }
    }
  });

  it("seaweedfs 8878: no fixed signature is accepted", async () => {
    const fixed = [
      "0".repeat(64),
      "f".repeat(64),
      "mock-signature",
      "",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ];
    for (const signature of fixed) {
      const target = sign("GET", "ab").replace(/X-Amz-Signature=.*/, `X-Amz-Signature=${signature}`);
      const reply = await attack({ target });
      expect([signature, reply.status >= 400 && reply.status < 500, reply.calls]).toEqual([signature, true, 0]);
    }
  });

  it("rustfs 3374: a header that a proxy adds is never part of what is verified, and an x-amz-* one is refused", async () => {
    const added = { "x-request-id": "1", "x-forwarded-for": "1.2.3.4", via: "1.1 proxy", "x-amz-cf-id": "1" };
    expect((await attack({ target: sign("GET", "ab"), headers: added })).body.toString()).toBe("ab");
    const reply = await attack({ target: sign("GET", "ab"), headers: { "x-amz-request-id": "1" } });
    expect([reply.status, s3Code(reply.body), reply.calls]).toEqual([403, "AccessDenied", 0]);
  });

  it("transfer.sh 670: X-Forwarded-For is no address of a client", async () => {
    const target = targetOf(daypassUrl(gateway, "/media/ab", { bind: { ip: "203.0.113.0/24" } }));
    const headers = { "x-forwarded-for": "203.0.113.9", forwarded: "for=203.0.113.9", "x-real-ip": "203.0.113.9" };
    expect((await attack({ target, headers })).status).toBe(403);
  });

  it("noobaa-core 8493, s3proxy 648, fakecloud 1577: a date far away ends or has not begun, and never means without end", async () => {
    for (const date of ["19700101T000000Z", "00010101T000000Z", "99991231T235959Z", "20990101T000000Z"]) {
      const target = sign("GET", "ab")
        .replace(/X-Amz-Date=[^&]*/, `X-Amz-Date=${date}`)
        .replace(/%2F\d{8}%2F/, `%2F${date.slice(0, 8)}%2F`);
      const reply = await attack({ target });
      expect([date, reply.status >= 400 && reply.status < 500, reply.calls]).toEqual([date, true, 0]);
    }
  });

  it("cache poisoning and leakage: an answer is private, ends with its grant, and sends no Referer", async () => {
    for (const target of [sign("GET", "ab"), targetOf(daypassUrl(gateway, "/media/ab"))]) {
      const { headers } = await attack({ target });
      expect(headers["cache-control"]).toMatch(/^private, max-age=([0-5]?\d|60)$/);
      expect([headers["referrer-policy"], headers["x-content-type-options"]]).toEqual(["no-referrer", "nosniff"]);
    }
    const refused = await attack({ target: "/media/ab" });
    expect(refused.headers["cache-control"]).toBe("no-store");
  });

  it("cache poisoning: no uploader and no signer keeps an answer in a shared cache, or beyond its grant", async () => {
    const wish = "public, s-maxage=31536000, max-age=31536000";
    const headers = { "cache-control": wish };
    const target = sign("PUT", "cached");
    expect((await attack({ method: "PUT", target, headers, body: "x" })).status).toBe(200);
    const response = { cacheControl: wish };
    for (const target of [
      sign("GET", "cached"),
      targetOf(s3For(gateway).sign({ bucket: "media", key: "ab", expiresIn: 60, response }).url),
      targetOf(daypassUrl(gateway, "/media/cached")),
      targetOf(daypassUrl(gateway, "/media/ab", { response })),
    ]) {
      const { headers } = await attack({ target });
      expect(headers["cache-control"]).toMatch(/^private, max-age=([0-5]?\d|60)$/);
    }
  });

  it("Swift pointer attack: metadata that would make an object a pointer is refused or stays plain text", async () => {
    for (const name of [
      "x-object-manifest",
      "x-symlink-target",
      "x-copy-from",
      "x-goog-copy-source",
      "x-ms-copy-source",
    ]) {
      const headers = { [name]: "/private/a" };
      const reply = await attack({ method: "PUT", target: sign("PUT", "pointer"), headers, body: "mine" });
      if (reply.status === 200) expect(readFileSync(join(gateway.root, "media/pointer"), "utf8")).toBe("mine");
      else expect(reply.calls).toBe(0);
    }
  });
});
