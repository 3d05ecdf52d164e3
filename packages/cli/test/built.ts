import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build as bundle } from "esbuild";
import type { TestProject } from "vitest/node";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/**
 * Builds what the sources have outgrown. The tests start the command hundreds of times: to have Node read two hundred files at each
 * start took longer than all that they do. So most of them start a bundle of what is built, and those that say so what is built itself.
 */
export async function setup(project: TestProject): Promise<void> {
  await build();
  // While Vitest watches, what was edited would run as it had been.
  project.onTestsRerun(async () => {
    try {
      await build();
    } catch {
      // The compiler has told it: what is half written must not end the watch.
    }
  });
}

async function build(): Promise<void> {
  for (const args of [
    ["tsc", "-b", "packages/cli"],
    ["node", "tools/copy-threads.mjs"],
  ]) {
    execFileSync("npx", args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  }
  const { outputFiles } = await bundle({
    entryPoints: [`${root}packages/cli/dist/main.js`],
    outdir: `${root}packages/cli/.test-results/command`,
    bundle: true,
    // What a command loads by itself when it is asked for stays so.
    splitting: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    external: ["pino", "@photostructure/sqlite"],
    plugins: [
      {
        name: "own-url",
        setup({ onLoad }) {
          // A module reads what lies beside it where it is built.
          onLoad({ filter: /[\\/]packages[\\/]\w+[\\/]dist[\\/].*\.js$/ }, ({ path }) => ({
            contents: readFileSync(path, "utf8").replaceAll(
              "import.meta.url",
              JSON.stringify(pathToFileURL(path).href),
            ),
          }));
        },
      },
    ],
    write: false,
    logLevel: "error",
  });
  for (const { path, contents } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    // A process of another run may be reading it.
    if (!isSame(path, contents)) writeFileSync(path, contents);
  }
}

function isSame(path: string, contents: Uint8Array): boolean {
  try {
    return readFileSync(path).equals(contents);
  } catch {
    return false;
  }
}
