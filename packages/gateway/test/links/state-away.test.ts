import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { urlSigner } from "daypass/url";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createGateway, type Gateway } from "../../src/index.ts";
import { type Links, openLinks } from "../../src/links/links.ts";
import { connectState, type State, serveState, sqliteState } from "../../src/state/index.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { URL_KEY } from "./link-bench.ts";

const HOST = "127.0.0.1:8080";
let folder: string;
let now: number;
/** Milliseconds that have passed, whatever happened to the clock. */
let elapsed: number;
let owner: Awaited<ReturnType<typeof serveState>>;
let gateway: Gateway;
let links: Links;
let remote: State;
/** The methods of the state that were called. */
let calls: string[];

const clock = (): Date => new Date(now);
const serve = async () =>
  serveState(await sqliteState({ path: join(folder, "state.db"), clock }), join(folder, "sock"));

beforeEach(async () => {
  now = Date.parse("2026-12-01T12:00:00Z");
  elapsed = 0;
  folder = mkdtempSync(join(tmpdir(), "daypass-away-"));
  mkdirSync(join(folder, "root/media"), { recursive: true });
  writeFileSync(join(folder, "root/media/a.txt"), "first");
  owner = await serve();
  remote = connectState({ path: join(folder, "sock") });
  calls = [];
  const state = new Proxy(remote, {
    get(target, name: keyof State) {
      if (name !== "isAvailable" && name !== "isFull") calls.push(name);
      return target[name];
    },
  });
  links = await openLinks({ state, clock, monotonic: () => elapsed });
  const storage = await disk({ root: join(folder, "root") });
  gateway = createGateway({ storage, origins: [`http://${HOST}`], keys: { url: [URL_KEY] }, links: { links }, clock });
});
afterEach(async () => {
  vi.useRealTimers();
  await owner.close();
  await remote.close();
  await gateway.close();
  rmSync(folder, { recursive: true });
});

async function get(target: string) {
  const request = { method: "GET", target, authority: HOST, headers: [["host", HOST]] as const };
  const outcome = await gateway.handle(request, (async function* () {})());
  const { status, headers, body } = outcome;
  outcome.delivered(0, true);
  if (body?.kind === "file") body.close();
  const text = body?.kind === "bytes" ? Buffer.from(body.bytes).toString() : undefined;
  return { status, retryAfter: headers[headers.indexOf("retry-after") + 1], text };
}

const signed = () =>
  urlSigner({ key: URL_KEY, clock }).sign({ url: `http://${HOST}/media/a.txt`, methods: ["GET"], expiresIn: 3600 });

it("serves a signed URL without a call to the state, and counts nothing", async () => {
  calls.length = 0;
  const add = vi.spyOn(links.counts, "add");
  expect((await get(new URL(signed().url).pathname + new URL(signed().url).search)).status).toBe(200);
  await links.counts.flush();
  expect([calls, add.mock.calls]).toEqual([[], []]);
});

it("reports links as not ready in every process while the disk of the state is full", async () => {
  await owner.close();
  let isFull = true;
  const full: State = { ...(await sqliteState({ path: ":memory:", clock })), isFull: () => isFull };
  owner = await serveState(full, join(folder, "sock"));
  const ready = async () => [(await get("/-/readyz")).text, (await get("/-/readyz?links")).text];
  await remote.listTokens();
  expect(await ready()).toEqual(["degraded\n", "state full: at most revocations are stored\n"]);
  isFull = false;
  await remote.listTokens();
  expect(await ready()).toEqual(["ready\n", "ready\n"]);
});

it("serves a signed URL after the clock was set five minutes ahead", async () => {
  const { pathname, search } = new URL(signed().url);
  now += 5 * 60_000 + 1;
  expect([(await get(pathname + search)).status, (await get("/-/readyz")).status]).toEqual([200, 200]);
});

it("reports a gateway without its state as degraded, serves signed URLs, and answers links with 503 until the state returns", async () => {
  const { pathname, search } = new URL(signed().url);
  const link = "/l/AAAAAAAAAAAAAAAAAAAAAA";
  expect([(await get("/-/readyz")).text, (await get("/-/readyz?links")).status]).toEqual(["ready\n", 200]);
  await owner.close();
  await expect.poll(async () => (await get("/-/readyz")).text).toBe("degraded\n");
  expect(await get("/-/readyz?links")).toMatchObject({ status: 503, text: "state unavailable\n" });
  expect((await get(pathname + search)).status).toBe(200);
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  const away = get(link);
  await vi.advanceTimersByTimeAsync(5000);
  expect(await away).toMatchObject({ status: 503, retryAfter: "5" });
  // Its list of revocations may be five minutes old.
  elapsed += 5 * 60_000 + 1;
  expect(await get("/-/readyz")).toMatchObject({ status: 503, text: "revocations outdated\n" });
  expect((await get(pathname + search)).status).toBe(503);
  owner = await serve();
  const returns = async () => (await vi.advanceTimersByTimeAsync(50)) && remote.isAvailable?.();
  await expect.poll(returns).toBe(true);
  await links.catchUp();
  expect([(await get("/-/readyz?links")).status, (await get(link)).status]).toEqual([200, 404]);
});
