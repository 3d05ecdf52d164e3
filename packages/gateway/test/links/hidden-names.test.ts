import { describe, expect, it } from "vitest";
import { hiddenPart } from "../../src/links/hidden-names.ts";
import { BROWSER, linkBench } from "./link-bench.ts";

const bench = linkBench();
const HIDDEN = [".env", ".git/config", "day 1/.ssh/id", "CVS/Root", "_darcs/format"];
const folder = async (more: Parameters<typeof bench.make>[0] = {}) => {
  for (const name of [...HIDDEN, "z.txt"]) bench.write(`holiday/${name}`, "secret");
  const { variant } = await bench.make({ kind: "prefix", key: "holiday/", ...more });
  return `/l/${variant.id}/`;
};
const status = async (path: string) => (await bench.get(path)).status;

describe("hidden names below a link to a folder", () => {
  it("are left out of the listing and the zip", async () => {
    const path = await folder();
    const page = await (await bench.get(path, { headers: BROWSER })).text();
    expect(page).toContain("z.txt");
    const names = Array.from(page.matchAll(/<a class="row"[^>]*>.*?<bdi>([^<]*)</g), ([, name]) => name);
    expect(names).toEqual(["day 1", "day 2", "&lt;b&gt;.txt", "z.txt"]);
    const zip = Buffer.from(await (await bench.get(`${path}?zip`)).arrayBuffer());
    expect(zip.includes("z.txt")).toBe(true);
    for (const name of HIDDEN) expect(zip.includes(name)).toBe(false);
  });

  it.each([...HIDDEN, ".git/", "day%201/.ssh/", "%2egit/config"])("answer as unknown ones: %s", async (name) => {
    const path = await folder();
    const [hidden, unknown] = [await bench.get(path + name), await bench.get(`${path}none/nothing`)];
    expect([hidden.status, await hidden.text()]).toEqual([404, "this link does not exist\n"]);
    expect(unknown.status).not.toBe(200);
  });

  it("are shown if the owner says so, and hidden again after an edit", async () => {
    const path = await folder({ hidden: true });
    const page = await (await bench.get(path, { headers: BROWSER })).text();
    for (const name of [".env", ".git"]) expect(page).toContain(`<bdi>${name}</bdi>`);
    expect(await status(`${path}.git/config`)).toBe(200);
  });

  it("are no names of the folder itself", async () => {
    bench.write(".config/app.json", "{}");
    const { variant } = await bench.make({ kind: "prefix", key: ".config/" });
    expect(await status(`/l/${variant.id}/app.json`)).toBe(200);
  });
});

it.each([
  ["notes/.git/config", "notes/.git/"],
  [".env", ".env"],
  ["a/.b", "a/.b"],
  ["CVS/Root", "CVS/"],
  ["a/b.txt", undefined],
  ["CVS.txt", undefined],
  ["", undefined],
])("finds the hidden part of %j", (path, part) => {
  expect(hiddenPart(path)).toBe(part);
});
