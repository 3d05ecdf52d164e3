import { copyFileSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "./run.mjs";

// Bundles the console beside the command line, whose gateway serves it: an installation builds nothing.
const from = `${root}packages/console/src`;
const to = `${root}packages/cli/dist/console`;
await build({
  entryPoints: [
    { in: `${from}/main.tsx`, out: "console" },
    { in: `${from}/console.css`, out: "console" },
  ],
  outdir: to,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "error",
});
for (const file of ["index.html", "mark.svg"]) copyFileSync(`${from}/${file}`, `${to}/${file}`);

/** The bar for all that the first load needs, in bytes of gzip. */
const MOST = 60_000;
const size = ["index.html", "console.js", "console.css", "mark.svg"]
  .map((file) => gzipSync(readFileSync(`${to}/${file}`)).length)
  .reduce((sum, each) => sum + each);
if (size > MOST) throw new Error(`expected the console to load at most ${MOST} bytes, found ${size}`);
