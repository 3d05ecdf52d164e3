import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { root } from "../run.mjs";

/**
 * The samples in the docstrings below a folder.
 * @param {string} folder from the root of the workspace
 */
export function examplesIn(folder) {
  return readdirSync(root + folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .flatMap((path) => {
      const text = readFileSync(`${root}${folder}/${path}`, "utf8").replace(/^ *\* ?/gm, "");
      return [...text.matchAll(/^```ts\n([\s\S]*?)\n```/gm)].map(([, code = ""], i) => ({
        name: `${folder}/${path}`.replaceAll("/", "-").replace(/\.ts$/, `-${i + 1}.mts`),
        code,
      }));
    });
}

/**
 * What the compiler says about samples.
 * @param {readonly { readonly name: string, readonly code: string }[]} examples
 * @returns {readonly string[]}
 */
export function compile(examples) {
  // Below node_modules no other project sees them, and `daypass` is found from there as from a program.
  const folder = `${root}node_modules/.docstring-examples/`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { name, code } of examples) writeFileSync(folder + name, `${code}\nexport {};\n`);
  const off = { composite: false, declarationMap: false, isolatedDeclarations: false };
  const compilerOptions = {
    ...off,
    noEmit: true,
    allowImportingTsExtensions: true,
    types: ["node"],
    skipLibCheck: true,
  };
  writeFileSync(
    `${folder}tsconfig.json`,
    JSON.stringify({ extends: `${root}tsconfig.base.json`, include: ["*.mts"], compilerOptions }),
  );
  const { stdout } = spawnSync("npx", ["tsc", "-p", folder], { cwd: root, encoding: "utf8" });
  return stdout.split("\n").filter((line) => line !== "");
}
