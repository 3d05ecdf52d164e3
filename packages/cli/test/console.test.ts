import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { daypass, temporaryFolder } from "./command.ts";
import { consoleOver } from "./console-served.ts";
import { serve } from "./serving.ts";

test("the listener serves the console as files that hold nothing secret and run nothing foreign, under a strict policy", async () => {
  const { origin } = await consoleOver(0);
  const page = await fetch(`${origin}/ui/`);
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(page.headers.get("content-security-policy")).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  expect(page.headers.get("referrer-policy")).toBe("no-referrer");
  const html = await page.text();
  expect(html).not.toMatch(/<script(?! type="module" src)|style=|https?:/);
  for (const file of ["console.js", "console.css", "mark.svg"]) {
    const first = await fetch(`${origin}/ui/${file}`);
    const etag = first.headers.get("etag") ?? "";
    expect([file, first.status]).toEqual([file, 200]);
    expect((await fetch(`${origin}/ui/${file}`, { headers: { "if-none-match": etag } })).status).toBe(304);
  }
  for (const path of ["/ui/../openapi.json", "/ui/none.js", "/ui/console.js/"]) {
    expect([path, (await fetch(origin + path)).headers.get("content-security-policy")]).toEqual([path, null]);
  }
});

test("the command opens a desktop's browser by a file that only its user can read, and the address by one use", async () => {
  const { state, origin } = await consoleOver(0);
  const bin = temporaryFolder();
  const seen = join(bin, "seen");
  mkdirSync(join(bin, "bin"));
  writeFileSync(
    join(bin, "bin/xdg-open"),
    `#!/bin/sh\nprintf '%s\\n' "$@" > '${seen}.part'; mv '${seen}.part' '${seen}'\n`,
  );
  chmodSync(join(bin, "bin/xdg-open"), 0o755);
  // Root has no desktop.
  const env = { PATH: `${join(bin, "bin")}:${process.env["PATH"]}`, DISPLAY: ":0" };
  const run = await daypass(["console", "--state", state], { env });
  const url = /^http\S+$/m.exec(run.stdout)?.[0] ?? "";
  expect(url).toMatch(new RegExp(`^${origin}/ui/#ticket=[\\w-]{43}$`));
  if (process.geteuid?.() !== 0) {
    await expect.poll(() => readFileSync(seen, "utf8")).toBe(`${join(state, "console.html")}\n`);
    const page = join(state, "console.html");
    expect([statSync(page).mode & 0o777, readFileSync(page, "utf8").includes(url)]).toEqual([0o600, true]);
  }
  const body = JSON.stringify({ ticket: new URL(url).hash.slice("#ticket=".length) });
  const open = () =>
    fetch(`${origin}/session`, { method: "POST", headers: { "content-type": "application/json" }, body });
  expect([(await open()).status, (await open()).status]).toEqual([201, 401]);
});

test("the command says how to get a listener if the gateway has none", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "media"));
  await serve(folder, "--port", "0");
  const { status, stderr } = await daypass(["console", "--state", join(folder, ".daypass")]);
  expect([status, stderr]).toEqual([1, expect.stringContaining("set admin.listen in its configuration")]);
});
