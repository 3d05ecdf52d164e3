import { once } from "node:events";
import { type IncomingMessage, type OutgoingHttpHeaders, request } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { createGateway } from "../../src/index.ts";
import { s3 } from "../../src/storage/s3/index.ts";
import { upstreamGateway } from "../storage/gateway-upstream.ts";
import { adminCalls } from "./admin-calls.ts";
import { BROWSER, claimKeyIn, linkBench, URL_KEY } from "./link-bench.ts";

const KEY = "?dl=0123456789abcdef";
const MiB = 1024 * 1024;

describe.each([
  ["x-accel-redirect", "/daypass-files/"],
  ["x-sendfile", "/srv/files/"],
] as const)("a link that hands over by %s", (via, prefix) => {
  const bench = linkBench(undefined, undefined, { handOver: { via, prefix } });
  const name = via === "x-sendfile" ? "x-sendfile" : "x-accel-redirect";

  it("names the file to the front server, and sends no bytes", async () => {
    const { variant } = await bench.make({ handOver: true });
    const answer = await bench.get(`/l/${variant.id}`);
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      [name]: `${prefix}media/film.mp4`,
      "content-type": "video/mp4",
      "content-disposition": expect.stringContaining("attachment"),
      "cache-control": "no-store",
      "content-length": "0",
    });
  });

  it("writes a key as a path that the front server decodes once, and sends the bytes of a key that is no path", async () => {
    const { variant } = await bench.make({ kind: "prefix", key: "holiday/", handOver: true });
    const answer = await bench.get(`/l/${variant.id}/%3Cb%3E.txt`);
    expect(answer.headers.get(name)).toBe(`${prefix}media/holiday/%3Cb%3E.txt`);
    await bench.storage.put({ bucket: "media", key: "a/../b" }, stored("dots"));
    // No path can hold this key, so its file lies in the gateway's own folder.
    const dots = await bench.get(`/l/${(await bench.make({ key: "a/../b", handOver: true })).variant.id}`);
    expect([dots.headers.get(name), await dots.text()]).toEqual([null, "dots"]);
  });

  it("makes an attachment of what could run in a browser, even if the owner asks to show it", async () => {
    const response = { contentType: "text/html", contentDisposition: "inline" };
    const answer = await bench.get(`/l/${(await bench.make({ handOver: true, response })).variant.id}`);
    expect([answer.headers.get(name), answer.headers.get("content-disposition")]).toEqual([
      `${prefix}media/film.mp4`,
      "attachment",
    ]);
  });

  it("sends a compressed object itself, because the front server would drop its encoding", async () => {
    const headers = { contentEncoding: "gzip" };
    await bench.storage.put({ bucket: "media", key: "a.gz" }, stored("x"), { headers });
    const { variant } = await bench.make({ key: "a.gz", handOver: true });
    expect(await bytesOf(`${bench.url}/l/${variant.id}`)).toBe("x");
  });

  it("counts hand-overs, repeats one for the same claim, and refuses the next claim", async () => {
    const { link, variant } = await bench.make({ handOver: true, maxDeliveries: 1 });
    const path = `/l/${variant.id}`;
    const claim = claimKeyIn(await (await bench.get(path, { headers: BROWSER })).text());
    const location = (await bench.press(path, { claim })).headers.get("location") ?? "";
    expect(location).toMatch(/^\/d\//);
    const [first, part] = [await bench.get(location), await bench.get(location, { headers: { range: "bytes=10-" } })];
    // The front server cuts the range itself.
    expect([first.status, part.status, part.headers.has("content-range"), part.headers.get(name)]).toEqual([
      ...[200, 200, false],
      `${prefix}media/film.mp4`,
    ]);
    expect((await bench.get(path + KEY)).status).toBe(410);
    // The gateway does not know whether the bytes arrived, so no delivery is complete.
    const found = (await bench.links.state.getLink(link.id))?.variants[0];
    expect(found).toMatchObject({ used: 1, started: 1, completed: 0, held: 199_990 });
  });

  it("hands a delivery over only as often as its bytes could be sent twice", async () => {
    bench.write("film.mp4", "f".repeat(9 * MiB));
    const { variant } = await bench.make({ handOver: true, maxDeliveries: 1 });
    const statuses: number[] = [];
    for (let i = 0; i < 5; i += 1) statuses.push((await bench.get(`/l/${variant.id}${KEY}`)).status);
    expect(statuses).toEqual([200, 200, 200, 410, 410]);
  });

  it.each([
    ["a plain range", { range: "bytes=0-0" }, 1],
    ["a plain suffix", { range: "bytes=-5" }, 5],
    ["If-Range with the ETag of the gateway", { range: "bytes=0-0", "if-range": "ETAG" }, 100_000],
    ["If-Range with another ETag", { range: "bytes=0-0", "if-range": '"other"' }, 100_000],
    ["several ranges", { range: "bytes=0-0,2-2" }, 100_000],
    ["a range that ends before it begins", { range: "bytes=5-2" }, 100_000],
    ["another unit", { range: "lines=0-0" }, 100_000],
    ["a suffix after a space, which Apache ignores", { range: "bytes= -5" }, 100_000],
    ["a unit in capitals", { range: "BYTES=0-0" }, 100_000],
    ["an end beyond 64 bits, which Apache ignores", { range: "bytes=99999-99999999999999999999" }, 100_000],
    ["a range of a response that nginx may compress", { range: "bytes=0-0", "accept-encoding": "gzip" }, 100_000],
  ])("reserves what the front server may send for %s", async (_, headers, held) => {
    const { link, variant } = await bench.make({ handOver: true, maxDeliveries: 1 });
    const path = `/l/${variant.id}`;
    const etag = (await bench.get(path + KEY, { method: "HEAD" })).headers.get("etag") ?? "";
    const sent = Object.entries(headers).map(([name, value]) => [name, value === "ETAG" ? etag : value] as const);
    expect((await plain(`${bench.url}${path}${KEY}`, Object.fromEntries(sent))).statusCode).toBe(200);
    expect((await bench.links.state.getLink(link.id))?.variants[0]?.held).toBe(held);
  });

  it("answers HEAD, a condition that holds and a link that does not hand over by itself", async () => {
    const { variant } = await bench.make({ handOver: true });
    const head = await bench.get(`/l/${variant.id}`, { method: "HEAD" });
    expect([head.headers.get(name), head.headers.get("content-length")]).toEqual([null, "100000"]);
    const etag = head.headers.get("etag") ?? "";
    const known = await bench.get(`/l/${variant.id}`, { headers: { "if-none-match": etag } });
    expect([known.status, known.headers.get(name)]).toEqual([304, null]);
    const other = await bench.make();
    const bytes = await bench.get(`/l/${other.variant.id}`);
    expect([bytes.headers.get(name), (await bytes.text()).length]).toEqual([null, 100_000]);
  });

  it("refuses an expired, revoked or changed link before it names a file", async () => {
    const { link, variant } = await bench.make({ handOver: true });
    bench.write("film.mp4", "other");
    const changed = await bench.get(`/l/${variant.id}`);
    bench.links.apply([
      await bench.links.state.revoke({ id: "r", selector: { kind: "link", id: link.id } }, "operator"),
    ]);
    const revoked = await bench.get(`/l/${variant.id}`);
    bench.now += 8 * 24 * 3_600_000;
    const expired = await bench.get(`/l/${variant.id}`);
    for (const { status, headers } of [changed, revoked, expired])
      expect([status, headers.get(name)]).toEqual([410, null]);
  });

  it("refuses a limit of bytes beside it, also when the link is edited", async () => {
    await expect(bench.make({ handOver: true, maxBytes: 10 })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    const { link } = await bench.make({ handOver: true });
    const call = adminCalls(bench);
    const headers = { "if-match": "*" };
    const edited = await call(`/links/${link.id}`, { method: "PATCH", body: { maxBytes: 10 }, headers }, true);
    expect([edited.status, edited.body.code]).toEqual([400, "INVALID_INPUT"]);
    expect((await call(`/links/${link.id}`, {}, true)).body.handOver).toBe(true);
  });
});

