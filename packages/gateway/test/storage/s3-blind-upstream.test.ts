/** An upstream that takes whatever it is sent and compares nothing. What holds here is held by the driver alone. */
import type { IncomingMessage } from "node:http";
import { expect, it } from "vitest";
import { chunks, codeOf } from "../../src/testing/contract-tools.ts";
import { driver, object, ref } from "./scripted-upstream.ts";

const HOLD = 128 * 1024;

async function blind() {
  const stored: number[] = [];
  const storage = await driver(
    (request, response) => {
      let size = 0;
      request.on("data", (piece: Buffer) => {
        size += piece.length;
      });
      request
        .on("error", () => {})
        .once("end", () => {
          if (request.method === "POST")
            response.end("<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>");
          else response.writeHead(request.method === "HEAD" ? 404 : 200, { etag: '"e"' }).end();
          if (request.method === "PUT") stored.push(size);
        });
    },
    { holdBytes: HOLD },
  );
  return { stored, storage };
}

const WRONG = { digests: { md5: new Uint8Array(16) } };

it("an upstream gets no whole body that is not what was declared, however its end comes", async () => {
  const { stored, storage } = await blind();
  const pieces = [Buffer.alloc(HOLD), Buffer.alloc(HOLD)];
  for (const body of [pieces, [...pieces, Buffer.alloc(0)]]) {
    const put = storage.put(ref, chunks(...body), { contentLength: 2 * HOLD, ...WRONG });
    expect(await codeOf(put)).toBe("DIGEST_MISMATCH");
  }
  expect(stored).toEqual([]);
  await storage.put(ref, chunks(...pieces, Buffer.alloc(0)), { contentLength: 2 * HOLD });
  expect(stored).toEqual([2 * HOLD]);
});

it("an upstream can be sent any number of bodies of unknown length, one after the other", async () => {
  const { stored, storage } = await blind();
  const upload = await storage.createUpload(ref);
  // Seventy are more than all that may be held together, and each way to send them has to give its own back.
  const piece = Buffer.alloc(HOLD);
  for (let i = 0; i < 70; i++) await storage.putPart(upload, 1, chunks(piece));
  for (let i = 0; i < 70; i++) await storage.put(ref, chunks(piece));
  expect(stored).toEqual(Array(140).fill(HOLD));
});

it.each([
  ["cannot be tried at first", ({ headers }: IncomingMessage) => headers["if-none-match"] === undefined, "stored"],
  // What has failed may be missing as well: it is asked again after a minute.
  [
    "is answered at first by a failure",
    ({ headers }: IncomingMessage) => headers["if-none-match"] !== undefined,
    "UNAVAILABLE",
  ],
])("an upstream gets no write on a condition before it was seen to keep one, which %s", async (_, fails, expected) => {
  let isWell = false;
  const written: string[] = [];
  const storage = await driver((request, response) => {
    const { method, url = "", headers } = request.resume();
    const isTrial = url.includes(".daypass-probe");
    if (method === "PUT" && !isTrial) written.push(url);
    const status = !isWell && fails(request) ? 503 : isTrial && headers["if-none-match"] !== undefined ? 412 : 200;
    response.writeHead(method === "HEAD" ? 404 : status, { etag: '"e"' }).end();
  });
  const put = async () => {
    await storage.put(ref, chunks("x"), { ifNoneMatch: "*" });
    return "stored";
  };
  expect([await put().catch(({ code }) => code), written]).toEqual(["UNAVAILABLE", []]);
  isWell = true;
  expect(await put().catch(({ code }) => code)).toBe(expected);
});

it("an upstream gets the ETag of the source with a copy, and the driver dates what the upstream does not date", async () => {
  const AT = new Date("2026-01-02T03:04:05Z");
  const sources: unknown[] = [];
  const storage = await driver(
    (request, response) => {
      const { method, headers, url } = request.resume();
      if (headers["x-amz-copy-source"] !== undefined)
        sources.push([headers["x-amz-copy-source"], headers["x-amz-copy-source-if-match"]]);
      // What was stored cannot be looked at.
      if (method === "HEAD" && url?.includes("source") !== true) response.statusCode = 503;
      const text = method === "HEAD" ? "" : "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>";
      request.once("end", () => object(response, text.length || 1).end(text));
    },
    { clock: () => AT },
  );
  expect((await storage.put(ref, chunks("a"), { contentLength: 1 })).lastModified).toEqual(AT);
  const copy = await storage.copy({ ...ref, key: "source" }, ref, { sourceEtag: "e" });
  expect([copy?.lastModified, sources]).toEqual([AT, [["/bucket/source", '"e"']]]);
});
