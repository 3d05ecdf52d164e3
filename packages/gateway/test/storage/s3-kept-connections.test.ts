/** Connections to an upstream that are kept and used again. */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { chunks, codeOf, contents } from "../../src/testing/contract-tools.ts";
import { over, upstreamGateway } from "./gateway-upstream.ts";
import { counted, driver, MB, object, part, ref, stopTimers } from "./scripted-upstream.ts";

const ANSWER_MS = 20_000;

/** Storage with a connection that is kept, over an upstream that answers nothing more once it stands. */
async function kept(fail: (response: ServerResponse, call: number) => void) {
  const sockets: Socket[] = [];
  const calls: string[] = [];
  let failing = false;
  const storage = await driver(
    (request, response) => {
      sockets.push(request.socket);
      if (failing) calls.push(request.method ?? "");
      request.resume().once("end", () => {
        if (failing) fail(response, calls.length);
        else object(response).end();
      });
    },
    { timeouts: { answerMs: ANSWER_MS } },
  );
  while (new Set(sockets).size === sockets.length) await storage.head(ref);
  await setImmediate();
  failing = true;
  return { storage, calls };
}

describe("a connection that is kept", () => {
  it("sends nothing twice to an upstream that is slow", async () => {
    // On a busy machine its time could be over while it still answers.
    stopTimers(["setTimeout", "clearTimeout"]);
    const { storage, calls } = await kept(() => {});
    const put = codeOf(storage.put(ref, chunks("x")));
    await expect.poll(() => calls).toEqual(["PUT"]);
    vi.advanceTimersByTime(ANSWER_MS);
    expect(await put).toBe("UNAVAILABLE");
    expect(calls).toEqual(["PUT"]);
  });

  it("sends once more what it was closed upon", async () => {
    const { storage, calls } = await kept((response, call) => {
      if (call === 1) response.destroy();
      else object(response).end();
    });
    expect((await storage.head(ref))?.etag).toBe("e");
    expect(calls).toEqual(["HEAD", "HEAD"]);
  });

  it("gives way to a new one where the upstream has dropped all that were kept", async () => {
    const sockets = new Set<unknown>();
    let dropping = false;
    let waiting: (() => void)[] = [];
    const storage = await driver(({ socket }, response) => {
      if (dropping && sockets.has(socket)) return void socket.resetAndDestroy();
      sockets.add(socket);
      object(response);
      waiting.push(() => response.end());
      // So that each has its own connection.
      if (dropping || waiting.length === 3) for (const end of waiting.splice(0)) end();
    });
    await Promise.all([1, 2, 3].map(() => storage.head(ref)));
    await setImmediate();
    dropping = true;
    waiting = [];
    expect((await storage.head(ref))?.etag).toBe("e");
    expect(sockets.size).toBe(4);
  });

  it.each([
    ["in ASCII", "a.pdf"],
    ["beyond it", "\xfc.pdf"],
  ])("has no half request on it after an early refusal, with headers %s", async (_, name) => {
    const upstream = await upstreamGateway({ files: { "bucket/a": "a" } });
    const storage = over(upstream, { bucket: { bucket: "bucket", gone: "gone" } });
    const long = counted(50);
    const headers = { contentDisposition: `attachment; filename="${name}"` };
    const put = storage.put({ bucket: "gone", key: "a" }, long, { contentLength: 50 * MB, headers });
    expect(await codeOf(put)).toBe("NO_SUCH_BUCKET");
    // The upstream said no before it asked for the body.
    expect(long.pulled).toBe(0);
    expect(await contents(storage, "bucket", "a")).toBe("a");
  });

  it("does not limit how many objects are read at once, each with its tags", async () => {
    const storage = await driver(
      (request, response) => {
        if (request.url?.includes("tagging"))
          response.end("<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>");
        else object(response).setHeader("x-amz-tagging-count", "1").end("x");
      },
      { timeouts: { answerMs: 60_000 } },
    );
    // Each body waits until all have arrived, like the bodies of slow clients.
    const objects = await Promise.all(Array.from({ length: 300 }, () => storage.get(ref)));
    expect(objects.filter((object) => object?.info.tags?.["a"] === "1").length).toBe(300);
    for (const object of objects) object?.close();
  });
});

it("is asked again what it has made of an upload when its first answer was lost", async () => {
  let completions = 0;
  const storage = await driver((request, response) => {
    request.resume().once("end", () => {
      const what = `${request.method} ${/[?&](uploads|uploadId)=/.exec(request.url ?? "")?.[1]}`;
      if (what === "POST uploads")
        response.end("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
      else if (what === "GET uploadId" && completions === 0) response.end(`<ListPartsResult>${part}</ListPartsResult>`);
      else if (what === "GET uploadId") response.writeHead(404).end("<Error><Code>NoSuchUpload</Code></Error>");
      else if (++completions === 1) response.destroy();
      else response.end("<CompleteMultipartUploadResult><ETag>e-1</ETag></CompleteMultipartUploadResult>");
    });
  });
  const begun = await storage.createUpload(ref);
  const complete = () => storage.completeUpload(begun, [{ number: 1, etag: "e" }], { minPartSize: 1 });
  expect(await codeOf(complete())).toBe("UNAVAILABLE");
  expect((await complete()).etag).toBe("e-1");
});
