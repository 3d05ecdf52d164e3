import { mkdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const workspace = fileURLToPath(new URL("../../../../", import.meta.url));

/** Bundles a program of `fixtures/` into one file for plain `node`, so that it can be killed as a process. */
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
    // It finds its binary next to its own file.
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
