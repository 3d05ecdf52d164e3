import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { s3Signer } from "daypass/s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Storage, StorageError } from "../../src/storage/contract/storage.ts";
import { s3 } from "../../src/storage/s3/index.ts";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { contentMd5 } from "./bucket-client.ts";
import { s3Code, s3Field, s3For, sendS3 } from "./clients.ts";

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
const INTERVAL_MS = 30;

/** Work that is done when the test says so, or fails then. */
function gate() {
  let open: () => void = () => {};
  let fail: (error: Error) => void = () => {};
  const opened = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  opened.catch(() => {});
  return { opened, open, fail };
}

let work: ReturnType<typeof gate>;
let gateway: TestGateway;
const warnings: Error[] = [];
const noteWarning = (warning: Error): void => {
  if (warning.name === "MaxListenersExceededWarning") warnings.push(warning);
};
beforeEach(async () => {
  process.on("warning", noteWarning);
  work = gate();
  const slow =
    <P extends readonly unknown[], R>(step: (...parameters: P) => Promise<R>) =>
    async (...parameters: P): Promise<R> => {
      await work.opened;
      return step(...parameters);
    };
  gateway = await testGateway({
    files: { "media/source.txt": "source", "other/x": "" },
    gateway: () => ({ keepAliveMs: INTERVAL_MS }),
    storage: (disk): Storage => ({
      ...disk,
      copy: slow(disk.copy),
      completeUpload: slow(disk.completeUpload),
      copyPart: slow(disk.copyPart),
    }),
  });
});
afterEach(async () => {
  work.open();
  await gateway.close();
  process.off("warning", noteWarning);
  // An operator would read it as a leak.
  expect(warnings.splice(0)).toEqual([]);
});

/** An answer as it comes. */
interface Coming {
  readonly response: IncomingMessage;
  text(): string;
  whole(): Promise<string>;
}

async function begin(
  method: string,
  key: string,
  sent: {
    readonly query?: Record<string, string>;
    readonly headers?: Record<string, string>;
    readonly body?: string;
    readonly unsigned?: Record<string, string>;
  } = {},
  to = gateway,
): Promise<Coming> {
  const { query = {}, headers = {}, body, unsigned = {} } = sent;
  const { url } = s3For(to).sign({ method, bucket: "media", key, bind: { query, headers }, expiresIn: 60 });
  const message = request(url, { method, headers: { ...headers, ...unsigned } });
  message.on("error", () => {});
  message.end(body);
  const [response] = (await once(message, "response")) as [IncomingMessage];
  let text = "";
  response.setEncoding("utf8").on("data", (piece: string) => {
    text += piece;
  });
  const ended = once(response, "end");
  return { response, text: () => text, whole: () => ended.then(() => text) };
}

const COPY = { "x-amz-copy-source": "/media/source.txt" };

