import { mkdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const workspace = fileURLToPath(new URL("../../../../", import.meta.url));

/** Builds a program of `fixtures/` into one file that a plain `node` runs, as a process of its own that can be killed. */
export async function bundledFixture(name: string): Promise<string> {
  const folder = `${workspace}.test-results/fixtures`;
  mkdirSync(folder, { recursive: true });
  const outfile = `${folder}/${basename(name, ".ts")}-${process.pid}.mjs`;
  await build({
    entryPoints: [fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    conditions: ["@daypass/source"],
    // It has a binary beside it, found by its own place.
    external: ["@photostructure/sqlite"],
    plugins: [
      {
        name: "own-url",
        setup({ onLoad }) {
          // A module finds its thread files beside its own source.
          onLoad({ filter: /[\\/]gateway[\\/]src[\\/].*\.ts$/ }, ({ path }) => ({
            contents: readFileSync(path, "utf8").replaceAll(
              "import.meta.url",
              JSON.stringify(pathToFileURL(path).href),
            ),
            loader: "ts",
          }));
        },
      },
    ],
  });
  return outfile;
}
