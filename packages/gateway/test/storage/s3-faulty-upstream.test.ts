/** An upstream that answers unlike S3. The result is never the client's fault, and never a success. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { s3Signer } from "daypass/s3";
import { expect, it, onTestFinished, vi } from "vitest";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { type S3Options, s3 } from "../../src/storage/s3/index.ts";
import { chunks, codeOf } from "../../src/testing/contract-tools.ts";
import { front, scripted } from "./scripted-upstream.ts";

const MB = 1024 * 1024;
const ref = { bucket: "bucket", key: "a" };

function opened(options: S3Options): Storage {
  const storage = s3(options);
  onTestFinished(() => storage.close());
  return storage;
}

it.each<[string, string, (storage: Storage) => Promise<unknown>]>([
  [
    "a list with a key in another encoding",
    "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%zz</Key><Size>1</Size><ETag>e</ETag><LastModified/></Contents></ListBucketResult>",
    (storage) => storage.list("bucket", { prefix: "", limit: 1 }),
  ],
  [
    "a list with a size that is no number",
    "<ListBucketResult><Contents><Key>a</Key><Size>many</Size><ETag>e</ETag><LastModified/></Contents></ListBucketResult>",
    (storage) => storage.list("bucket", { prefix: "", limit: 1 }),
  ],
  ["an upload without an id", "<InitiateMultipartUploadResult/>", (storage) => storage.createUpload(ref)],
  [
    "a part of no number",
    "<ListPartsResult><Part><PartNumber>-1</PartNumber></Part></ListPartsResult>",
    (storage) => storage.listParts({ ...ref, uploadId: "u" }, { after: 0, limit: 1 }),
  ],
  [
    "a completion without an ETag",
    "<CompleteMultipartUploadResult/>",
    (storage) => storage.completeUpload({ ...ref, uploadId: "u" }, [{ number: 1, etag: "e" }], { minPartSize: 0 }),
  ],
  [
    "rules with two of an element",
    "<CORSConfiguration><CORSRule><ID/><ID/></CORSRule></CORSConfiguration>",
    (storage) => storage.corsRules("bucket"),
  ],
])("is no fault of the client's document when the upstream answers %s", async (_, body, call) => {
  const options = await scripted((request, response) => {
    // What is looked for before a completion.
    const isLook = request.method === "GET" && request.url?.includes("uploadId=") === true && !body.includes("Part");
    request.resume().once("end", () => response.end(isLook ? "<ListPartsResult/>" : body));
  });
  expect(await codeOf(call(opened(options)))).toBe("UNAVAILABLE");
});

it("answers 503, not 400, if the upstream's document cannot be read", async () => {
  const gateway = await front(await scripted((_, response) => response.end("<InitiateMultipartUploadResult/>")));
  const signer = s3Signer(gateway.clients.daypass);
  const { url } = signer.sign({ method: "POST", ...ref, query: { uploads: "" }, expiresIn: 60 });
  const answer = await fetch(url, { method: "POST" });
  expect([answer.status, /<Code>(\w+)/.exec(await answer.text())?.[1]]).toEqual([503, "ServiceUnavailable"]);
});

it("reads the code of a refusal that repeats a key with characters that XML does not have", async () => {
  const refusal = "<Error><Code>NoSuchUpload</Code><Key>a&#x1;b</Key><Resource>/bucket/a&#x1;b</Resource></Error>";
  const options = await scripted((_, response) => response.writeHead(404).end(refusal));
  expect(await codeOf(opened(options).abortUpload({ ...ref, uploadId: "u" }))).toBe("NO_SUCH_UPLOAD");
});

it("reads dates that are none as the beginning of time, and shows them", async () => {
  const options = await scripted((request, response) => {
    if (request.url?.startsWith("/bucket") === true)
      response.end(
        "<ListMultipartUploadsResult><Upload><Key>a</Key><UploadId>u</UploadId><Initiated>never</Initiated></Upload></ListMultipartUploadsResult>",
      );
    else
      response.end(
        "<ListAllMyBucketsResult><Buckets><Bucket><Name>bucket</Name><CreationDate>?</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>",
      );
  });
  const storage = opened(options);
  const [entry] = (await storage.listUploads("bucket", { prefix: "", limit: 1 })).entries;
  expect(entry).toMatchObject({ upload: { created: new Date(0) } });
  expect(await storage.buckets()).toEqual([{ name: "bucket", created: new Date(0) }]);
});

const ANSWER_MS = 20_000;

/** Storage with a connection that is kept, over an upstream that answers nothing more once it stands. */
async function kept(fail: (response: ServerResponse, call: number) => void) {
  const sockets: Socket[] = [];
  const calls: string[] = [];
  let failing = false;
  const options = await scripted((request, response) => {
    sockets.push(request.socket);
    if (failing) calls.push(request.method ?? "");
    request.resume().once("end", () => {
      if (failing) fail(response, calls.length);
      else response.setHeader("etag", '"e"').setHeader("content-length", "1").end();
    });
  });
  const storage = opened({ ...options, timeouts: { answerMs: ANSWER_MS } });
  while (new Set(sockets).size === sockets.length) await storage.head(ref);
  await setImmediate();
  failing = true;
  return { storage, calls };
}

