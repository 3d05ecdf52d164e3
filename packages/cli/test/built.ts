import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build as bundle } from "esbuild";
import type { TestProject } from "vitest/node";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Builds the command, and a bundle of it. Most process tests start the bundle, because it loads in half the time. */
export async function setup(project: TestProject): Promise<void> {
  await build();
  // Build again after an edit in watch mode.
  project.onTestsRerun(async () => {
    try {
      await build();
    } catch {
      // The compiler has printed the error. Unfinished code must not end the watch.
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
    // Keep dynamic imports separate.
    splitting: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    external: ["pino", "@photostructure/sqlite", "pg", "undici"],
    plugins: [
      {
        name: "own-url",
        setup({ onLoad }) {
          // A module reads files beside its built file.
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
