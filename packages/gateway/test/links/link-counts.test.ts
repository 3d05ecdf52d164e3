/** What counts as "page opened" and "downloaded", by real requests; and that counts reach the state once, late, and without a request that waits. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingMessage, type RequestOptions, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type LinkCounts, linkCounts } from "../../src/links/link-counts.ts";
import { type CountBatch, connectState, type State, serveState, sqliteState } from "../../src/state/index.ts";
import { cameraFile } from "../camera-file.ts";
import { BROWSER, linkBench } from "./link-bench.ts";

const bench = linkBench();
const SECOND = 1000;
const FILM = 100_000;

/** Sends a request from one of the addresses of this machine: each counts as another network. */
async function send(path: string, { from = "127.0.0.1", ...more }: RequestOptions & { from?: string } = {}) {
  const sent = request(bench.url + path, { localAddress: from, agent: false, ...more }).end();
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  let bytes = 0;
  for await (const piece of answer) bytes += piece.length;
  return { status: answer.statusCode, bytes };
}

/** The counts of each variant after they were sent. */
async function counts(link: string) {
  await bench.links.counts.flush();
  const { variants = [] } = (await bench.links.state.getLink(link)) ?? {};
  return variants.map(({ opened = 0, downloaded = 0, lastOpened }) => [opened, downloaded, lastOpened]);
}

const actions = async (): Promise<readonly string[]> =>
  (await bench.links.state.auditRecords({ writer: "main", after: 0, limit: 1000 }))
    .map(({ record }) => JSON.parse(record))
    .map(({ action, result }) => `${action} ${result}`);

describe("page opened", () => {
  it("counts once for each network in ten minutes", async () => {
    const { variant } = await bench.make();
    const path = `/l/${variant.id}`;
    const begun = bench.now;
    for (const from of ["127.0.0.1", "127.0.0.1", "127.0.0.2"]) await send(path, { from, headers: BROWSER });
    expect(await counts(variant.link)).toEqual([[2, 0, begun]]);
    bench.now = begun + 600 * SECOND - 1;
    await send(path, { headers: BROWSER });
    expect(await counts(variant.link)).toEqual([[2, 0, bench.now]]);
    bench.now += 1;
    await send(path, { headers: BROWSER });
    expect(await counts(variant.link)).toEqual([[3, 0, bench.now]]);
  });

  it("counts every page of a link: of a file, a folder, a file of it, a counted folder and a set", async () => {
    const folder = { kind: "prefix", key: "holiday/" } as const;
    for (const [more, rest] of [
      [{}, ""],
      [{ maxDeliveries: 1 }, ""],
      [folder, "/"],
      [folder, "/day%202/b.txt"],
      [folder, "/?view=gallery"],
      [{ ...folder, maxDeliveries: 1 }, "/"],
      [{ kind: "set", key: "", targets: ["film.mp4", "holiday/"] } as const, "/"],
    ] as const) {
      const { variant } = await bench.make(more);
      expect((await send(`/l/${variant.id}${rest}`, { headers: BROWSER })).status).toBe(200);
      expect(await counts(variant.link)).toEqual([[1, 0, bench.now]]);
    }
  });

  it("counts for the recipient whose address it is", async () => {
    const { variant } = await bench.make({ recipients: ["Ann", "Ben"] });
    await send(`/l/${variant.id}`, { headers: BROWSER });
    expect(await counts(variant.link)).toEqual([
      [1, 0, bench.now],
      [0, 0, undefined],
    ]);
  });

  it("counts a page behind a password when the password was right", async () => {
    const { variant } = await bench.make({ password: "correct" });
    const path = `/l/${variant.id}`;
    expect((await send(path, { headers: BROWSER })).status).toBe(200);
    await bench.press(path, { password: "wrong" });
    expect(await counts(variant.link)).toEqual([[0, 0, undefined]]);
    expect((await bench.press(path, { password: "correct" })).status).toBe(200);
    expect(await counts(variant.link)).toEqual([[1, 0, bench.now]]);
  });

  it.each([
    ["HEAD", "", { method: "HEAD", headers: BROWSER }, 200],
    ["a page that the browser fetches ahead", "", { headers: { ...BROWSER, "sec-purpose": "prefetch" } }, 200],
    ["a refusal", "", { headers: BROWSER }, 410],
    ["a redirect to a folder", "", { headers: BROWSER }, 303],
  ] as const)("does not count %s", async (what, rest, options, status) => {
    const { variant } = await bench.make(what === "a redirect to a folder" ? { kind: "prefix", key: "holiday/" } : {});
    if (what === "a refusal") await bench.links.state.revokeLink(variant.link, "operator");
    expect((await send(`/l/${variant.id}${rest}`, options)).status).toBe(status);
    expect(await counts(variant.link)).toEqual([[0, 0, undefined]]);
  });

  it.each([
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "TelegramBot (like TwitterBot)",
    "WhatsApp/2.23.20.0",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "Synapse (bot; +https://github.com/matrix-org/synapse)",
  ])("counts nothing for the preview of a chat: %s", async (agent) => {
    const { variant } = await bench.make();
    expect((await send(`/l/${variant.id}`, { headers: { ...BROWSER, "user-agent": agent } })).status).toBe(200);
    expect(await counts(variant.link)).toEqual([[0, 0, undefined]]);
  });

  it("counts the page in the browser of a phone whose brand ends with bot", async () => {
    const { variant } = await bench.make();
    const agent = "Mozilla/5.0 (Linux; Android 13; CUBOT X50) AppleWebKit/537.36 Chrome/119.0 Mobile Safari/537.36";
    await send(`/l/${variant.id}`, { headers: { ...BROWSER, "user-agent": agent } });
    expect(await counts(variant.link)).toEqual([[1, 0, bench.now]]);
  });
});

