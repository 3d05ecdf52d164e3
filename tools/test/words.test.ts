import { describe, expect, it } from "vitest";
import { bannedPhrases, bannedProse } from "../plain-words.mjs";

describe("the plain words of pages", () => {
  const found = (page: string) => bannedProse("page.md", page).map(({ line }) => line);

  it.each([
    ["a phrase in a paragraph", "# Links\n\nThe page is for whoever opens it.", [3]],
    ["a phrase that goes over the end of a line", "The keys are\nthose\nof the gateway.", [2]],
    ["a phrase in a list and in a table", "- It lets a client in.\n\n| a | nobody |", [1, 3]],
  ])("reports %s", (_, page, lines) => expect(found(page)).toEqual(lines));

  it.each([
    ["code", "Run `whoever`.\n\n```sh\nnobody has it\n```\n"],
    ["a quotation", 'The error says "nobody sent it".'],
    ["lines of two list items that form a phrase only together", "- one of those\n- of the gateway"],
  ])("ignores %s", (_, page) => expect(found(page)).toEqual([]));
});

it("reports a phrase in a text of a source file, and ignores its placeholders", () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: code to be read
  const code = 'fail(`the text ${of.its.own} fails`);\nfail("ask whoever runs the server");\nconst mode = "whoever";';
  expect(bannedPhrases("packages/cli/src/arguments.ts", code).map(({ line }) => line)).toEqual([2]);
  expect(bannedPhrases("packages/cli/test/command.ts", code)).toEqual([]);
});

it("reports a phrase in a comment and in a test name, and ignores code", () => {
  const code = "// Whoever sends it waits.\nconst nobody = 1;\nit('x', f);\nit(\"refuses somebody\", f);";
  expect(bannedPhrases("a.ts", code).map(({ line }) => line)).toEqual([1, 4]);
});
