import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { bannedPhrases, bannedProse } from "./plain-words.mjs";
import { root } from "./run.mjs";

// Holds comments, test names and pages against tools/plain-words.mjs. `node tools/check-words.mjs packages/cli` looks at one folder.
const below = process.argv[2] ?? "";
const files = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter((path) => /\.(?:ts|mjs|js|md)$/.test(path) && path.startsWith(below) && existsSync(root + path));
let hits = 0;
for (const path of files) {
  if (path === "tools/plain-words.mjs") continue;
  const find = path.endsWith(".md") ? bannedProse : bannedPhrases;
  for (const { line, text, instead } of find(path, readFileSync(root + path, "utf8"))) {
    console.error(`${path}:${line}: ${text}\n    instead: ${instead}`);
    hits += 1;
  }
}
console.log(`${files.length} files, ${hits} phrases to rewrite`);
process.exitCode = hits ? 1 : 0;
