import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { s3 } from "../../src/storage/s3/index.ts";
import { chunks } from "../../src/testing/contract-tools.ts";

const AT = new Date("2026-01-02T03:04:05Z");

/** Storage over an upstream that takes everything, and then does not tell what it has. */
async function forgetful() {
  const server = createServer(async (request, response) => {
    for await (const _ of request);
    const { method, headers } = request;
    response.setHeader("etag", '"0cc175b9c0f1b6a831c399e269772661"');
    if (method === "HEAD") {
      if (request.url?.includes("source") === true) response.setHeader("content-length", "1");
      else response.statusCode = 503;
    }
    const isCopy = headers["x-amz-copy-source"] !== undefined;
    response.end(isCopy ? '<CopyObjectResult><ETag>"copied"</ETag></CopyObjectResult>' : "");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a secret" };
  const endpoint = `http://127.0.0.1:${port}`;
  const storage = s3({ endpoint, region: "us-east-1", credentials, bucket: "bucket", clock: () => AT });
  onTestFinished(async () => {
    await storage.close();
    server.closeAllConnections();
    server.close();
  });
  return storage;
}

it("dates what it has just stored by its own clock where the upstream does not tell", async () => {
  const storage = await forgetful();
  const put = await storage.put({ bucket: "bucket", key: "a" }, chunks("a"), { contentLength: 1 });
  expect(put.lastModified).toEqual(AT);
  const sourceEtag = "0cc175b9c0f1b6a831c399e269772661";
  const copy = await storage.copy({ bucket: "bucket", key: "source" }, { bucket: "bucket", key: "b" }, { sourceEtag });
  expect(copy?.lastModified).toEqual(AT);
});