it("sends nothing twice to an upstream that is slow, also on a connection that was used before", async () => {
  // On a busy machine its time could be over while it still answers.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const { storage, calls } = await kept(() => {});
  const put = codeOf(storage.put(ref, chunks("x")));
  await expect.poll(() => calls).toEqual(["PUT"]);
  vi.advanceTimersByTime(ANSWER_MS);
  expect(await put).toBe("UNAVAILABLE");
  expect(calls).toEqual(["PUT"]);
});

it("sends once more what a kept connection was closed upon", async () => {
  const { storage, calls } = await kept((response, call) => {
    if (call === 1) response.destroy();
    else response.setHeader("etag", '"e"').setHeader("content-length", "1").end();
  });
  expect((await storage.head(ref))?.etag).toBe("e");
  expect(calls).toEqual(["HEAD", "HEAD"]);
});

it("sends it on a new connection where the upstream has dropped all that were kept", async () => {
  const kept = new Set<unknown>();
  let dropping = false;
  let waiting: (() => void)[] = [];
  const options = await scripted(({ socket }, response) => {
    if (dropping && kept.has(socket)) return void socket.resetAndDestroy();
    kept.add(socket);
    response.setHeader("etag", '"e"').setHeader("content-length", "1");
    waiting.push(() => response.end());
    // So that each has a connection of its own.
    if (dropping || waiting.length === 3) for (const end of waiting.splice(0)) end();
  });
  const storage = opened(options);
  await Promise.all([1, 2, 3].map(() => storage.head(ref)));
  await setImmediate();
  dropping = true;
  waiting = [];
  expect((await storage.head(ref))?.etag).toBe("e");
  expect(kept.size).toBe(4);
});

