import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { testVectors } from "./vector-suite.ts";

describe("the vectors of the specification, with node:crypto", testVectors);

describe("the committed vectors", () => {
  it("equal the output of the generator", () => {
    const script = fileURLToPath(new URL("../../../../tools/spec/url-vectors.mjs", import.meta.url));
    const run = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(run.status).toBe(0);
  });
});
