import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chromiumReason, launchChromium, launchProfile } from "./chromium.ts";
import { linkBench } from "./link-bench.ts";
import { proxyTo, type TestProxy } from "./proxy.ts";

const bench = linkBench();
let browser: Browser;
let context: BrowserContext;
let page: Page;
let proxy: TestProxy;

beforeAll(async () => {
  if (chromiumReason === undefined) browser = await launchChromium();
});
afterAll(() => browser?.close());
afterEach(async () => {
  await context?.close();
  await proxy?.close();
});

const film = () => readFileSync(join(bench.folder, "root/media/film.mp4"));

async function counted(more: object = {}) {
  const { link, variant } = await bench.make({ maxDeliveries: 1, ...more });
  const used = async () => (await bench.links.state.getLink(link.id))?.variants[0]?.used;
  return { url: `${proxy.url}/l/${variant.id}`, used };
}

/** Presses, and returns the bytes that the browser stored. */
async function download(press: () => Promise<unknown>): Promise<Buffer> {
  const [started] = await Promise.all([page.waitForEvent("download"), press()]);
  return readFileSync(await started.path());
}

describe.skipIf(chromiumReason).each([
  ["with JavaScript", true],
  ["without JavaScript", false],
])(`Chromium %s${chromiumReason ?? ""}`, (_, javaScriptEnabled) => {
  beforeEach(async () => {
    // The browser compares the expiry of a cookie with its own clock.
    bench.now = Date.now();
    bench.write("film.mp4", "0123456789".repeat(300_000));
    proxy = await proxyTo(bench.url);
    context = await browser.newContext({ javaScriptEnabled, acceptDownloads: true });
    page = await context.newPage();
  });
  const button = () => page.getByRole("button", { name: "Download" });

  it("delivers by the button, and takes one delivery for a double click", async () => {
    const { url, used } = await counted();
    await page.goto(url);
    expect((await download(() => button().dblclick())).equals(film())).toBe(true);
    expect(await used()).toBe(1);
  });

  it("delivers again after a press, a reload and a step back, all as one delivery", async () => {
    const { url, used } = await counted();
    await page.goto(`${proxy.url}/l/AAAAAAAAAAAAAAAAAAAAAA`);
    await page.goto(url);
    expect((await download(() => button().click())).equals(film())).toBe(true);
    expect((await download(() => button().click())).equals(film())).toBe(true);
    await page.reload();
    const again = () => page.getByRole("link", { name: "Download" }).click();
    expect((await download(again)).equals(film())).toBe(true);
    await page.goBack();
    await page.goForward();
    expect((await download(again)).equals(film())).toBe(true);
    expect(await used()).toBe(1);
  });

  it("shows a second visitor that the link is used up, and what to do", async () => {
    const { url } = await counted();
    await page.goto(url);
    await download(() => button().click());
    const visitor = await (await browser.newContext({ javaScriptEnabled })).newPage();
    expect((await visitor.goto(url))?.status()).toBe(410);
    expect(await visitor.getByRole("heading").textContent()).toBe("This link is used up");
    await visitor.context().close();
  });

  it("resumes a download that was cut, by a range of the same delivery", async () => {
    const { url, used } = await counted();
    await page.goto(url);
    proxy.cutAfter = 1_000_000;
    expect((await download(() => button().click())).equals(film())).toBe(true);
    const parts = proxy.seen.filter(({ path }) => path.startsWith("/d/"));
    expect(parts.map(({ status }) => status)).toEqual([200, 206]);
    expect(parts[1]?.range).toMatch(/^bytes=\d+-/);
    expect(await used()).toBe(1);
  });

  it("asks for the password once, then delivers", async () => {
    const { url, used } = await counted({ password: "correct horse" });
    await page.goto(url);
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button").click();
    expect(await page.getByRole("alert").textContent()).toContain("This password is wrong");
    await page.getByLabel("Password").fill("correct horse");
    await page.getByRole("button").click();
    expect((await download(() => button().click())).equals(film())).toBe(true);
    expect(await used()).toBe(1);
  });

  it("opens a counted folder, what it lists, and its zip, as one visit", async () => {
    const { url, used } = await counted({ kind: "prefix", key: "holiday/" });
    await page.goto(url);
    await page.getByRole("button", { name: "Open" }).click();
    await page.locator("a.row", { hasText: "day 2" }).click();
    expect((await download(() => page.getByRole("link", { name: "Download b.txt" }).click())).toString()).toBe(
      "second",
    );
    await page.getByRole("link", { name: "Folder above" }).click();
    const zip = await download(() => page.getByRole("link", { name: "Download all as a zip" }).click());
    expect(zip.subarray(0, 2).toString()).toBe("PK");
    await page.reload();
    expect([await page.locator("a.row", { hasText: "day 2" }).count(), await used()]).toEqual([1, 1]);
  });
});

