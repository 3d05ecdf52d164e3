import * as presets from "daypass/presets";
import { s3Signer } from "daypass/s3";
import { expect, it } from "vitest";
import { s3 } from "../../src/storage/s3/index.ts";
import { chunks, codeOf, contents } from "../../src/testing/contract-tools.ts";
import { daypassUrl } from "../e2e/clients.ts";
import { errorOf, over, upstreamGateway } from "./gateway-upstream.ts";
import { driver, front, object, opened, ref, scripted, signed } from "./scripted-upstream.ts";

/** Where a reader is sent. */
async function locationOf(url: string): Promise<URL> {
  const answer = await fetch(url, { redirect: "manual" });
  return new URL(answer.headers.get("location") ?? "none:");
}

it("sends readers to the bucket with a URL of a minute that has the signed response headers", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/a.txt": "0123456789" } });
  const gateway = await front({ ...upstream.clients.daypass, redirect: true });
  const signer = s3Signer(gateway.clients.daypass);
  const response = { contentDisposition: 'attachment; filename="b.txt"', contentType: "text/plain" };
  const { url } = signer.sign({ bucket: "bucket", key: "a.txt", expiresIn: 600, response });
  const answer = await fetch(url, { redirect: "manual" });
  const location = answer.headers.get("location") ?? "";
  expect([answer.status, answer.headers.get("cache-control"), await answer.text()]).toEqual([307, "no-store", ""]);
  const told = ["referrer-policy", "content-length"].map((name) => answer.headers.get(name));
  expect(told).toEqual(["no-referrer", "0"]);
  expect(location.startsWith(`${upstream.url}/bucket/a.txt?`)).toBe(true);
  expect(Number(new URL(location).searchParams.get("X-Amz-Expires"))).toBeLessThanOrEqual(60);
  expect((await fetch(location, { method: "PUT", body: "x" })).status).toBe(403);
  const part = await fetch(url, { headers: { range: "bytes=2-4" } });
  expect([part.status, await part.text(), part.headers.get("content-type")]).toEqual([206, "234", "text/plain"]);
  expect(part.headers.get("content-disposition")).toBe('attachment; filename="b.txt"');
  // HEAD, a condition that holds and a missing object are answered here.
  const head = signer.sign({ method: "HEAD", bucket: "bucket", key: "a.txt", expiresIn: 60 });
  expect((await fetch(head.url, { method: "HEAD", redirect: "manual" })).headers.get("content-length")).toBe("10");
  const etag =
    answer.headers.get("etag") ?? `"${(await gateway.storage.head({ bucket: "bucket", key: "a.txt" }))?.etag}"`;
  expect((await fetch(url, { headers: { "if-none-match": etag }, redirect: "manual" })).status).toBe(304);
  const none = signer.sign({ bucket: "bucket", key: "none", expiresIn: 60 });
  expect((await fetch(none.url, { redirect: "manual" })).status).toBe(404);
});

it.each([
  ["", undefined],
  [", even if the URL asks to show it and the object says so", "attachment"],
])("sends readers of what could run in a browser to the bucket for a download only%s", async (_, disposition) => {
  const headers = {
    "content-type": "text/html",
    ...(disposition === undefined ? {} : { "content-disposition": disposition }),
  };
  const options = await scripted((_, response) => void object(response, 3).writeHead(200, headers).end());
  const gateway = await front({ ...options, redirect: true });
  const more = disposition === undefined ? {} : { response: { contentDisposition: "inline" } };
  for (const url of [signed(gateway, more), daypassUrl(gateway, "/bucket/a", more)]) {
    expect((await locationOf(url)).searchParams.get("response-content-disposition")).toBe("attachment");
  }
});

it("binds the judged type to a redirect, so a replaced object cannot become a page", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/a.png": "png", "bucket/b.html": "<p>" } });
  const gateway = await front({ ...upstream.clients.daypass, redirect: true });
  const signer = s3Signer(gateway.clients.daypass);
  const ref = (key: string) => ({ bucket: "bucket", key });
  await upstream.storage.put(ref("b.html"), chunks("<p>"), { headers: { contentDisposition: "attachment" } });
  for (const key of ["a.png", "b.html"]) {
    const { url } = signer.sign({ ...ref(key), expiresIn: 600 });
    const { searchParams: asked } = await locationOf(url);
    await upstream.storage.put(ref(key), chunks("<script>"), {
      contentType: "text/html",
      headers: { contentDisposition: "inline" },
    });
    const isShown = asked.get("response-content-type") === "image/png";
    expect([key, isShown || asked.get("response-content-disposition") === "attachment"]).toEqual([key, true]);
  }
});

it("limits a redirect to the lifetime of the grant, and serves URLs for an address itself", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/a.txt": "0123456789" } });
  const gateway = await front({ ...upstream.clients.daypass, redirect: true });
  const { url } = s3Signer(gateway.clients.daypass).sign({ bucket: "bucket", key: "a.txt", expiresIn: 20 });
  for (const short of [url, daypassUrl(gateway, "/bucket/a.txt", { expiresIn: 20 })]) {
    expect(Number((await locationOf(short)).searchParams.get("X-Amz-Expires"))).toBeLessThanOrEqual(20);
  }
  const bound = daypassUrl(gateway, "/bucket/a.txt", { bind: { ip: "127.0.0.1/32" } });
  const part = await fetch(bound, { redirect: "manual", headers: { range: "bytes=2-4" } });
  expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, "bytes 2-4/10", "234"]);
  const whole = await fetch(bound, { redirect: "manual" });
  expect([whole.status, await whole.text()]).toEqual([200, "0123456789"]);
});

