import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { passwordPage } from "../../src/pages/link-page.ts";
import { messagesFor } from "../../src/pages/messages.ts";
import { type PageProblem, problems, refusalPage } from "../../src/pages/refusal-page.ts";
import { axeFindings, chromiumReason, launchChromium, overflows, viewports } from "./chromium.ts";
import { BROWSER, linkBench } from "./link-bench.ts";

const bench = linkBench();
let browser: Browser;
beforeAll(async () => {
  if (chromiumReason === undefined) browser = await launchChromium();
});
afterAll(() => browser?.close());

/** Names that other pages were broken by. The last ones have 255 bytes, the most that a file system stores. */
const NAMES = {
  HTML: `<img src=x onerror=alert(1)>"'&amp;.txt`,
  "right-to-left text": "תמונה של החופשה \u202egnp.exe",
  "255 bytes without a space": `${"x".repeat(251)}.txt`,
  "255 bytes of Chinese": "假".repeat(85),
};
const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

/** A link for each page, by a name for the table. */
const LINKS: Readonly<Record<string, () => ReturnType<typeof bench.make>>> = {
  file: () =>
    bench.make({ label: "Holiday film", note: "Watch <b>this</b> first", response: { contentType: "video/mp4" } }),
  "counted file": () => bench.make({ maxDeliveries: 3 }),
  picture: () => bench.make({ key: "picture.png", response: { contentType: "image/png" } }),
  text: () => bench.make({ key: "holiday/<b>.txt", response: { contentType: "text/plain; charset=utf-8" } }),
  recording: () => bench.make({ response: { contentType: "audio/mpeg" } }),
  "file behind a password": () => bench.make({ password: "right" }),
  folder: () => bench.make({ kind: "prefix", key: "holiday/", note: "All days" }),
  "counted folder": () => bench.make({ kind: "prefix", key: "holiday/", maxDeliveries: 1 }),
  "empty folder": () => bench.make({ kind: "prefix", key: "nothing/" }),
};

/** Opens an address in every width, light and dark, with scripts and without, and checks what must hold for all pages. */
async function check(path: string, shows: (page: Page) => Promise<void> = async () => undefined): Promise<void> {
  for (const viewport of Object.values(viewports)) {
    for (const javaScriptEnabled of [true, false]) {
      const colorScheme = javaScriptEnabled ? "light" : "dark";
      const context = await browser.newContext({ viewport, javaScriptEnabled, colorScheme });
      const page = await context.newPage();
      const foreign: string[] = [];
      const faults: string[] = [];
      page.on("request", (request) => void (request.url().startsWith(bench.url) || foreign.push(request.url())));
      page.on("console", (message) => void (message.type() === "error" && faults.push(message.text())));
      page.on("dialog", (dialog) => void dialog.dismiss().finally(() => faults.push(dialog.message())));
      await page.goto(bench.url + path);
      expect(await page.getByRole("heading", { level: 1 }).count()).toBe(1);
      await shows(page);
      expect(await overflows(page)).toBe(false);
      // axe waits for timers, which do not run without scripts. The document is the same.
      if (javaScriptEnabled) expect(await axeFindings(page)).toEqual([]);
      expect([foreign, faults.filter((text) => !/status of 4\d\d|decode|media/i.test(text))]).toEqual([[], []]);
      await context.close();
    }
  }
}

async function expectSmall(path: string): Promise<void> {
  const answer = await bench.get(path, { headers: { ...BROWSER, "accept-encoding": "gzip" } });
  expect(answer.headers.get("content-encoding")).toBe("gzip");
  expect(Number(answer.headers.get("content-length"))).toBeLessThanOrEqual(14 * 1024);
}

describe.skipIf(chromiumReason)(`pages in Chromium${chromiumReason ?? ""}`, () => {
  beforeEach(() => {
    writeFileSync(join(bench.folder, "root/media/picture.png"), PICTURE);
    mkdirSync(join(bench.folder, "root/media/nothing"));
  });

  it.each(Object.keys(LINKS))(
    "the page of a %s fits every width, satisfies axe and stays below 14 KB",
    async (name) => {
      const { variant, link } = (await LINKS[name]?.()) ?? (await bench.make());
      const path = `/l/${variant.id}${link.kind === "prefix" ? "/" : ""}`;
      await expectSmall(path);
      await check(path);
    },
  );

  it.each(Object.entries(NAMES))("a name with %s is shown as it is, and what it names opens", async (_, name) => {
    writeFileSync(join(bench.folder, "root/media/holiday", name), "named");
    const folder = await bench.make({ kind: "prefix", key: "holiday/" });
    const file = await bench.make({ key: `holiday/${name}`, label: name, maxDeliveries: 1 });
    await check(`/l/${folder.variant.id}/`, async (page) => {
      const link = page.getByRole("link", { name, exact: true });
      expect(await link.count()).toBe(1);
      const address = new URL((await link.getAttribute("href")) ?? "", bench.url).href;
      expect(await (await fetch(address)).text()).toBe("named");
    });
    await check(`/l/${file.variant.id}`, async (page) => {
      expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe(name);
    });
    await expectSmall(`/l/${file.variant.id}`);
  });

  it("a folder of 10,000 entries is sorted as a whole, shows its rows page by page, and each page is small", async () => {
    const big = join(bench.folder, "root/media/big");
    mkdirSync(big);
    for (let at = 0; at < 10_000; at++)
      writeFileSync(join(big, `file ${String(at).padStart(5, "0")}.txt`), "x".repeat(at % 7));
    const { variant } = await bench.make({ kind: "prefix", key: "big/" });
    const path = `/l/${variant.id}/`;
    for (const query of ["", "?sort=size&order=desc", "?sort=name&from=9900"]) await expectSmall(path + query);
    await check(`${path}?sort=name&order=desc`, async (page) => {
      expect(await page.getByRole("row").nth(1).textContent()).toContain("file 09999.txt");
      await page.getByRole("link", { name: "Next entries" }).click();
      expect(await page.getByRole("row").nth(1).textContent()).toContain("file 09799.txt");
    });
  });

  it.each(["en", "de"])("every refusal and the password page satisfy axe in every width (%s)", async (language) => {
    const messages = messagesFor(language);
    const texts = (Object.keys(problems) as PageProblem[]).map((problem) =>
      refusalPage(messages, problem, new Date(0)),
    );
    texts.push(
      passwordPage(messages, { path: "/l/x", isWrong: false }),
      passwordPage(messages, { path: "/l/x", isWrong: true }),
    );
    for (const viewport of Object.values(viewports)) {
      const page = await browser.newPage({ viewport });
      for (const text of texts) {
        expect(gzipSync(text).length).toBeLessThanOrEqual(14 * 1024);
        await page.setContent(text);
        expect([await axeFindings(page), await overflows(page)]).toEqual([[], false]);
      }
      await page.close();
    }
  });
});
