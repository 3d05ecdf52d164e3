import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { bundledFixture } from "./bundled-fixture.ts";
import { removeRoot, tempRoot } from "./temp-root.ts";

it("stores and reads 200 MB in constant memory", { timeout: 60_000 }, async () => {
  const program = await bundledFixture("large-upload.ts");
  const root = tempRoot();
  const result = JSON.parse(execFileSync(process.execPath, [program, root]).toString());
  removeRoot(root);
  expect(result.size).toBe(200 * 1024 * 1024);
  expect(result.md5).toBe(result.etag);
  // The source may leave garbage that is not collected yet.
  expect(result.afterUpload - result.base, JSON.stringify(result)).toBeLessThan(40);
  expect(result.afterDownload - result.base).toBeLessThan(40);
});