describe("a link that hands over by redirect", () => {
  const bench = linkBench(undefined, undefined, {
    handOver: { via: "redirect" },
    async openStorage() {
      const upstream = await upstreamGateway({ files: { "media/film.mp4": "film" } });
      return s3({ ...upstream.clients.daypass, redirect: true });
    },
  });

  it("sends the client to the storage for at most a minute, and counts it", async () => {
    const { variant } = await bench.make({ handOver: true, maxDeliveries: 1 });
    const answer = await bench.get(`/l/${variant.id}${KEY}`);
    const location = new URL(answer.headers.get("location") ?? "none:");
    expect([answer.status, answer.headers.get("referrer-policy"), await answer.text()]).toEqual([
      307,
      "no-referrer",
      "",
    ]);
    expect(Number(location.searchParams.get("X-Amz-Expires"))).toBeLessThanOrEqual(60);
    expect(location.searchParams.get("response-content-disposition")).toContain("film.mp4");
    expect((await bench.get(`/l/${variant.id}?dl=another-key-0123456`)).status).toBe(410);
  });

  it("reserves the whole size for a range, because the URL of the storage opens everything", async () => {
    const { link, variant } = await bench.make({ handOver: true, maxDeliveries: 1 });
    const { statusCode } = await plain(`${bench.url}/l/${variant.id}${KEY}`, { range: "bytes=0-0" });
    expect([statusCode, (await bench.links.state.getLink(link.id))?.variants[0]?.held]).toEqual([307, 4]);
  });

  it("ends the URL of the storage with the link", async () => {
    const expiresAt = new Date(bench.now + 20_000);
    const { variant } = await bench.make({ handOver: true, expiresAt });
    const answer = await bench.get(`/l/${variant.id}`);
    const location = new URL(answer.headers.get("location") ?? "none:");
    expect(Number(location.searchParams.get("X-Amz-Expires"))).toBeLessThanOrEqual(20);
  });

  it("sends the bytes of a link that does not hand over itself", async () => {
    const { variant } = await bench.make({ maxDeliveries: 1 });
    const answer = await bench.get(`/l/${variant.id}${KEY}`);
    expect([answer.status, await answer.text()]).toEqual([200, "film"]);
  });
});

describe("a gateway that hands nothing over", () => {
  const bench = linkBench();

  it("refuses to make a link that does", async () => {
    await expect(bench.make({ handOver: true })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  it.each([
    { via: "x-accel-redirect", prefix: "files/" },
    { via: "x-accel-redirect", prefix: "/files" },
    { via: "x-sendfile", prefix: "/srv/\r\nX: y/" },
    { via: "redirect", prefix: "/files/" },
  ] as const)("refuses the setting %j", (handOver) => {
    const { storage, links } = bench;
    const options = { storage, origins: ["http://127.0.0.1:1"], keys: { url: [URL_KEY] } };
    expect(() => createGateway({ ...options, links: { links, handOver } })).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
  });
});

/** Without the headers and the decoder of `fetch`. */
async function plain(url: string, headers: OutgoingHttpHeaders = {}): Promise<IncomingMessage> {
  const [answer] = (await once(request(url, { headers }).end(), "response")) as [IncomingMessage];
  return answer;
}

async function bytesOf(url: string): Promise<string> {
  return text(await plain(url));
}

async function* stored(content: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content);
}