it("is asked again what it has made of an upload when its first answer was lost", async () => {
  let completions = 0;
  const options = await scripted((request, response) => {
    request.resume().once("end", () => {
      const what = `${request.method} ${/[?&](uploads|uploadId)=/.exec(request.url ?? "")?.[1]}`;
      if (what === "POST uploads")
        response.end("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
      else if (what === "GET uploadId" && completions === 0)
        response.end(
          "<ListPartsResult><Part><PartNumber>1</PartNumber><ETag>e</ETag><Size>1</Size><LastModified/></Part></ListPartsResult>",
        );
      else if (what === "GET uploadId") response.writeHead(404).end("<Error><Code>NoSuchUpload</Code></Error>");
      else if (++completions === 1) response.destroy();
      else response.end("<CompleteMultipartUploadResult><ETag>e-1</ETag></CompleteMultipartUploadResult>");
    });
  });
  const storage = opened(options);
  const upload = await storage.createUpload(ref);
  const complete = () => storage.completeUpload(upload, [{ number: 1, etag: "e" }], { minPartSize: 1 });
  expect(await codeOf(complete())).toBe("UNAVAILABLE");
  expect((await complete()).etag).toBe("e-1");
});

it("treats a success before the end of the body as a failure", async () => {
  const options = await scripted((request, response) => {
    if (request.method === "PUT") response.writeHead(200, { etag: '"e"', "content-length": "0" }).end();
    else response.writeHead(200, { etag: '"e"', "content-length": String(MB) }).end();
  });
  const storage = opened(options);
  const pieces = chunks(...Array.from({ length: 16 }, () => Buffer.alloc(MB / 16)));
  expect(await codeOf(storage.put(ref, pieces, { contentLength: MB }))).toBe("UNAVAILABLE");
});

it.each<[string, (storage: Storage) => Promise<unknown>]>([
  ["an object", (storage) => storage.put(ref, chunks("x"))],
  ["a long object", (storage) => storage.put(ref, chunks(Buffer.alloc(MB)), { contentLength: MB })],
  ["a part", (storage) => storage.putPart({ ...ref, uploadId: "u" }, 1, chunks("x"))],
])(
  "takes no yes for %s that is stored where there is no ETag: a page of a proxy says yes to everything",
  async (_, call) => {
    const options = await scripted((request, response) => {
      const isList = request.url?.includes("uploadId=") === true && request.method === "GET";
      request.resume().once("end", () => response.end(isList ? "<ListPartsResult/>" : "<html>We will be back</html>"));
    });
    expect(await codeOf(call(opened(options)))).toBe("UNAVAILABLE");
  },
);

it.each<[string, (storage: Storage) => Promise<unknown>]>([
  ["a copied part", (storage) => storage.copyPart({ ...ref, uploadId: "u" }, 1, ref, { sourceEtag: "e" })],
  [
    "a completed upload",
    (storage) => storage.completeUpload({ ...ref, uploadId: "u" }, [{ number: 1, etag: "e" }], { minPartSize: 0 }),
  ],
])("takes no yes for %s whose ETag is empty", async (_, call) => {
  const options = await scripted((request, response) => {
    const root = { GET: "ListPartsResult", PUT: "CopyPartResult", POST: "CompleteMultipartUploadResult" };
    const name = root[request.method as keyof typeof root];
    request.resume().once("end", () => {
      if (request.method === "HEAD") response.writeHead(200, { etag: '"e"', "content-length": "1" }).end();
      else response.end(`<${name}>${request.method === "GET" ? "" : "<ETag></ETag>"}</${name}>`);
    });
  });
  expect(await codeOf(call(opened(options)))).toBe("UNAVAILABLE");
});

/** An unread answer occupies its connection, and the next call needs another one. */
it.each<[string, (storage: Storage) => Promise<unknown>]>([
  ["looked for a bucket", (storage) => storage.hasBucket("bucket")],
  ["looked for an object that is not there", (storage) => storage.head({ ...ref, key: "absent" })],
  ["opened one that is not there", (storage) => storage.get({ ...ref, key: "absent" })],
  ["looked at an object", (storage) => storage.head(ref)],
  ["opened one, and not read it", async (storage) => (await storage.get(ref))?.close()],
  ["stored one", (storage) => storage.put(ref, chunks("x"))],
  ["stored one on a condition", (storage) => storage.put(ref, chunks("x"), { ifNoneMatch: "*" })],
  ["replaced one", (storage) => storage.put(ref, chunks("x"), { ifMatch: "e" })],
  ["stored a long one", (storage) => storage.put(ref, chunks(Buffer.alloc(MB)), { contentLength: MB })],
  ["tagged one", (storage) => storage.setTags(ref, { a: "b" })],
  ["removed one", (storage) => storage.delete(ref)],
  ["removed one on a condition", (storage) => storage.delete(ref, { ifMatch: "e" })],
  ["stored a part", (storage) => storage.putPart({ ...ref, uploadId: "u" }, 1, chunks("x"))],
  ["aborted an upload", (storage) => storage.abortUpload({ ...ref, uploadId: "u" })],
  ["set rules", (storage) => storage.setCorsRules("bucket", [])],
  ["been refused", (storage) => storage.list("bucket", { prefix: "", limit: 1 })],
])("is let go of when a call has %s", async (_, call) => {
  const answers: IncomingMessage[] = [];
  const see = (message: unknown): void =>
    void answers.push((message as { readonly response: IncomingMessage }).response);
  subscribe("http.client.response.finish", see);
  onTestFinished(() => void unsubscribe("http.client.response.finish", see));
  const options = await scripted((request, response) => {
    const { method, url = "", headers } = request;
    const isCondition = headers["if-match"] !== undefined || headers["if-none-match"] !== undefined;
    const status = url.includes("absent") ? 404 : url.includes("list-type") ? 403 : 200;
    const probed = isCondition && url.includes(".daypass-probe") ? 412 : status;
    const text = url.includes("uploadId=") && method === "GET" ? "<ListPartsResult/>" : "x";
    request.resume().once("end", () => {
      response.writeHead(probed, { etag: '"e"', "content-length": String(text.length) });
      response.end(method === "HEAD" ? undefined : text);
    });
  });
  await codeOf(call(opened(options)));
  expect(answers.length).toBeGreaterThan(0);
  const held = () => answers.filter(({ readableEnded, destroyed }) => !readableEnded && !destroyed).length;
  await expect.poll(held).toBe(0);
});

it("reads more objects at once than any number of connections, each with its tags", async () => {
  const count = 300;
  const options = await scripted((request, response) => {
    if (request.url?.includes("tagging") === true)
      response.end("<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>");
    else response.writeHead(200, { etag: '"e"', "content-length": "1", "x-amz-tagging-count": "1" }).end("x");
  });
  const storage = opened({ ...options, timeouts: { answerMs: 5000 } });
  const reads = Array.from({ length: count }, async () => {
    const object = await storage.get(ref);
    // Each body waits until all have arrived, like the bodies of slow clients.
    return object;
  });
  const objects = await Promise.all(reads);
  expect(objects.filter((object) => object?.info.tags?.["a"] === "1").length).toBe(count);
  for (const object of objects) object?.close();
});

/** What a client gets of bytes 0 to 99 of 1000, on a connection that it wants to keep. */
async function partOf(answer: (response: ServerResponse) => void): Promise<{ text: string; closed: boolean }> {
  const gateway = await front(
    await scripted((request, response) => {
      if (request.method === "HEAD") response.writeHead(200, { etag: '"e"', "content-length": "1000" }).end();
      else answer(response);
    }),
  );
  const { url } = s3Signer(gateway.clients.daypass).sign({ ...ref, expiresIn: 60 });
  const socket = connect(gateway.port, "127.0.0.1").setEncoding("latin1");
  onTestFinished(() => void socket.destroy());
  let text = "";
  socket.on("data", (piece) => {
    text += piece;
  });
  socket.on("error", () => {});
  socket.write(
    `GET ${url.slice(gateway.url.length)} HTTP/1.1\r\nhost: 127.0.0.1:${gateway.port}\r\nrange: bytes=0-99\r\n\r\n`,
  );
  const closed = await Promise.race([
    once(socket, "close").then(() => true),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 3000)),
  ]);
  await expect.poll(() => gateway.events.length, { timeout: 5000 }).toBe(1);
  expect(gateway.events[0]).toMatchObject({ complete: false, error: { code: "UNAVAILABLE" } });
  return { text, closed };
}