describe.skipIf(chromiumReason)(`the download manager of Chromium${chromiumReason ?? ""}`, () => {
  it("pauses a counted download and resumes it by a range of the same delivery, although the connection was cut", async () => {
    bench.write("film.mp4", "0123456789".repeat(300_000));
    proxy = await proxyTo(bench.url);
    // chrome://downloads shows the downloads of its profile only.
    context = await launchProfile(join(bench.folder, "profile"));
    page = await context.newPage();
    const { url, used } = await counted();
    let cut = (): void => undefined;
    proxy.cutWhen = new Promise((resolve) => {
      cut = resolve;
    });
    proxy.cutAfter = 1_000_000;
    await page.goto(url);
    const button = page.getByRole("button", { name: "Download" });
    const [download] = await Promise.all([page.waitForEvent("download"), button.click()]);

    const manager = await context.newPage();
    await manager.goto("chrome://downloads/");
    const press = async (name: string): Promise<void> => {
      await manager.locator("#more-actions").click();
      await manager.getByRole("menuitem", { name }).click();
    };
    const paused = manager.getByText("Paused");
    await press("Pause");
    await paused.waitFor();
    cut();
    await expect.poll(() => proxy.cutAfter).toBeUndefined();
    const parts = () => proxy.seen.filter(({ path }) => path.startsWith("/d/"));
    expect([parts().length, await paused.count()]).toEqual([1, 1]);
    await press("Resume");

    expect(readFileSync(await download.path()).equals(film())).toBe(true);
    expect(parts().map(({ status }) => status)).toEqual([200, 206]);
    expect(parts()[1]).toMatchObject({
      range: expect.stringMatching(/^bytes=[1-9]\d*-$/),
      ifRange: expect.stringMatching(/^"/),
    });
    expect(await used()).toBe(1);
  });
});

describe.skipIf(chromiumReason)(`the player of Chromium${chromiumReason ?? ""}`, () => {
  it("plays and seeks a recording by ranges, in the page of an uncounted link", async () => {
    proxy = await proxyTo(bench.url);
    context = await browser.newContext();
    page = await context.newPage();
    bench.write("silence.wav", wav(600).toString("latin1"));
    const { variant } = await bench.make({ key: "silence.wav", response: { contentType: "audio/wav" } });
    await page.goto(`${proxy.url}/l/${variant.id}`);
    const seeked = `new Promise((resolve, reject) => {
      const player = document.querySelector("audio");
      player.onerror = () => reject(new Error(player.error.message));
      const seek = () => { player.onseeked = () => resolve(player.currentTime); player.currentTime = 500; };
      player.readyState > 0 ? seek() : player.addEventListener("loadedmetadata", seek);
    })`;
    expect(await page.evaluate(seeked)).toBe(500);
    const ranges = proxy.seen.filter(({ range }) => range !== undefined);
    expect(new Set(ranges.map(({ status }) => status))).toEqual(new Set([206]));
    expect(ranges.some(({ range = "" }) => Number(/bytes=(\d+)/.exec(range)?.[1]) > 1_000_000)).toBe(true);
  });
});

/** A recording of silence: 8,000 samples a second, one byte each. */
function wav(seconds: number): Buffer {
  const bytes = seconds * 8000;
  const head = Buffer.alloc(44);
  head.write("RIFF");
  head.writeUInt32LE(36 + bytes, 4);
  head.write("WAVEfmt ", 8);
  for (const [at, value] of [
    [16, 16],
    [24, 8000],
    [28, 8000],
  ] as const)
    head.writeUInt32LE(value, at);
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 1],
    [34, 8],
  ] as const)
    head.writeUInt16LE(value, at);
  head.write("data", 36);
  head.writeUInt32LE(bytes, 40);
  return Buffer.concat([head, Buffer.alloc(bytes, 0x7f)]);
}
