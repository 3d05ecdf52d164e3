import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { testGateway } from "../../src/testing/index.ts";
import { callBucket, texts } from "../e2e/bucket-client.ts";
import { s3For, send } from "../e2e/clients.ts";

it("who makes a bucket finds no upload of those who had the name before", async () => {
  await using gateway = await testGateway({ files: { "media/a.txt": "a" } });
  const call = async (method: string, query: Readonly<Record<string, string>>) => {
    const { url } = s3For(gateway).sign({ method, bucket: "media", key: "secret", expiresIn: 60, bind: { query } });
    const headers = { host: `127.0.0.1:${gateway.port}`, "content-length": "1" };
    return send(gateway, { method, target: url.slice(gateway.url.length), headers, body: "x" });
  };
  const [uploadId = ""] = texts(await call("POST", { uploads: "" }), "UploadId");
  expect((await call("PUT", { uploadId, partNumber: "1" })).status).toBe(200);
  // As when the folder is taken away by hand, or the upload begins while the bucket is being removed.
  rmSync(join(gateway.root, "media"), { recursive: true });
  expect((await callBucket(gateway, { method: "PUT" })).status).toBe(200);
  expect(texts(await callBucket(gateway, { query: { uploads: "" } }), "UploadId")).toEqual([]);
  expect((await call("GET", { uploadId })).status).toBe(404);
  expect((await call("PUT", { uploadId, partNumber: "1" })).status).toBe(404);
});
