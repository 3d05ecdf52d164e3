import { readFileSync } from "node:fs";
import { expect } from "vitest";

/** A marked block of a page in `docs/`, with the ports and files of a test. */
export function guideBlock(file: string, name: string, changes: Readonly<Record<string, string>>): string {
  const page = readFileSync(new URL(`../../../docs/${file}`, import.meta.url), "utf8");
  const [, text = ""] = new RegExp(`<!-- ${name}: begin -->\n\`\`\`\\w+\n([\\s\\S]*?)\`\`\`\n`).exec(page) ?? [];
  expect([name, text]).not.toEqual([name, ""]);
  return Object.entries(changes).reduce((all, [own, other]) => {
    expect(all).toContain(own);
    return all.replaceAll(own, other);
  }, text);
}
