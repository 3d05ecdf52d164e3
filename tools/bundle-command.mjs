import { readdirSync, readFileSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { build } from "esbuild";
import { published, root } from "./run.mjs";

// Bundles the command line with our packages: a process that starts reads a few files instead of two hundred. What a command
// loads on demand stays separate, and so do the packages of others, whose licences and native files stay with them.
const cli = `${root}packages/cli`;
const { dependencies } = JSON.parse(readFileSync(`${cli}/package.json`, "utf8"));
const threads = published.flatMap((path) =>
  readdirSync(`${root}${path}/src`, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".thread.js"))
    .map((file) => `${root}${path}/src/${file}`),
);
const { metafile } = await build({
  entryPoints: [`${cli}/src/main.ts`, `${cli}/src/batch/worker.ts`, ...threads],
  // One folder, so that a module finds the file of a thread beside its chunk, by the same name as beside its source.
  entryNames: "[name]",
  outdir: `${cli}/dist`,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "es2022",
  conditions: ["@daypass/source"],
  external: Object.keys(dependencies),
  sourcemap: "linked",
  sourcesContent: false,
  metafile: true,
  plugins: [
    {
      name: "registry",
      setup({ onLoad }) {
        // The command line reads only the fields of a scheme. Each module that it could load is one more file for what others share with it.
        onLoad({ filter: /[\\/]daypass[\\/]src[\\/]schemes\.ts$/ }, ({ path }) => {
          const whole = readFileSync(path, "utf8");
          const contents = whole.replace(/^ *(?:load|example): .*\n/gm, "");
          if (contents === whole)
            throw new Error(`expected lines "load: …" in ${path}, found none: correct this pattern`);
          return { contents, loader: "ts" };
        });
      },
    },
  ],
  logLevel: "error",
});
const foreign = Object.keys(metafile.inputs).find((path) => path.includes("node_modules/"));
if (foreign !== undefined) throw new Error(`expected the package of ${foreign} in the dependencies of packages/cli`);
const written = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
for (const file of readdirSync(`${cli}/dist`)) {
  if (/\.js(?:\.map)?$/.test(file) && !written.has(file)) rmSync(`${cli}/dist/${file}`);
}
