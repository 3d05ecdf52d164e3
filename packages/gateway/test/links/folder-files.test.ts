import { expect, it } from "vitest";
import { BROWSER, linkBench } from "./link-bench.ts";

const bench = linkBench();
const NAMES = ["Foto 10.jpg", "Foto 9.jpg", "Übersicht.md", "notes.txt"];

async function folder(more: Parameters<typeof bench.make>[0] = {}): Promise<string> {
  for (const name of NAMES) bench.write(`album/${name}`, `bytes of ${name}`);
  bench.write("album/Zoo/lion.txt", "roar");
  const { variant } = await bench.make({ kind: "prefix", key: "album/", label: "Album", ...more });
  return `/l/${variant.id}/`;
}
const pageOf = async (path: string) => (await bench.get(path, { headers: BROWSER })).text();
const at = (name: string) => encodeURIComponent(name);

it("a folder shows folders first, and files in the order of the reader's language", async () => {
  const page = await pageOf(await folder());
  const names = Array.from(page.matchAll(/<a class="row"[^>]*>.*?<bdi>([^<]+)</g), ([, name]) => name);
  expect(names).toEqual(["Zoo", "Foto 9.jpg", "Foto 10.jpg", "notes.txt", "Übersicht.md"]);
  expect(page).toContain("4 files, 1 folder · ");
});

it("a file of a folder has a page between its neighbours in a browser", async () => {
  const path = await folder();
  const page = await pageOf(path + at("Foto 10.jpg"));
  expect(page).toContain("2 of 4");
  expect(page).toContain(`href="${path}${at("Foto 9.jpg")}"`);
  expect(page).toContain(`href="${path}notes.txt"`);
  expect(page).toContain(`<img src="${path}${at("Foto 10.jpg")}?view"`);
  const first = await pageOf(path + at("Foto 9.jpg"));
  expect(first.match(/<nav class="seg"[^>]*>(.*?)<\/nav>/)?.[1]).not.toContain("Previous");
});

it("a program gets the bytes of a file of a folder, and so does the arrow of a browser", async () => {
  const path = (await folder()) + at("Foto 9.jpg");
  expect(await (await bench.get(path)).text()).toBe("bytes of Foto 9.jpg");
  const arrow = await bench.get(`${path}?download`, { headers: BROWSER });
  expect([await arrow.text(), arrow.headers.get("content-disposition")]).toEqual([
    "bytes of Foto 9.jpg",
    expect.stringMatching(/^attachment/),
  ]);
});

it("a file that is not in the folder is unknown, also to a browser", async () => {
  const answer = await bench.get(`${await folder()}none.jpg`, { headers: BROWSER });
  expect(answer.status).toBe(404);
});

it("the page of a file of a counted folder shows no preview", async () => {
  const path = await folder({ maxDeliveries: 1 });
  const form = new URLSearchParams({ claim: "claim-key-0123456789" });
  const opened = await bench.get(path.replace(/\/$/, ""), { method: "POST", headers: BROWSER, body: form });
  const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
  const answer = await bench.get(path + at("Foto 9.jpg"), { headers: { ...BROWSER, cookie } });
  const page = await answer.text();
  expect([answer.status, page.includes("?download"), page.includes("?view")]).toEqual([200, true, false]);
});
