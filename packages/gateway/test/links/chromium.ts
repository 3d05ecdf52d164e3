import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { needs } from "../../../../tools/needs.ts";

/** Why a suite with Chromium must be skipped. */
export const chromiumReason: string | undefined = needs("chromium");

const off = ["gpu", "quic", "background-networking", "component-update", "sync"].map((name) => `--disable-${name}`);
const OPTIONS = { executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--no-first-run", ...off] };

/** Debian's Chromium, with nothing in it that calls home. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch(OPTIONS);
}

/** The same with a profile in a folder. A context of `launchChromium` is incognito. */
export function launchProfile(folder: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, OPTIONS);
}

/** Sizes of a desktop and of a phone. */
export const viewports = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 360, height: 740 },
} as const;

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The findings of axe in a page; empty if there are none. Evaluated by the debugger, which no content security policy stops. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>("axe.run()");
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

/** Whether the page is wider than its window, so that a reader must scroll sideways. */
export function overflows(page: Page): Promise<boolean> {
  return page.evaluate("document.documentElement.scrollWidth > window.innerWidth");
}
