import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const folder = fileURLToPath(new URL("..", import.meta.url));
const compilers = { "TypeScript 7.0": "typescript", "TypeScript 5.9": "typescript-5.9" };
const resolutions = ["nodenext", "bundler"];
const programs = [
  { what: "a program without the types of DOM and Node", config: "" },
  { what: "a program with the types of the DOM", config: ".dom" },
  { what: "a program with the types of Node", config: ".node" },
];

describe.each(Object.entries(compilers))("the declarations that ship, under %s", (_, compiler) => {
  it.each(resolutions.flatMap((resolution) => programs.map((program) => ({ resolution, ...program }))))(
    "suffice for $what, resolved by $resolution",
    ({ resolution, config }) => {
      const project = `consumers/tsconfig.${resolution}${config}.json`;
      const { stdout } = spawnSync(process.execPath, [`node_modules/${compiler}/bin/tsc`, "-p", project], {
        cwd: folder,
        encoding: "utf8",
      });
      expect(stdout).toBe("");
    },
  );
});
