import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { expect, it, vi } from "vitest";
import type { LinkRefused } from "../../src/links/open-link.ts";
import { passwords } from "../../src/links/password.ts";
import type { OperationContext } from "../../src/operations/operation-context.ts";
import { zipTargets } from "../../src/operations/zip-targets.ts";
import type { PermittedPrefix } from "../../src/permit.ts";
import type { Variant } from "../../src/state/contract/state.ts";
import { BROWSER, claimKeyIn, linkBench } from "./link-bench.ts";

const bench = linkBench();
/** What each record of a zip's central directory begins with. */
const CENTRAL = new RegExp(`PK${String.fromCharCode(1, 2)}`, "g");

it("wrong passwords from many networks delay others, and never lock them out", async () => {
  const { link, variant } = await bench.make({ password: "right" });
  const open = (at: number, password: string) =>
    bench.links.opener
      .open(variant.id, { network: `192.0.2.${at}`, remoteAddress: `192.0.2.${at}`, password })
      .then(() => "open")
      .catch((error: LinkRefused) => error.problem);
  for (let at = 0; at < 11; at++) {
    await bench.links.state.recordFailure({ address: `192.0.2.${at}`, link: link.id, windowMs: 600_000, most: 10 });
  }
  const before = bench.now;
  expect(await open(100, "right")).toBe("open");
  expect(bench.now - before).toBeGreaterThanOrEqual(1000);
  expect(bench.now - before).toBeLessThanOrEqual(30_000);
});

it("passwords that are tried at once leave the threads that read files free", async () => {
  const hashing = passwords();
  const hash = await hashing.hash("right", "operator");
  const order: string[] = [];
  const guesses = Array.from({ length: 3 }, async () => {
    await hashing.matches("wrong", hash, { link: "l", client: "c" });
    order.push("hash");
  });
  await readFile(import.meta.filename);
  order.push("read");
  await Promise.all(guesses);
  expect(order[0]).toBe("read");
});

it("the token of a delivery can be shared, up to twice the size of its object and 16 MiB", async () => {
  bench.write("film.mp4", "f".repeat(8 * 1024 * 1024));
  const { variant } = await bench.make({ maxDeliveries: 1 });
  const claim = claimKeyIn(await (await bench.get(`/l/${variant.id}`, { headers: BROWSER })).text());
  const token = (await bench.press(`/l/${variant.id}`, { claim })).headers.get("location") ?? "";
  const statuses: number[] = [];
  for (let at = 0; at < 5; at++) {
    const answer = await bench.get(token);
    await answer.arrayBuffer();
    statuses.push(answer.status);
  }
  expect(statuses).toEqual([200, 200, 200, 200, 410]);
});

it("maxBytes stops a shared link before the response that does not fit, and never cuts one", async () => {
  const { variant } = await bench.make({ maxBytes: 150_000 });
  const sizes: [number, number][] = [];
  for (const key of ["first-key-0123456789", "second-key-012345678"]) {
    const answer = await bench.get(`/l/${variant.id}?dl=${key}`);
    sizes.push([answer.status, (await answer.arrayBuffer()).byteLength]);
  }
  expect(sizes[0]).toEqual([200, 100_000]);
  expect(sizes[1]?.[0]).toBe(410);
});

/** The names in the zip of the objects with these keys. */
async function namesInZip(keys: readonly string[]): Promise<readonly string[]> {
  const info = { etag: "e", size: 1, lastModified: new Date(0), contentType: "text/plain" };
  const storage = {
    list: async () => ({
      entries: keys.map((key) => ({ kind: "object", key: `p/${key}`, ...info })),
      truncated: false,
    }),
    get: async () => ({ info, body: () => ({ kind: "bytes", bytes: Buffer.from("x") }) }),
  };
  const permitted = { bucket: "b", prefix: "p/", revokedAt: () => undefined } as Partial<PermittedPrefix>;
  const target = { keys: permitted as PermittedPrefix, isRevoked: () => false };
  const targets = [{ name: "", target, pin: undefined }];
  const request = { targets, record: "b/p/", variant: {} as Variant, token: undefined };
  const { stream } = await zipTargets({ operation: "zip-targets", ...request }, {
    storage,
  } as unknown as OperationContext);
  const zip = (await buffer(stream)).toString("latin1");
  // A record of the central directory: 46 bytes of numbers, then the name.
  return [...zip.matchAll(CENTRAL)].map(({ index }) => zip.slice(index + 46, index + 46 + zip.charCodeAt(index + 28)));
}

it("a zip names no entry outside of its folder when keys hold dot segments, slashes or backslashes", async () => {
  const keys = ["../../etc/passwd", "/root/.ssh/config", "a/../../b", "C:\\windows\\x", "./c", "\u0000d", "plain.txt"];
  expect(await namesInZip(keys)).toEqual([
    ...["%2E%2E/%2E%2E/etc/passwd", "%2F/root/.ssh/config", "a/%2E%2E/%2E%2E/b", "C%3A%5Cwindows%5Cx", "%2E/c"],
    ...["%00d", "plain.txt"],
  ]);
});

it("a zip has another name for each key, also for keys that differ in characters that a name cannot hold", async () => {
  const keys = [
    "a:b",
    "a_b",
    "a\\b",
    "a%3Ab",
    "a%3ab",
    "a\u007fb",
    "../x",
    "_/x",
    "./x",
    "%2E/x",
    "a//b",
    "a/_/b",
    "a/%2F/b",
  ];
  const names = await namesInZip(keys);
  expect([names.length, new Set(names).size]).toEqual([keys.length, keys.length]);
});

it("a started delivery of an expired link is not kept alive by one byte each 50 minutes", async () => {
  const { variant } = await bench.make({ maxDeliveries: 1, expiresAt: new Date(bench.now + 1000) });
  const get = async (range: string) => {
    const answer = await bench.get(`/l/${variant.id}?dl=0123456789abcdef`, { headers: { range } });
    await answer.arrayBuffer();
    return answer.status;
  };
  const statuses: number[] = [];
  for (let at = 0; at < 4; at += 1) {
    statuses.push(await get("bytes=0-0"));
    // The end of a response is reported after its last byte.
    await expect
      .poll(async () => (await bench.links.state.getLink(variant.link))?.variants[0]?.held)
      .toBe(Math.min(at + 1, 2));
    bench.now += 50 * 60_000;
    await bench.links.catchUp();
  }
  expect(statuses).toEqual([206, 206, 410, 410]);
});

it("a transfer of an expired link is cut a day after the expiry, also if bytes still move", async () => {
  const { variant } = await bench.make({ maxDeliveries: 1, expiresAt: new Date(bench.now + 1000) });
  const { host } = new URL(bench.url);
  const target = `/l/${variant.id}?dl=0123456789abcdef`;
  const request = { method: "GET", target, authority: host, headers: [["host", host]] as const };
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const outcome = await bench.gateway.handle(request, (async function* () {})());
    if (outcome.body?.kind === "file") outcome.body.close();
    const cut = vi.fn();
    outcome.onRunning?.(cut);
    for (let hours = 0; hours < 24; hours += 0.5) {
      expect([hours, cut.mock.calls.length]).toEqual([hours, 0]);
      bench.now += 30 * 60_000;
      await bench.links.catchUp();
      vi.advanceTimersByTime(60_000);
      await bench.links.state.getLink(variant.link);
    }
    bench.now += 1000;
    vi.advanceTimersByTime(60_000);
    await vi.waitFor(() => expect(cut).toHaveBeenCalled());
    outcome.delivered(10, false);
  } finally {
    vi.useRealTimers();
  }
});
