import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { s3FormSigner } from "daypass/s3/form";
import { describe, expect, it } from "vitest";
import { testGateway } from "../../src/testing/index.ts";
import { daypassUrl, s3Code, s3Field, s3For, send, until } from "../e2e/clients.ts";
import { headerSignature } from "../e2e/header-signature.ts";
import { attack, gateway, get, host, openSite } from "./site.ts";

openSite();

describe("what comes in", () => {
  it("CVE-2026-30961: the size limit counts bytes and not what a header says", async () => {
    const small = await testGateway({ gateway: () => ({ limits: { body: 10 } }) });
    const url = daypassUrl(small, "/files/big.txt", { methods: ["PUT"] });
    const chunked = await send(small, {
      method: "PUT",
      target: url.slice(small.url.length),
      headers: { host: `127.0.0.1:${small.port}`, "transfer-encoding": "chunked" },
      body: "eleven bytes",
    });
    expect(chunked.status).toBe(413);
    expect(existsSync(join(small.root, "files/big.txt"))).toBe(false);
    const { url: s3Url } = s3For(small).sign({ method: "PUT", bucket: "files", key: "big.txt", expiresIn: 60 });
    const announced = await fetch(s3Url, { method: "PUT", body: "eleven bytes" });
    const body = await announced.text();
    expect([announced.status, s3Code(body), s3Field(body, "MaxSizeAllowed")]).toEqual([400, "EntityTooLarge", "10"]);
    // Nor what a signer allows.
    const contentLength = { min: 0, max: 100 };
    const granted = daypassUrl(small, "/files/big.txt", { methods: ["PUT"], bind: { contentLength } });
    expect((await fetch(granted, { method: "PUT", body: "eleven bytes" })).status).toBe(413);
    const form = s3FormSigner({ region: "us-east-1", endpoint: small.url, credentials: small.accessKey }).sign({
      bucket: "files",
      key: "big.txt",
      expiresIn: 60,
      contentLength,
    });
    const fields = new FormData();
    for (const [name, value] of Object.entries({ ...form.fields, file: "eleven bytes" })) fields.append(name, value);
    const posted = await fetch(form.url, { method: "POST", body: fields });
    expect([posted.status, s3Code(await posted.text())]).toEqual([400, "EntityTooLarge"]);
    expect(existsSync(join(small.root, "files/big.txt"))).toBe(false);
    await small.close();
  });

  it("CVE-2026-30961: parts that are small make no object beyond the limit", async () => {
    const small = await testGateway({ gateway: () => ({ limits: { body: 10, object: 15, minPart: 0 } }) });
    const call = (method: string, query: Record<string, string>, body?: string) =>
      fetch(s3For(small).sign({ method, bucket: "files", key: "parts.txt", expiresIn: 60, query }).url, {
        method,
        ...(body === undefined ? {} : { body }),
      });
    const started = await (await call("POST", { uploads: "" })).text();
    const uploadId = s3Field(started, "UploadId") ?? "";
    const etags: (string | null)[] = [];
    for (const partNumber of ["1", "2"]) {
      etags.push((await call("PUT", { uploadId, partNumber }, "ten bytes!")).headers.get("etag"));
    }
    const complete = (parts: readonly (string | null)[]) =>
      call(
        "POST",
        { uploadId },
        `<CompleteMultipartUpload>${parts.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`).join("")}</CompleteMultipartUpload>`,
      );
    const refused = await complete(etags);
    expect([refused.status, s3Code(await refused.text())]).toEqual([400, "EntityTooLarge"]);
    expect(existsSync(join(small.root, "files/parts.txt"))).toBe(false);
    expect((await complete(etags.slice(0, 1))).status).toBe(200);
    await small.close();
  });

  it("CVE-2022-3854: odd targets are answered, and the process lives on", async () => {
    const odd = [
      "*",
      "/%",
      "/%zz",
      "/%ff%fe",
      "/media/%00",
      "/?%",
      "/?&&&=&",
      "/media/hello.txt?X-Amz-Signature",
      "/a?X-Amz-Algorithm=%E0%A4%A",
      `/?${"a&".repeat(4000)}`,
    ];
    for (const target of odd) {
      const reply = await attack({ target: target });
      expect([target, reply.status >= 400 && reply.status < 500]).toEqual([target, true]);
    }
    expect((await attack({ target: get() })).status).toBe(200);
  });

  it("an unexpected error is a 500 with a request id, logged with its stack, and the next request is served", async () => {
    const failing = await testGateway({
      files: { "media/a.txt": "a" },
      storage: (disk) => ({
        ...disk,
        getCached: () => undefined,
        get: async (ref, options) => {
          if (ref.key === "boom") throw new Error("the disk is on fire at /secret/place");
          return disk.get(ref, options);
        },
      }),
    });
    const reply = await fetch(s3For(failing).sign({ bucket: "media", key: "boom", expiresIn: 60 }).url);
    const body = await reply.text();
    expect([reply.status, s3Code(body)]).toEqual([500, "InternalError"]);
    expect(body).not.toContain("fire");
    const event = await until(() => failing.events.find(({ status }) => status === 500));
    expect((event.error as Error).stack).toContain("the disk is on fire");
    expect(s3Field(body, "RequestId")).toBe(event.requestId);
    expect((await fetch(s3For(failing).sign({ bucket: "media", key: "a.txt", expiresIn: 60 }).url)).status).toBe(200);
    await failing.close();
  });

  it("a digest of another body is refused, whatever declares it", async () => {
    const wrong = createHash("sha256").update("other").digest("hex");
    const headers = headerSignature({
      method: "PUT",
      path: "/media/d.txt",
      host: host(),
      key: gateway.accessKey,
      payload: wrong,
    });
    const reply = await attack({ method: "PUT", target: "/media/d.txt", headers, body: "mine" });
    expect([reply.status, s3Code(reply.body)]).toEqual([400, "XAmzContentSHA256Mismatch"]);
    expect(existsSync(join(gateway.root, "media/d.txt"))).toBe(false);
  });
});
