import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { needs } from "../../../../tools/needs.ts";
import { BROWSER, claimKeyIn, linkBench } from "./link-bench.ts";
import { proxyTo, type TestProxy } from "./proxy.ts";

const run = promisify(execFile);
const bench = linkBench();
const reason = needs("curl", "wget", "wget2");
const SIZE = 3_000_000;
let folder: string;
let proxy: TestProxy;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "daypass-clients-"));
  proxy = await proxyTo(bench.url);
  bench.write("film.mp4", Array.from({ length: SIZE / 10 }, (_, at) => String(at).padStart(10, "0")).join(""));
});
afterEach(async () => {
  await proxy.close();
  rmSync(folder, { recursive: true });
});

const film = () => readFileSync(join(bench.folder, "root/media/film.mp4"));
const counted = async (more: object = {}) => {
  const { link, variant } = await bench.make({ maxDeliveries: 1, ...more });
  const used = async () => {
    const found = await bench.links.state.getLink(link.id);
    const [{ used = 0, started = 0 } = {}] = found?.variants ?? [];
    return { used, started };
  };
  return { path: `/l/${variant.id}`, used };
};
/** Runs a command of a shell, whose status may be another than 0. */
const shell = (command: string) =>
  run("sh", ["-c", command], { cwd: folder }).then(
    () => 0,
    ({ code }: { code: number }) => code,
  );
const downloaded = () => readdirSync(folder).map((name) => readFileSync(join(folder, name)).equals(film()));

describe.skipIf(reason)(`programs that download${reason ?? ""}`, () => {
  it.each([
    ["curl -LO, then -C - after a cut", (url: string) => `curl -sfLO '${url}' || curl -sfLO -C - '${url}'`, 2],
    ["curl -C - -o, twice", (url: string) => `curl -sfL -C - -o f '${url}' || curl -sfL -C - -o f '${url}'`, 2],
    ["wget -c, which retries by itself", (url: string) => `wget -q -c -t 3 -w 0 -O f '${url}'`, 2],
  ])("%s takes one delivery", async (_, command, requests) => {
    const { path, used } = await counted();
    proxy.cutAfter = 1_000_000;
    expect(await shell(command(`${proxy.url}${path}?dl=0123456789abcdef`))).toBe(0);
    expect(downloaded()).toEqual([true]);
    expect(proxy.seen.map(({ status }) => status)).toEqual([200, 206]);
    expect([await used(), proxy.seen.length]).toEqual([{ used: 1, started: 1 }, requests]);
  });

  it("wget2, which omits the port in Host, saves the bytes of an uncounted link and takes a counted one", async () => {
    const { variant } = await bench.make();
    expect(await shell(`wget2 -q -O f '${bench.url}/l/${variant.id}'`)).toBe(0);
    const { path, used } = await counted();
    expect(await shell(`wget2 -q -O g '${bench.url}${path}?dl=0123456789abcdef'`)).toBe(0);
    expect([downloaded(), await used()]).toEqual([[true, true], { used: 1, started: 1 }]);
  });

  it("curl of a plain address takes nothing, and the command that it prints takes the delivery", async () => {
    const { path, used } = await counted();
    const { stdout } = await run("curl", ["-s", bench.url + path]);
    expect(await used()).toEqual({ used: 0, started: 0 });
    expect(await shell(/curl .*$/m.exec(stdout)?.[0] ?? "false")).toBe(0);
    expect([readdirSync(folder), await used()]).toEqual([["film.mp4"], { used: 1, started: 1 }]);
    expect(downloaded()).toEqual([true]);
  });

  it("curl with a password receives a command that asks for the password", async () => {
    const { path, used } = await counted({ password: "right", maxDeliveries: undefined });
    const { stdout } = await run("curl", ["-s", "-u", ":right", bench.url + path]);
    const command = (/curl .*$/m.exec(stdout)?.[0] ?? "").replace(":PASSWORD", ":right");
    expect([stdout.includes("counted"), await shell(command), downloaded()]).toEqual([false, 0, [true]]);
    expect(await used()).toEqual({ used: 1, started: 1 });
  });

  it("the command of the page takes the delivery of its button, under the name of the file", async () => {
    const { path, used } = await counted();
    const page = await (await bench.get(path, { headers: BROWSER })).text();
    const command = (/<pre[^>]*>([^<]*)<\/pre>/.exec(page)?.[1] ?? "")
      .replaceAll("&#39;", "'")
      .replaceAll("&amp;", "&");
    expect((await bench.press(path, { claim: claimKeyIn(page) })).status).toBe(303);
    expect([await shell(command), readdirSync(folder)]).toEqual([0, ["film.mp4"]]);
    expect([downloaded(), await used()]).toEqual([[true], { used: 1, started: 1 }]);
  });

  it("curl with a password takes a confirmed link, and without it nothing", async () => {
    const { path, used } = await counted({ password: "right" });
    const url = `${proxy.url}${path}?dl=0123456789abcdef`;
    expect(await shell(`curl -sfLO '${url}'`)).toBe(22);
    expect([await shell(`curl -sfLO -u :right '${url}'`), downloaded(), await used()]).toEqual([
      0,
      [true],
      { used: 1, started: 1 },
    ]);
  });
});

