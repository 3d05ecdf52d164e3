import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import lighthouse, { desktopConfig, type Flags } from "lighthouse";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../tools/free-port.ts";
import { needs } from "../../tools/needs.ts";
import { temporaryFolder } from "../servers/temporary.ts";

const cli = fileURLToPath(new URL("../node_modules/@daypass/cli/dist/main.js", import.meta.url));
const missing = needs("chromium");
const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
  "base64",
);

/** The options of a link for each page. */
const PAGES: Readonly<Record<string, readonly string[]>> = {
  "a counted file": ["media/film.mp4", "--max-deliveries", "3"],
  "a preview of a picture": ["media/picture.png"],
  "a folder": ["media/"],
  "a password": ["media/film.mp4", "--password-stdin"],
  "a revoked link": ["media/notes.txt"],
};

describe.skipIf(missing)(`Lighthouse on the pages of links${missing ?? ""}`, () => {
  const folder = temporaryFolder();
  const place = ["--state", `${folder.path}/state`, "--json"];
  let stop = async (): Promise<void> => undefined;
  let browser: Browser;
  let debugging: number;

  beforeAll(async () => {
    const media = `${folder.path}/root/media`;
    mkdirSync(media, { recursive: true });
    writeFileSync(`${media}/picture.png`, PICTURE);
    for (const name of ["film.mp4", "notes.txt"]) writeFileSync(`${media}/${name}`, "text\n".repeat(100));
    const args = ["serve", `${folder.path}/root`, "--port", String(await freePort()), ...place];
    const gateway = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "pipe", "ignore"] });
    await once(gateway.stdout, "data");
    stop = async () => {
      gateway.kill();
      await once(gateway, "exit");
    };
    debugging = await freePort();
    const flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
    browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: [...flags, `--remote-debugging-port=${debugging}`],
    });
  });
  afterAll(async () => {
    await browser?.close();
    await stop();
    folder.remove();
  });

  const links = (...args: readonly string[]) =>
    JSON.parse(
      execFileSync(process.execPath, [cli, "links", ...args, ...place], { encoding: "utf8", input: "right\n" }),
    );

  describe.each(["mobile", "desktop"] as const)("%s", (screen) => {
    test.each(Object.entries(PAGES))("finds nothing in the page of %s", async (page, options) => {
      const { id, url } = links("create", ...options);
      const isRevoked = page === "a revoked link";
      if (isRevoked) links("revoke", id);
      const flags: Flags = {
        port: debugging,
        // The score for performance depends on the machine: docs/performance.md reports it.
        onlyCategories: ["accessibility", "best-practices"],
        throttlingMethod: "provided",
        ignoreStatusCode: true,
      };
      const result = await lighthouse(url, flags, screen === "desktop" ? desktopConfig : undefined);
      const { categories = {}, audits = {}, runtimeError } = result?.lhr ?? {};
      expect(runtimeError).toBeUndefined();
      const counted = ["accessibility", "best-practices"].flatMap((name) => categories[name]?.auditRefs ?? []);
      const failed = counted.filter(({ id: audit, weight }) => weight > 0 && (audits[audit]?.score ?? 1) < 1);
      const findings = failed.flatMap(({ id: audit }) => {
        const { items = [] } = (audits[audit]?.details ?? {}) as {
          readonly items?: readonly { description?: string }[];
        };
        return items.map(({ description }) => `${audit}: ${description}`);
      });
      // Chromium itself reports the status of the page as an error.
      const status = "errors-in-console: Failed to load resource: the server responded with a status of 410 (Gone)";
      expect(findings).toEqual(isRevoked ? [status] : []);
      expect(failed.length).toBe(isRevoked ? 1 : 0);
      expect(categories["accessibility"]?.score).toBe(1);
      if (!isRevoked) expect(categories["best-practices"]?.score).toBe(1);
    });
  });
});
