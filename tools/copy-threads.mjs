import { cpSync, readdirSync } from "node:fs";
import { published, root } from "./run.mjs";

// Copies the files that threads run (`*.thread.js`, and their types) from `src` to `dist`: the compiler leaves JavaScript alone.
for (const path of published) {
  for (const file of readdirSync(`${root}${path}/src`, { recursive: true, encoding: "utf8" })) {
    if (/\.thread\.(?:js|d\.ts)$/.test(file)) cpSync(`${root}${path}/src/${file}`, `${root}${path}/dist/${file}`);
  }
}
