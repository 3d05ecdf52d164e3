import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { daypassUrl, s3For } from "../e2e/clients.ts";
import { attack, gateway, get, openSite, put, SECRET, scopedKey, targetOf } from "./site.ts";

openSite();

describe("paths do not leave their bucket", () => {
  it("path traversal in a signed key reaches no file outside the bucket", async () => {
    for (const key of [
      "../private/secret.txt",
      "a/../../private/secret.txt",
      "..%2fprivate%2fsecret.txt",
      "/etc/passwd",
      "..\\private\\secret.txt",
    ]) {
      const target = targetOf(s3For(gateway).sign({ bucket: "media", key, expiresIn: 60, dotSegments: "sign" }).url);
      const reply = await attack({ target });
      expect([key, reply.status]).toEqual([key, 404]);
      expect(reply.body.toString()).not.toContain(SECRET);
    }
  });

  it("the target is verified as it stood on the wire, not as a URL parser rewrites it", async () => {
    const query = get("hello.txt").slice(get("hello.txt").indexOf("?"));
    for (const path of [
      "/media/%2e%2e/media/hello.txt",
      "/media/./hello.txt",
      "//media/hello.txt",
      "/media//hello.txt",
      "/x/../media/hello.txt",
    ]) {
      const reply = await attack({ target: path + query });
      expect([path, reply.status, reply.calls]).toEqual([path, 403, 0]);
    }
  });

  it("CVE-2026-54097: a symbolic link in a bucket does not lead out of it", async () => {
    symlinkSync(join(gateway.root, "private"), join(gateway.root, "media/link"));
    symlinkSync("/etc/passwd", join(gateway.root, "media/passwd"));
    expect((await attack({ target: get("link/secret.txt") })).status).toBe(404);
    expect((await attack({ target: get("passwd") })).status).toBe(404);
    mkdirSync(join(gateway.root, "media/real"), { recursive: true });
    writeFileSync(join(gateway.root, "media/real/a.txt"), "a");
    await attack({ method: "PUT", target: put("link/new.txt"), body: "x" });
    expect(existsSync(join(gateway.root, "private/new.txt"))).toBe(false);
  });

  it("the gateway's own folder is not addressable", async () => {
    for (const target of [
      get("index.db", ".daypass"),
      get(".daypass/index.db"),
      targetOf(daypassUrl(gateway, "/.daypass/index.db")),
    ]) {
      expect((await attack({ target })).status).toBe(404);
    }
  });

  it("sloppy prefix: a key's scope ends on a whole segment", async () => {
    const s3 = s3For(gateway, { credentials: scopedKey({ buckets: ["media"], prefix: "merchants/123" }) });
    const status = async (key: string, bucket = "media") =>
      (await attack({ target: targetOf(s3.sign({ bucket, key, expiresIn: 60, dotSegments: "sign" }).url) })).status;
    expect(await status("merchants/123/a.txt")).toBe(200);
    expect(await status("merchants/1234/a.txt")).toBe(403);
    expect(await status("merchants/123/../1234/a.txt")).toBe(403);
    expect(await status("secret.txt", "private")).toBe(403);
  });
});
