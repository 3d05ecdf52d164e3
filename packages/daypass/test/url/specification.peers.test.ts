import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { needs } from "../../../../tools/needs.ts";
import { errorCodes } from "../../src/index.ts";
import { PARAMETER_NAMES, PARAMETERS, REQUIRED_PARAMETERS } from "../../src/schemes/url/parameters.ts";

const root = new URL("../../../../", import.meta.url);
const page = readFileSync(new URL("docs/spec/daypass-url.md", root), "utf8");
const reason = needs("python3");

describe.skipIf(reason)(`the verifier that was written from the page alone${reason ?? ""}`, () => {
  it("agrees with every vector", () => {
    const vectors = ["hs256.json", "ed25519.json", "keys.json"].map(
      (name) => `packages/daypass/test/vectors/url/${name}`,
    );
    const run = spawnSync("python3", ["-B", "docs/spec/verify.py", ...vectors], {
      cwd: fileURLToPath(root),
      encoding: "utf8",
    });
    expect(`${run.stdout}${run.stderr}`).toMatch(/^(?:packages\S+: [1-9][0-9]* cases\n){3}0 wrong\n$/);
    expect(run.status).toBe(0);
  });

  it("says how it is called", () => {
    const run = spawnSync("python3", ["-B", "docs/spec/verify.py", "--help"], {
      cwd: fileURLToPath(root),
      encoding: "utf8",
    });
    expect([run.status, run.stderr, run.stdout]).toEqual([0, "", expect.stringContaining("FILE")]);
  });
});

describe("the page and the code", () => {
  it("list the same parameters, in ascending order, with the same ones required", () => {
    const rows = [...page.matchAll(/^\| `(dp-[a-z0-9-]+)`(\*?) \|/gm)];
    expect(rows.map(([, name]) => name)).toEqual(PARAMETER_NAMES);
    expect(rows.filter(([, , star]) => star === "*").map(([, name]) => name)).toEqual(REQUIRED_PARAMETERS);
    expect([...PARAMETER_NAMES].sort()).toEqual(PARAMETER_NAMES);
    expect(Object.keys(PARAMETERS).every((name) => name.startsWith("dp-"))).toBe(true);
  });

  it("use codes that the library has", () => {
    const codes = [...page.matchAll(/^\| `([A-Z_]+)` \|.*$/gm)].flatMap(([row]) => [...row.matchAll(/`([A-Z_]+)`/g)]);
    expect(codes.length).toBe(15);
    for (const [, code] of codes) expect(errorCodes).toContain(code);
  });
});
