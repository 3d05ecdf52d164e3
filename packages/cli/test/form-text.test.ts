import { expect, test } from "vitest";
import { formFromText } from "../src/commands/explain/form-text.ts";

test("reads the first form of a page, with what quotes hide", () => {
  const page = `<p><form method=post action="https://a.example/?x=1&amp;y=2">
    <input type="hidden" name="key" value="a<b>&quot;"><input name=policy value=eyJ9><input type=file name=upload></form>`;
  expect(formFromText("--form", page)).toEqual({
    url: "https://a.example/?x=1&y=2",
    fields: [
      ["key", 'a<b>"'],
      ["policy", "eyJ9"],
      ["file", ""],
    ],
  });
});

test.each(["<input ", "<input a=b ", '<input a="', "<input a"])(
  "is done at once with a page of tags that are never closed: %s",
  (tag) => {
    const start = process.cpuUsage();
    expect(() => formFromText("--form", tag.repeat(100_000))).toThrow("found neither");
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1000).toBeLessThan(1000);
  },
);