async function beginUpload(): Promise<{ readonly uploadId: string; readonly list: string }> {
  const begun = await sendS3(gateway, { method: "POST", key: "joined", query: { uploads: "" } });
  const uploadId = s3Field(begun.text, "UploadId") ?? "";
  const part = await sendS3(gateway, {
    method: "PUT",
    key: "joined",
    query: { uploadId, partNumber: "1" },
    body: "part",
  });
  const list = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.headers.etag}</ETag></Part></CompleteMultipartUpload>`;
  return { uploadId, list };
}

describe("work that takes long", () => {
  it.each([
    ["CopyObject", "CopyObjectResult", () => begin("PUT", "copy", { headers: COPY })],
    [
      "UploadPartCopy",
      "CopyPartResult",
      async () => {
        const { uploadId } = await beginUpload();
        return begin("PUT", "joined", { headers: COPY, query: { uploadId, partNumber: "2" } });
      },
    ],
    [
      "CompleteMultipartUpload",
      "CompleteMultipartUploadResult",
      async () => {
        const { uploadId, list } = await beginUpload();
        return begin("POST", "joined", { query: { uploadId }, body: list });
      },
    ],
  ])("is answered with 200 and white space until %s is done", async (_, root, start) => {
    const coming = await start();
    expect([coming.response.statusCode, coming.response.headers["content-type"]]).toEqual([200, "application/xml"]);
    expect(coming.response.headers["content-length"]).toBeUndefined();
    await expect.poll(coming.text).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n {3,}$/);
    work.open();
    const text = await coming.whole();
    expect(text).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n {3,}<\w+ xmlns="[^"]+"><.*>$/);
    expect(text.match(/<\?xml/g)).toHaveLength(1);
    expect(text.slice(DECLARATION.length).trimStart()).toMatch(new RegExp(`^<${root} .*</${root}>$`));
    expect(s3Field(text, "ETag")).toMatch(/^"[0-9a-f]{32}(-1)?"$/);
    expect(coming.response.headers["x-amz-request-id"]).toBe(gateway.events.at(-1)?.requestId);
  });

  it("answers fast work without early bytes", async () => {
    // Not with the interval of these tests, which a busy machine takes longer than.
    await using patient = await testGateway({ files: { "media/source.txt": "source" } });
    const coming = await begin("PUT", "copy", { headers: COPY }, patient);
    const text = await coming.whole();
    expect(Number(coming.response.headers["content-length"])).toBe(text.length);
    expect(text.startsWith(`${DECLARATION}<CopyObjectResult `)).toBe(true);
    const refused = await begin("PUT", "copy", { headers: { "x-amz-copy-source": "/media/none" } }, patient);
    expect([refused.response.statusCode, s3Code(await refused.whole())]).toEqual([404, "NoSuchKey"]);
  });

  it.each([
    [new StorageError("DISK_FULL", "full"), "InsufficientStorage", "DISK_FULL"],
    [new Error("boom"), "InternalError", "INTERNAL"],
  ])("tells in the body of the 200 that it failed (%s)", async (error, code, refusal) => {
    const coming = await begin("PUT", "copy", { headers: COPY });
    expect(coming.response.statusCode).toBe(200);
    await expect.poll(coming.text).toMatch(/ {2}$/);
    work.fail(error);
    const text = await coming.whole();
    expect(text).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n {2,}<Error><Code>/);
    expect(s3Code(text)).toBe(code);
    expect(text).not.toContain("boom");
    await expect.poll(() => gateway.events.at(-1)?.code).toBe(refusal);
    expect(gateway.events.at(-1)).toMatchObject({ status: 200, complete: true });
    expect(gateway.events.at(-1)?.error).toBe(error);
  });

  it("finishes the work after the client disconnected, and logs an incomplete answer", async () => {
    const coming = await begin("PUT", "copy", { headers: COPY });
    coming.response.destroy();
    await expect.poll(() => gateway.events.length).toBe(1);
    expect(gateway.events[0]).toMatchObject({ status: 200, complete: false, error: undefined });
    work.open();
    await expect.poll(async () => (await sendS3(gateway, { key: "copy" })).status).toBe(200);
  });

  it("has its place among the requests under way until it is done, whether its client stays or not", async () => {
    await using small = await testGateway({
      files: { "media/source.txt": "source" },
      gateway: () => ({ keepAliveMs: INTERVAL_MS, limits: { inFlight: 1 } }),
      storage: (disk): Storage => ({
        ...disk,
        async copy(...parameters) {
          await work.opened;
          return disk.copy(...parameters);
        },
      }),
    });
    const { url } = s3For(small).sign({
      method: "PUT",
      bucket: "media",
      key: "copy",
      bind: { headers: COPY },
      expiresIn: 60,
    });
    const message = request(url, { method: "PUT", headers: COPY }).on("error", () => {});
    message.end();
    const [response] = (await once(message, "response")) as [IncomingMessage];
    response.on("error", () => {}).destroy();
    await expect.poll(() => small.events.length).toBe(1);
    const read = async () => (await sendS3(small, { key: "source.txt" })).status;
    expect(await read()).toBe(503);
    work.open();
    await expect.poll(read).toBe(200);
  });

  it("is read by the storage driver for S3, the result and the error", async () => {
    const storage = s3({ ...gateway.clients.daypass });
    try {
      const source = { bucket: "media", key: "source.txt" };
      const sourceEtag = (await storage.head(source))?.etag ?? "";
      const copying = storage.copy(source, { bucket: "media", key: "copy" }, { sourceEtag });
      setTimeout(() => work.open(), INTERVAL_MS * 5);
      expect((await copying)?.size).toBe(6);
      work = gate();
      const failing = storage.copy(source, { bucket: "media", key: "other" }, { sourceEtag });
      setTimeout(() => work.fail(new Error("boom")), INTERVAL_MS * 5);
      await expect(failing).rejects.toMatchObject({ code: "UNAVAILABLE" });
    } finally {
      await storage.close();
    }
  });

  it("shows the answer to a page of an allowed origin", async () => {
    const rules = `<CORSConfiguration><CORSRule><AllowedOrigin>https://app.example.com</AllowedOrigin><AllowedMethod>PUT</AllowedMethod></CORSRule></CORSConfiguration>`;
    const signer = s3Signer(gateway.clients.daypass);
    const { url } = signer.sign({
      method: "PUT",
      bucket: "media",
      resource: "bucket",
      bind: { query: { cors: "" } },
      expiresIn: 60,
    });
    expect((await fetch(url, { method: "PUT", body: rules, headers: contentMd5(rules) })).status).toBe(200);
    const coming = await begin("PUT", "copy", { headers: COPY, unsigned: { origin: "https://app.example.com" } });
    expect(coming.response.headers["access-control-allow-origin"]).toBe("https://app.example.com");
    work.open();
    expect(await coming.whole()).toContain("<CopyObjectResult ");
  });
});
