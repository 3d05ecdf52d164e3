import { expect, it } from "vitest";
import type { LinkRequest } from "../../src/links/create-link.ts";
import { BROWSER, linkBench } from "./link-bench.ts";

const bench = linkBench(undefined, undefined, { sharedBy: "Mara Lindqvist" });
const page = async (path: string, fields?: Readonly<Record<string, string>>) =>
  (await (fields === undefined ? bench.get(path, { headers: BROWSER }) : bench.press(path, fields))).text();

it("the page of a link names its sender and its recipient", async () => {
  const { variants } = await bench.make({ recipients: ["Ann Baker"] });
  const shown = await page(`/l/${variants[0]?.id}`);
  expect(shown).toContain("<b><bdi>Mara Lindqvist</bdi></b> sent you a video");
  expect(shown).toContain("<bdi>Ann Baker</bdi>");
});

it.each<[string, Partial<LinkRequest>, string, boolean]>([
  ["not by default", {}, "", false],
  ["if its owner shows them", { showSender: true }, "", true],
  ["never for a slug, which can be guessed", { showSender: true, slug: "summer-party" }, "summer-party", false],
])("the page that asks for a password names the sender %s", async (_, more, slug, isNamed) => {
  const { variant } = await bench.make({ password: "right", label: "Plans", note: "Secret plans", ...more });
  const path = `/l/${slug || variant.id}`;
  for (const fields of [undefined, { password: "wrong" }]) {
    const shown = await page(path, fields);
    expect(shown.includes("Mara Lindqvist")).toBe(isNamed);
    expect(shown).not.toMatch(/film\.mp4|[Pp]lans|more days/);
  }
});