it("answers here in the last second of a grant, for which there is no other URL", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/a.txt": "0123456789" } });
  const begin = Math.floor(Date.now() / 1000) * 1000;
  const end = begin + 60_000;
  let now = end - 1000;
  const gateway = await upstreamGateway({
    storage: (disk) => {
      void disk.close();
      return s3({ ...upstream.clients.daypass, redirect: true });
    },
    gateway: () => ({ clock: () => new Date(now) }),
  });
  const url = daypassUrl(gateway, "/bucket/a.txt", {}, () => new Date(begin));
  expect((await locationOf(url)).searchParams.get("X-Amz-Expires")).toBe("1");
  now = end - 999;
  const answer = await fetch(url, { redirect: "manual" });
  expect([answer.status, await answer.text()]).toEqual([200, "0123456789"]);
});

it("serves a signed range itself: a redirect would open the whole object", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/a.txt": "0123456789" } });
  const gateway = await front({ ...upstream.clients.daypass, redirect: true });
  const headers = { range: "bytes=2-4" };
  const bind = { headers };
  const { url } = s3Signer(gateway.clients.daypass).sign({ bucket: "bucket", key: "a.txt", expiresIn: 20, bind });
  for (const bound of [url, daypassUrl(gateway, "/bucket/a.txt", { bind })]) {
    const part = await fetch(bound, { redirect: "manual", headers });
    expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, "bytes 2-4/10", "234"]);
  }
});

it("refuses conditional writes where the upstream would overwrite in spite of them", async () => {
  const calls: string[] = [];
  const options = await scripted((request, response) => {
    calls.push(`${request.method} ${request.url?.split("?")[0]} ${request.headers["if-none-match"] ?? ""}`);
    request.resume().once("end", () => {
      if (request.method === "GET")
        response.end("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
      else object(response, 0).end();
    });
  });
  const storage = opened(options);
  const put = () => storage.put({ bucket: "bucket", key: "a" }, chunks("x"), { ifNoneMatch: "*" });
  const error = await errorOf(put());
  expect([error.code, error.message]).toEqual([
    "UNAVAILABLE",
    "could not put on a condition: the upstream does not keep if-none-match",
  ]);
  const tried = calls.length;
  expect(await codeOf(put())).toBe("UNAVAILABLE");
  // Tried once, on its own object that was removed.
  expect(calls.length).toBe(tried);
  expect(calls.map((call) => call.replace(/[0-9a-f-]{36}/, "<id>"))).toEqual([
    "PUT /bucket/.daypass-probe/<id> ",
    "PUT /bucket/.daypass-probe/<id> *",
    "DELETE /bucket/.daypass-probe/<id> ",
  ]);
});

it("tries each kind of condition once, and leaves nothing of it", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/a": "a" } });
  const storage = over(upstream);
  for (const key of ["b", "c"]) await storage.put({ bucket: "bucket", key }, chunks("x"), { ifNoneMatch: "*" });
  const probes = upstream.events.filter(({ url }) => url.includes("/.daypass-probe/"));
  expect(probes.length).toBe(3);
  const { entries } = await storage.list("bucket", { prefix: "", limit: 10 });
  expect(entries.map((entry) => (entry.kind === "object" ? entry.key : ""))).toEqual(["a", "b", "c"]);
});

it("takes every preset, spread in as it is", () => {
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
  const made = [
    presets.r2({ accountId: "0123456789abcdef0123456789abcdef" }),
    presets.b2({ region: "eu-central-003" }),
    presets.minio({ endpoint: "http://127.0.0.1:9000" }),
    presets.wasabi({ region: "eu-central-1" }),
  ];
  for (const preset of made) expect(() => s3({ ...preset, credentials, bucket: "media" })).not.toThrow();
});

it("uses credentials until they end, and then says that it cannot sign", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/a": "a" } });
  const { credentials } = upstream.clients.daypass;
  let expiration = new Date(Date.now() + 60_000);
  const storage = over(upstream, { credentials: () => ({ ...credentials, expiration }) });
  expect(await contents(storage, "bucket", "a")).toBe("a");
  expect((await storage.buckets()).map(({ name }) => name)).toContain("bucket");
  expiration = new Date(Date.now() - 1000);
  for (const call of [storage.head({ bucket: "bucket", key: "a" }), storage.buckets()]) {
    const { code, message } = await errorOf(call);
    expect([code, message]).toEqual([
      "UNAVAILABLE",
      expect.stringMatching(/the request cannot be signed \([A-Z_]+\)$/),
    ]);
  }
});

it.each([
  ["e-99999", "UNAVAILABLE"],
  ["e-10001", "UNAVAILABLE"],
  ["e", undefined],
])("an upstream is asked for no part of an object whose ETag %s names more than 10,000", async (etag, code) => {
  let looks = 0;
  const storage = await driver((request, response) => {
    if (request.url?.includes("partNumber")) looks += 1;
    object(response).setHeader("etag", `"${etag}"`).end();
  });
  expect([await codeOf(storage.head(ref, { parts: true })), looks]).toEqual([code, 0]);
});
