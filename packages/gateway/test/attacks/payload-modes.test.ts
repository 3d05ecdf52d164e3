import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { s3Code } from "../e2e/clients.ts";
import { headerSignature } from "../e2e/header-signature.ts";
import { attack, gateway, host, openSite, put, sign } from "./site.ts";

openSite();

describe("payload modes never choose whether a signature is checked", () => {
  const modes = [
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "UNSIGNED-PAYLOAD",
  ];
  it.each(modes)("CVE-2025-31489: an upload in mode %s with a wrong secret is refused", async (payload) => {
    const key = { ...gateway.accessKey, secretAccessKey: "not the secret" };
    const headers = headerSignature({ method: "PUT", path: "/media/x.txt", host: host(), key, payload });
    const reply = await attack({ method: "PUT", target: "/media/x.txt", headers, body: "x" });
    expect([reply.status, reply.calls]).toEqual([403, 0]);
    expect(existsSync(join(gateway.root, "media/x.txt"))).toBe(false);
  });

  it("CVE-2026-41145: credentials in the query without a signature are nothing, in any payload mode", async () => {
    for (const mode of modes) {
      const target = put("x.txt").replace(/&X-Amz-Signature=[^&]*/, "");
      const reply = await attack({ method: "PUT", target, headers: { "x-amz-content-sha256": mode }, body: "x" });
      expect([reply.status, s3Code(reply.body), reply.calls]).toEqual([400, "AuthorizationQueryParametersError", 0]);
    }
  });

  it("CVE-2026-41145: an Authorization header beside signed query credentials is refused, not preferred", async () => {
    for (const authorization of ["AWS4-HMAC-SHA256 Credential=x", "Bearer x", ""]) {
      const reply = await attack({ method: "PUT", target: put("x.txt"), headers: { authorization }, body: "x" });
      expect([reply.status, reply.calls]).toEqual([400, 0]);
    }
  });

  it("CVE-2025-31489: a presigned upload in a streaming mode is not stored with its framing", async () => {
    const reply = await attack({
      method: "PUT",
      target: put("framed.txt"),
      headers: { "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "content-encoding": "aws-chunked" },
      body: "5\r\nhello\r\n0\r\n\r\n",
    });
    expect([reply.status, s3Code(reply.body), reply.calls]).toEqual([501, "NotImplemented", 0]);
  });

  it("CVE-2026-40344: a header that asks to unpack an archive is refused and unpacks nothing", async () => {
    const headers = { "x-amz-meta-snowball-auto-extract": "true" };
    const unsigned = await attack({ method: "PUT", target: put("a.tar"), headers, body: "x" });
    expect([unsigned.status, unsigned.calls]).toEqual([403, 0]);
    const reply = await attack({
      method: "PUT",
      target: sign({ method: "PUT", bucket: "media", key: "b.tar", expiresIn: 60, bind: { headers } }),
      headers,
      body: "x",
    });
    // Signed it is user metadata like any other.
    expect(reply.status).toBe(200);
    expect(readFileSync(join(gateway.root, "media/b.tar"), "utf8")).toBe("x");
  });
});
