import { readFileSync } from "node:fs";
import { describeErrorCode, errorCodes } from "daypass";
import { describe, expect, it } from "vitest";

const page = readFileSync(new URL("../../../../docs/errors.md", import.meta.url), "utf8");
const sections = page.split(/^### /m).slice(1);

describe("docs/errors.md", () => {
  it("has a section for every code, in the order of the table, and for no other", () => {
    expect(sections.map((section) => /^`([A-Z_]+)`/.exec(section)?.[1])).toEqual(errorCodes);
  });

  it.each(errorCodes)("introduces %s with the sentence of the table and says what to do", (code) => {
    const section = sections.find((text) => text.startsWith(`\`${code}\``)) ?? "";
    const sentence = describeErrorCode(code);
    expect(section).toContain(`*${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.*`);
    expect(section).toContain("**What to do.**");
  });
});
