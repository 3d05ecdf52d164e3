import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { axeFindings, chromiumReason, launchChromium, overflows } from "../../gateway/test/links/chromium.ts";
import { consoleOver } from "./console-served.ts";

let browser: Browser;
beforeAll(async () => {
  if (chromiumReason === undefined) browser = await launchChromium();
});
afterAll(() => browser?.close());

/** A page whose faults and foreign requests a test can read. */
async function opened(origin: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => void (message.type() === "error" && faults.push(message.text())));
  page.on("pageerror", (error) => void faults.push(error.message));
  page.on("request", (request) => void (request.url().startsWith(origin) || faults.push(request.url())));
  return { context, page, faults };
}

const grid = (page: Page) => page.getByRole("grid");

/** Opens the console, and the bucket with the files. */
async function enter(page: Page, ticket: string): Promise<void> {
  await page.goto(ticket);
  await page.getByRole("link", { name: "media" }).click();
  await grid(page).waitFor();
}

describe.skipIf(chromiumReason)(`the console in Chromium${chromiumReason ?? ""}`, () => {
  it("shares a folder by keyboard alone, and shows and ends the link", async () => {
    const { origin, ticket } = await consoleOver(3);
    const { context, page, faults } = await opened(origin);
    await enter(page, await ticket());
    expect(page.url()).toBe(`${origin}/ui/#/files/media/`);
    await grid(page).locator("tr[tabindex='0']").focus();
    await page.keyboard.press("s");
    await page.getByLabel("For").fill("Ann\nBob");
    expect(await axeFindings(page)).toEqual([]);
    await page.getByLabel("For").press("Tab");
    await page.keyboard.press("Control+Enter");
    await page.getByRole("button", { name: "Create the link" }).press("Enter");
    const addresses = page.getByRole("dialog").locator("code");
    await expect.poll(() => addresses.count()).toBe(2);
    const address = (await addresses.first().textContent()) ?? "";
    expect((await fetch(`${address}/`)).status).toBe(200);
    await page.keyboard.press("Escape");
    expect(await page.evaluate("document.activeElement.dataset.row")).toBe("0");
    await page.goto(`${origin}/ui/#/links`);
    await expect.poll(() => grid(page).getByText("Ann, Bob").count()).toBe(1);
    await page.getByRole("button", { name: "Revoke album" }).press("Enter");
    await page.getByRole("button", { name: "Revoke", exact: true }).press("Enter");
    await expect.poll(() => grid(page).getByText("Revoked").count()).toBe(1);
    expect((await fetch(`${address}/`)).status).toBe(410);
    expect(faults).toEqual([]);
    await context.close();
  });

  it("shows a hostile name as text, and only the rows in sight of thousands of files", async () => {
    const { origin, ticket } = await consoleOver(2500);
    const { context, page, faults } = await opened(origin);
    await enter(page, await ticket());
    await page.getByRole("link", { name: "album" }).click();
    await grid(page).getByText("<img src=x onerror=alert(1)>.txt").waitFor();
    await page.goto(`${origin}/ui/#/files/media/`);
    await grid(page).getByText("file-00000.txt").waitFor();
    await grid(page).locator("tr[tabindex='0']").focus();
    // The API sends a thousand at a time; the head is a row, too.
    for (const rows of ["1001", "2001", "2502"]) {
      await expect.poll(() => grid(page).getAttribute("aria-rowcount")).toBe(rows);
      await page.keyboard.press("End");
    }
    await expect.poll(() => grid(page).getByText("file-02499.txt").count()).toBe(1);
    expect(await grid(page).locator("tr[data-row]").count()).toBeLessThan(80);
    await page.keyboard.press("/");
    await page.keyboard.type("file-0012");
    await expect.poll(() => grid(page).getAttribute("aria-rowcount")).toBe("11");
    expect(faults).toEqual([]);
    await context.close();
  });

  it.each<[string, BrowserContextOptions]>([
    ["a desktop", { viewport: { width: 1280, height: 900 } }],
    ["a phone in the dark", { viewport: { width: 390, height: 844 }, colorScheme: "dark" }],
    ["the narrowest window, in German", { viewport: { width: 320, height: 700 }, locale: "de-DE" }],
  ])("has no finding of axe and fits on %s", async (_, options) => {
    const { origin, ticket } = await consoleOver(3);
    const { context, page, faults } = await opened(origin, options);
    const expectSound = async (): Promise<void> => {
      expect(await axeFindings(page)).toEqual([]);
      expect(await overflows(page)).toBe(false);
    };
    await enter(page, await ticket());
    await expectSound();
    await page.goto(`${origin}/ui/#/links`);
    await page.getByRole("link", { name: /^(?:Choose a file|Datei wählen)$/ }).waitFor();
    await expectSound();
    await page.evaluate("sessionStorage.clear()");
    await page.reload();
    await page.getByLabel("Token").or(page.getByLabel("Zugangstoken")).first().waitFor();
    await expectSound();
    expect(faults).toEqual([]);
    await context.close();
  });

  it("keeps the session to its origin and its tab, and leaves no ticket in address or history", async () => {
    const { origin, ticket } = await consoleOver(1);
    const { context, page } = await opened(origin);
    const url = await ticket();
    await enter(page, url);
    expect(await context.cookies()).toEqual([]);
    expect(await page.evaluate("history.length + location.href + document.referrer")).not.toContain("ticket");
    const other = await context.newPage();
    await other.goto(url);
    await other.getByText("This address was used").waitFor();
    await page.evaluate(`sessionStorage.setItem("daypass-session", "${"A".repeat(43)}")`);
    await page.reload();
    await page.getByText("Your session has ended").waitFor();
    await context.close();
  });
});
