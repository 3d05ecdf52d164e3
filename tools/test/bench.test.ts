import { expect, test } from "vitest";
import { missingTools } from "../../bench/serve/tools.ts";

test("a contender of the bench whose tool or module is missing is skipped, and its package named", () => {
  expect(missingTools("node", process.execPath)).toBeUndefined();
  expect(missingTools("node", "no-such-tool", "/no/such/module.so")).toBe(
    "apt-get install no-such-tool /no/such/module.so",
  );
});
