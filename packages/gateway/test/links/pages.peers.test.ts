import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { passwordPage } from "../../src/pages/link-page.ts";
import { messagesFor } from "../../src/pages/messages/index.ts";
import type { Messages, PageProblem, RefusedUrl } from "../../src/pages/messages/types.ts";
import { problems, refusalPage } from "../../src/pages/refusal-page.ts";
import { refusedUrlPage } from "../../src/pages/refused-url-page.ts";
import { cameraFile, LAKE } from "../camera-file.ts";
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

  it("a gallery fits every width, satisfies axe, and shows what `?thumb` answers, turned as the camera says", async () => {
    bench.write("album/lake.jpg", LAKE);
    bench.write("album/turned.jpg", cameraFile({ thumbnail: LAKE, orientation: 6, size: 600_000 }));
    bench.write("album/large.jpg", cameraFile({ size: 600_000 }));
    bench.write("album/<b>.txt", "text");
    for (const name of Object.values(NAMES)) bench.write(`album/${name}/a.txt`, "a");
    const { variant } = await bench.make({ kind: "prefix", key: "album/" });
    const path = `/l/${variant.id}/?view=gallery`;
    await expectSmall(path);
    await check(path, async (page) => {
      await page.locator(".gal").scrollIntoViewIfNeeded();
      const images = page.locator(".gal img");
      expect(await images.count()).toBe(3);
      for (const image of await images.all()) await image.scrollIntoViewIfNeeded();
      await page.waitForLoadState("networkidle");
      // Without scripts in the page, the debugger still evaluates.
      const shown = await images.evaluateAll(
        (all) => all.map((one) => [one.naturalWidth, one.naturalHeight]) as unknown,
      );
      expect(shown).toEqual([
        [720, 480],
        [300, 150],
        [480, 720],
      ]);
    });
    await check(path.replace("?view=gallery", "turned.jpg"));
    // No box moves when its picture arrives, though thumbnails and icons have other proportions than their pictures.
    const boxes: unknown[] = [];
    for (const isEmpty of [true, false]) {
      const page = await browser.newPage({ viewport: viewports.phone });
      if (isEmpty) await page.route("**/*?thumb", (route) => route.abort());
      await page.goto(bench.url + path, { waitUntil: "networkidle" });
      boxes.push(await Promise.all((await page.locator(".gal img").all()).map((image) => image.boundingBox())));
      await page.close();
    }
    expect(boxes[1]).toEqual(boxes[0]);
  });

  it.each(Object.entries(NAMES))("a name with %s is shown as it is, and what it names opens", async (_, name) => {
    writeFileSync(join(bench.folder, "root/media/holiday", name), "named");
    const folder = await bench.make({ kind: "prefix", key: "holiday/" });
    const file = await bench.make({ key: `holiday/${name}`, label: name, maxDeliveries: 1 });
    await check(`/l/${folder.variant.id}/`, async (page) => {
      const link = page.locator("a.row").filter({ has: page.locator("bdi").getByText(name, { exact: true }) });
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
      expect(await page.getByRole("row").nth(1).textContent()).toContain("file 09849.txt");
    });
  });

  it.each(["en", "de", "fr", "es", "right to left"])(
    "every refusal and the password page satisfy axe in every width (%s)",
    async (language) => {
      const english = messagesFor("en");
      const messages: Messages =
        language === "right to left" ? { ...english, language: "ar", direction: "rtl" } : messagesFor(language);
      const place = { host: "files.example", requestId: "7f3a90c2" };
      const [now, opensAt] = [new Date(0), new Date(0)];
      const known = {
        expiredAt: now,
        sharedBy: "Mara Lindqvist",
        deliveries: { max: 3, areVisits: false },
        bytes: { sent: 19e9, max: 20e9 },
        address: `files.example/l/${"x".repeat(100)}`,
        path: "/l/x",
      };
      const texts = [
        ...(Object.keys(problems) as PageProblem[]).map((problem) =>
          refusalPage(messages, { ...place, ...known, problem, now, opensAt }),
        ),
        ...(Object.keys(english.refusals) as RefusedUrl[]).map((why) =>
          refusedUrlPage(messages, { ...place, why, error: "403 AccessDenied", expiredAt: now }),
        ),
        ...[false, true].map((isWrong) => passwordPage(messages, { path: "/l/x", host: place.host, isWrong })),
      ];
      for (const viewport of Object.values(viewports)) {
        const page = await browser.newPage({ viewport });
        for (const text of texts) {
          expect(gzipSync(text).length).toBeLessThanOrEqual(14 * 1024);
          await page.setContent(text);
          expect([await axeFindings(page), await overflows(page)]).toEqual([[], false]);
        }
        await page.close();
      }
    },
    60_000,
  );
});