it.each([
  ["fewer", 50],
  ["more", 150],
])("cuts the client's connection where a part has %s bytes than were asked for", async (_, length) => {
  const headers = { etag: '"e"', "content-length": length, "content-range": "bytes 0-99/1000" };
  const { text, closed } = await partOf((response) => response.writeHead(206, headers).end("x".repeat(length)));
  expect([closed, /x{100}/.test(text)]).toEqual([true, false]);
});

it("is not asked by strangers again and again for what it has just failed to tell", async () => {
  let calls = 0;
  let now = Date.now();
  const clock = () => new Date(now);
  const options = await scripted((_, response) => {
    calls += 1;
    response.writeHead(503).end();
  });
  // The rules of a bucket, and the names of all.
  for (const bucket of ["bucket", undefined]) {
    calls = 0;
    const gateway = await front({ ...options, bucket, clock });
    const preflight = async (path: string) => {
      const headers = { origin: "https://app.example.com", "access-control-request-method": "GET" };
      expect((await fetch(`${gateway.url}/${path}/a`, { method: "OPTIONS", headers })).status).toBe(403);
    };
    for (let i = 0; i < 5; i++) await preflight(bucket ?? `bucket-${i}`);
    expect(calls).toBe(1);
    now += 1000;
    await preflight("bucket");
    expect(calls).toBe(2);
  }
});