describe("downloaded", () => {
  it("counts each GET of a file that was sent completely, by a program and by the button of the page", async () => {
    const { variant } = await bench.make();
    expect((await send(`/l/${variant.id}`)).bytes).toBe(FILM);
    expect((await send(`/l/${variant.id}?download`, { headers: BROWSER })).bytes).toBe(FILM);
    expect(await counts(variant.link)).toEqual([[0, 2, bench.now]]);
  });

  it.each([
    ["a file below a folder", "/day%202/b.txt"],
    ["the zip of a folder", "/?zip"],
  ])("counts %s for the link of the folder", async (_, rest) => {
    const { variant } = await bench.make({ kind: "prefix", key: "holiday/" });
    expect((await send(`/l/${variant.id}${rest}`)).status).toBe(200);
    expect(await counts(variant.link)).toEqual([[0, 1, bench.now]]);
  });

  it("counts a file and a zip of a counted folder during a visit", async () => {
    const { variant } = await bench.make({ kind: "prefix", key: "holiday/", maxDeliveries: 1 });
    const path = `/l/${variant.id}`;
    const opened = await bench.press(path, { claim: "claim-key-0123456789" });
    const headers = { cookie: opened.headers.get("set-cookie")?.split(";")[0] };
    for (const rest of ["/day%202/b.txt", "/?zip"]) expect((await send(path + rest, { headers })).status).toBe(200);
    expect(await counts(variant.link)).toEqual([[0, 2, bench.now]]);
  });

  it("leaves the completion of a counted delivery to the state, and knows when its holder was last there", async () => {
    const { variant } = await bench.make({ maxDeliveries: 1 });
    const path = `/l/${variant.id}?dl=0123456789abcdef`;
    expect((await send(path, { headers: { range: "bytes=0-9" } })).status).toBe(206);
    bench.now += SECOND;
    expect((await send(path, { headers: { range: "bytes=10-" } })).status).toBe(206);
    expect(await counts(variant.link)).toEqual([[0, 0, bench.now]]);
    expect((await bench.links.state.findLink(variant.id))?.variant.completed).toBe(1);
  });

  it("does not count a download that the client left in the middle", async () => {
    bench.write("film.mp4", Buffer.alloc(50_000_000));
    const { variant } = await bench.make();
    const sent = request(`${bench.url}/l/${variant.id}`, { agent: false }).end();
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    await once(answer, "data");
    answer.destroy();
    await expect.poll(() => bench.log.map((line) => JSON.parse(line).complete)).toEqual([false]);
    expect(await counts(variant.link)).toEqual([[0, 0, undefined]]);
    expect((await send(`/l/${variant.id}`)).bytes).toBe(50_000_000);
    expect(await counts(variant.link)).toEqual([[0, 1, bench.now]]);
  });

  it.each([
    ["HEAD", "a.jpg", { method: "HEAD" }, 200, []],
    ["a part", "a.jpg", { headers: { range: "bytes=0-9" } }, 206, ["link.read ok"]],
    ["a part that is the whole", "a.jpg", { headers: { range: "bytes=0-" } }, 206, ["link.read ok"]],
    ["a file fetched ahead", "a.jpg", { headers: { "sec-purpose": "prefetch;prerender" } }, 200, ["link.read ok"]],
    ["a file that the client has", "a.jpg", { headers: { "if-none-match": "*" } }, 304, ["link.read ok"]],
    ["the picture of a page", "a.jpg?view", {}, 200, []],
    ["a thumbnail", "a.jpg?thumb", {}, 200, []],
    ["the icon of a file", "b.txt?thumb", {}, 200, []],
  ] as const)("does not count %s", async (_, rest, options, status, audited) => {
    bench.write("album/a.jpg", cameraFile({ size: 20_000 }));
    bench.write("album/b.txt", "text");
    const { variant } = await bench.make({ kind: "prefix", key: "album/" });
    expect((await send(`/l/${variant.id}/${rest}`, options)).status).toBe(status);
    expect(await counts(variant.link)).toEqual([[0, 0, undefined]]);
    expect(await actions()).toEqual(["link.created ok", ...audited]);
  });

  it("counts and audits ?view of a file that no page shows", async () => {
    bench.write("album/a.zip", "zip");
    const { variant } = await bench.make({ kind: "prefix", key: "album/" });
    await send(`/l/${variant.id}/a.zip?view`);
    expect(await counts(variant.link)).toEqual([[0, 1, bench.now]]);
    expect(await actions()).toEqual(["link.created ok", "link.read ok"]);
  });
});

