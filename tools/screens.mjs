import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { root } from "./run.mjs";

// `npm run screens`: pictures of the recipient's pages, from a real gateway in Debian's Chromium, at phone and desktop width, light and dark, into
// `.screens/`. The pictures of the README go to `docs/images/`.
const WIDTHS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };
const SHOWN = { "file-desktop-light": "file.jpg", "folder-phone-dark": "folder.jpg" };
const main = `${root}packages/cli/dist/main.js`;
const folder = mkdtempSync(join(tmpdir(), "daypass-screens-"));
const served = join(folder, "media/Autumn catalogue");
mkdirSync(join(served, "Proofs"), { recursive: true });
const pictures = {
  "ridge-at-dawn": "Ridge at dawn",
  "lake-morning": "Lake, early morning",
  dunes: "Dunes",
  "night-bay": "Night bay",
};
for (const [file, name] of Object.entries(pictures))
  cpSync(`${root}tools/screens/${file}.jpg`, join(served, `${name}.jpg`));
writeFileSync(join(served, "Notes for the printer.md"), "# Notes for the printer\n\nThe catalogue has **48 pages**.\n");
writeFileSync(join(served, "Prices.csv"), "Print,Size,Price\nRidge at dawn,60 × 40,240.00\n");
writeFileSync(join(served, "Film – beach.mp4"), Buffer.alloc(2_100_000));
writeFileSync(join(served, "Proofs/cover.pdf"), "%PDF-1.4\n");
const config = join(folder, "daypass.json");
writeFileSync(config, JSON.stringify({ root: folder, links: { sharedBy: "Mara Lindqvist" } }));
const state = ["--state", join(folder, ".daypass")];

const gateway = spawn(process.execPath, [main, "serve", "--config", config, "--port", "0", "--json"], {
  stdio: ["ignore", "pipe", "inherit"],
});
try {
  const [line] = await once(createInterface({ input: gateway.stdout }), "line");
  const { url } = JSON.parse(line);
  const target = "media/Autumn catalogue/";
  const note = "Hi Ann, this is the one for the cover.\nThe print size is 60 × 40 cm.";
  const ridge = `${target}Ridge at dawn.jpg`;
  const all = create(target, "--label", "Autumn catalogue");
  const revoked = create(ridge);
  command("links", "revoke", revoked.id);
  const pages = {
    file: create(ridge, "--note", note, "--to", "Ann Baker").url,
    "file-once": create(`${target}Film – beach.mp4`, "--max-deliveries", "1").url,
    password: create(ridge, "--password-stdin").url,
    folder: `${all.url}/`,
    gallery: `${all.url}/?view=gallery`,
    "file-of-folder": `${all.url}/Night%20bay.jpg`,
    withdrawn: revoked.url,
    unknown: `${url}/l/5dydZz2wBb1PmmEb6U7tsC`,
    root: `${url}/`,
    refused: `${url}/media/none?X-Amz-Signature=0`,
  };
  await picture(pages);
} finally {
  gateway.kill("SIGTERM");
  await once(gateway, "close");
  rmSync(folder, { recursive: true });
}

/** @param {readonly string[]} args */
function command(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args, "--json", ...state], {
    input: "right\n",
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`daypass ${args.join(" ")}: ${stderr}`);
  return stdout === "" ? undefined : JSON.parse(stdout);
}

/** @param {readonly string[]} args */
function create(...args) {
  return command("links", "create", ...args);
}

/** @param {Readonly<Record<string, string>>} pages */
async function picture(pages) {
  const out = `${root}.screens`;
  mkdirSync(out, { recursive: true });
  mkdirSync(`${root}docs/images`, { recursive: true });
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  for (const [name, url] of Object.entries(pages)) {
    for (const [width, viewport] of Object.entries(WIDTHS)) {
      for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
        const page = await browser.newPage({ viewport, colorScheme });
        await page.goto(url, { waitUntil: "networkidle" });
        const id = `${name}-${width}-${colorScheme}`;
        await page.screenshot({ path: `${out}/${id}.png` });
        const shown = SHOWN[/** @type {keyof typeof SHOWN} */ (id)];
        if (shown !== undefined)
          await page.screenshot({ path: `${root}docs/images/${shown}`, type: "jpeg", quality: 85 });
        await page.close();
      }
    }
  }
  await browser.close();
  console.log(`${readdirSync(out).length} pictures in .screens/`);
}
