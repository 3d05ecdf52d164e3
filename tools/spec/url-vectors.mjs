import { readFileSync, writeFileSync } from "node:fs";
import { ed25519, ed25519Keys, hs256, hs256Keys, keySets } from "./url-vector-cases.mjs";
import { writeVector } from "./url-vector-writer.mjs";

// Writes the files of docs/spec/daypass-url.md, section 12. With --check it only says whether they are up to date, which a
// test asks.
const files = {
  "hs256.json": { keys: hs256Keys, cases: hs256.map(writeVector) },
  "ed25519.json": { keys: ed25519Keys, cases: ed25519.map(writeVector) },
  "keys.json": { cases: keySets },
};

const check = process.argv.includes("--check");
for (const [name, file] of Object.entries(files)) {
  const path = new URL(`../../packages/daypass/test/vectors/url/${name}`, import.meta.url);
  const text = `${JSON.stringify(file, null, 1)}\n`;
  if (!check) writeFileSync(path, text);
  else if (readFileSync(path, "utf8") !== text) {
    console.error(`${name} differs: node tools/spec/url-vectors.mjs`);
    process.exitCode = 1;
  }
}
