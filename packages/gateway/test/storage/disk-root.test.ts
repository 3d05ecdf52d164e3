import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { disk } from "../../src/storage/disk.ts";
import { removeRoot, tempRoot } from "./temp-root.ts";

it("names the folder that is not there, and what to do, before anything is written", async () => {
  const root = tempRoot();
  onTestFinished(() => removeRoot(root));
  const [none, file, below] = [join(root, "none"), join(root, "file"), join(root, "file", "below")] as const;
  writeFileSync(file, "no folder");
  for (const folder of [none, file, below]) {
    await expect(disk({ root: folder })).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: `expected a folder to serve at ${folder}, found none: create it, or name another as \`root\``,
    });
  }
  mkdirSync(none);
  await (await disk({ root: none })).close();
});