describe("the counts of a process", () => {
  /** A state over a socket, which can leave, and counts that go there. */
  async function remote(change: (state: State) => Partial<State> = () => ({})) {
    const folder = mkdtempSync(join(tmpdir(), "daypass-counts-"));
    const [path, socket] = [join(folder, "state.db"), join(folder, "sock")];
    const { link, variant } = await bench.make();
    const open = async (over: typeof change = () => ({})) => {
      const state = await sqliteState({ path, clock: bench.clock });
      return serveState({ ...state, ...over(state) }, socket);
    };
    let owner = await open(change);
    const state = connectState({ path: socket });
    onTestFinished(async () => {
      await state.close();
      await owner.close();
      rmSync(folder, { recursive: true });
    });
    await state.createLink(link, [variant]);
    const counts = linkCounts({ state, clock: bench.clock });
    return {
      state,
      counts,
      add: (kind: Parameters<LinkCounts["add"]>[0] = "downloaded", network = "a") =>
        counts.add(kind, variant.id, network),
      leave: () => owner.close(),
      async comeBack() {
        owner = await open();
        await expect.poll(() => state.isAvailable?.()).toBe(true);
      },
      async found() {
        const { opened = 0, downloaded = 0 } = (await state.findLink(variant.id))?.variant ?? {};
        return [opened, downloaded];
      },
    };
  }

  it("reach the state after three seconds by themselves", async () => {
    const { counts, add, found } = await remote();
    expect(await found()).toEqual([0, 0]);
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    add();
    await vi.advanceTimersByTimeAsync(2999);
    const early = vi.getTimerCount();
    await vi.advanceTimersByTimeAsync(1);
    vi.useRealTimers();
    await counts.flush();
    expect([early, await found()]).toEqual([1, [0, 1]]);
  });

  it("wait while the state is away, and arrive once afterwards", async () => {
    const { state, counts, add, leave, comeBack, found } = await remote();
    await leave();
    await expect.poll(() => state.isAvailable?.()).toBe(false);
    for (let at = 0; at < 3; at++) add();
    add("opened");
    const called = vi.spyOn(state, "addCounts");
    await counts.flush();
    expect(called.mock.calls).toEqual([]);
    await comeBack();
    await counts.flush();
    await counts.flush();
    expect(await found()).toEqual([1, 3]);
  });

  it("are added once if the state stored them and left before it answered", async () => {
    let isStored = (): void => undefined;
    const stored = new Promise<void>((resolve) => (isStored = resolve));
    const { counts, add, leave, comeBack, found } = await remote(({ addCounts }) => ({
      async addCounts(batch) {
        await addCounts(batch);
        isStored();
        await new Promise(() => undefined);
      },
    }));
    add();
    const flushed = counts.flush();
    await stored;
    await leave();
    await comeBack();
    await flushed;
    await counts.flush();
    expect(await found()).toEqual([0, 1]);
  });

  it("are sent again as the same batch for five minutes after a failure, and others are counted meanwhile", async () => {
    const batches: CountBatch[] = [];
    let fails = true;
    const addCounts = async (batch: CountBatch): Promise<void> => {
      batches.push(batch);
      if (fails) throw new Error("no answer");
    };
    const counts = linkCounts({ state: { addCounts }, clock: bench.clock });
    counts.add("downloaded", "v", "a");
    await counts.flush();
    counts.add("downloaded", "w", "a");
    bench.now += 300 * SECOND;
    await counts.flush();
    expect(batches.map(({ uses }) => uses.map(({ variant }) => variant))).toEqual([["v"], ["v"]]);
    expect(batches[1]?.id).toBe(batches[0]?.id);
    bench.now += 1;
    fails = false;
    await counts.flush();
    expect(batches.slice(2).map(({ uses }) => uses.map(({ variant }) => variant))).toEqual([["w"]]);
  });

  it("are bounded, and are sent in batches that delay no claim", async () => {
    const sizes: number[] = [];
    const addCounts = async ({ uses }: CountBatch): Promise<void> => void sizes.push(uses.length);
    const counts = linkCounts({ state: { addCounts }, clock: bench.clock });
    for (let at = 0; at < 20_000; at++) counts.add("opened", "v", `network ${at}`);
    await counts.flush();
    expect([Math.max(...sizes), sizes.reduce((sum, size) => sum + size, 0)]).toEqual([500, 10_000]);
  });

  it("delay no request while the state does not answer them", async () => {
    const { variant } = await bench.make();
    const { state } = bench.links;
    let answer = (): void => undefined;
    const held = linkCounts({
      state: {
        addCounts: (batch) => new Promise<void>((resolve) => (answer = resolve)).then(() => state.addCounts(batch)),
      },
      clock: bench.clock,
    });
    const { add } = bench.links.counts;
    Object.assign(bench.links.counts, held);
    onTestFinished(() => void Object.assign(bench.links.counts, { add }));
    expect((await send(`/l/${variant.id}`)).bytes).toBe(FILM);
    const flushed = held.flush();
    expect((await send(`/l/${variant.id}`)).bytes).toBe(FILM);
    expect((await state.findLink(variant.id))?.variant.downloaded).toBe(undefined);
    answer();
    await expect.poll(async () => (await state.findLink(variant.id))?.variant.downloaded).toBe(1);
    answer();
    await flushed;
    expect((await state.findLink(variant.id))?.variant.downloaded).toBe(2);
  });
});