it("a player that asks for many ranges, two at once, uses one delivery", async () => {
  const { path, used } = await counted();
  const ask = async (range: string) => {
    const answer = await fetch(`${proxy.url}${path}?dl=0123456789abcdef`, { headers: { range } });
    return [answer.status, Buffer.from(await answer.arrayBuffer()).toString("latin1", 0, 10)];
  };
  expect(await ask("bytes=0-")).toEqual([206, "0000000000"]);
  expect(await Promise.all([ask("bytes=2999990-"), ask("bytes=1000000-1999999")])).toEqual([
    [206, "0000299999"],
    [206, "0000100000"],
  ]);
  expect(await ask("bytes=-10")).toEqual([206, "0000299999"]);
  expect(await ask("bytes=0-9,20-29")).toEqual([200, "0000000000"]);
  expect(await used()).toEqual({ used: 1, started: 1 });
});

it.each([
  ["Slackbot-LinkExpanding 1.0", { accept: "*/*", range: "bytes=0-32768" }],
  ["TelegramBot (like TwitterBot)", BROWSER],
  ["facebookexternalhit/1.1", { ...BROWSER, range: "bytes=0-524287" }],
])("the preview of a chat (%s) takes nothing, by GET and by HEAD", async (agent, headers) => {
  const { path, used } = await counted();
  for (const method of ["HEAD", "GET"]) {
    const answer = await bench.get(path, { method, headers: { ...headers, "user-agent": agent } });
    expect(await answer.text()).not.toContain("0000000001");
  }
  expect(await used()).toEqual({ used: 0, started: 0 });
});

/** Opens all that a page links to, and sends its forms, as a sandbox of mails does. */
async function followAll(path: string, depth = 3): Promise<void> {
  const answer = await bench.get(path, { headers: BROWSER });
  const next = answer.headers.get("location");
  if (next !== null) return followAll(next, depth - 1);
  if (depth === 0 || !(answer.headers.get("content-type") ?? "").startsWith("text/html"))
    return void (await answer.arrayBuffer());
  const page = await answer.text();
  for (const [, target = ""] of page.matchAll(/(?:href|src)="(\/[^"]+)"/g)) await followAll(target, depth - 1);
  for (const [, action = "", fields = ""] of page.matchAll(/<form method="post" action="([^"]+)">(.*?)<\/form>/gs)) {
    const inputs = [...fields.matchAll(/name="([^"]+)"(?:[^>]* value="([^"]*)")?/g)];
    const pressed = await bench.press(
      action,
      Object.fromEntries(inputs.map(([, name = "", value = "x"]) => [name, value])),
    );
    const location = pressed.headers.get("location");
    if (location !== null) await followAll(location, depth - 1);
  }
}

describe("a scanner", () => {
  it("that presses and never follows gives the delivery back, and the person gets it after two minutes", async () => {
    const { path, used } = await counted();
    const scanned = claimKeyIn(await (await bench.get(path, { headers: BROWSER })).text());
    await bench.press(path, { claim: scanned });
    const claim = claimKeyIn(await (await bench.get(path, { headers: BROWSER })).text());
    expect((await bench.press(path, { claim })).status).toBe(503);
    bench.now += 120_000;
    const pressed = await bench.press(path, { claim });
    expect((await bench.get(pressed.headers.get("location") ?? "")).status).toBe(200);
    expect([(await bench.press(path, { claim: scanned })).status, await used()]).toEqual([
      410,
      { used: 1, started: 1 },
    ]);
  });

  it("that follows everything spends the delivery of a counted link, and never one behind a password", async () => {
    const open = await counted();
    const confirmed = await counted({ password: "right" });
    for (const { path } of [open, confirmed]) await followAll(path);
    expect([await open.used(), await confirmed.used()]).toEqual([
      { used: 1, started: 1 },
      { used: 0, started: 0 },
    ]);
  });
});

it("a proxy that sends each request twice takes one delivery, by the button and by a program", async () => {
  proxy.retries = true;
  const [button, program] = [await counted(), await counted()];
  const page = await (await fetch(proxy.url + button.path, { headers: BROWSER })).text();
  const body = new URLSearchParams({ claim: claimKeyIn(page) });
  const delivered = await fetch(proxy.url + button.path, { method: "POST", headers: BROWSER, body });
  const byKey = await fetch(`${proxy.url}${program.path}?dl=0123456789abcdef`);
  for (const answer of [delivered, byKey]) expect(Buffer.from(await answer.arrayBuffer()).equals(film())).toBe(true);
  expect([await button.used(), await program.used()]).toEqual([
    { used: 1, started: 1 },
    { used: 1, started: 1 },
  ]);
});
