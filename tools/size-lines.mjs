import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { root } from "./run.mjs";

// `npm run size:lines`: lines that are neither blank nor comment, by package. Issues set their budgets in these.

/** The first row whose pattern matches a path counts its lines. @type {readonly (readonly [name: string, path: RegExp])[]} */
const rows = [
  ["library, explain", /^packages\/daypass\/src\/explain\//],
  ["library, the rest", /^packages\/daypass\/src\//],
  ["gateway", /^packages\/gateway\/src\//],
  ["cli", /^packages\/cli\/(?:src|bin)\//],
  ["console", /^packages\/console\/src\//],
  ["tests of the packages", /^packages\/[^/]+\/test\//],
  ["tools", /^tools\//],
  ["conformance, bench, examples, runtimes", /^(?:conformance|bench|examples|runtimes)\//],
];

/** Counts the lines of one file that hold code. @param {string} text */
function codeLines(text) {
  let count = 0;
  let inComment = false;
  for (const line of text.split("\n").map((each) => each.trim())) {
    if (!inComment && line !== "" && !line.startsWith("//") && !line.startsWith("/*")) count += 1;
    if (line.startsWith("/*")) inComment = true;
    if (inComment && line.includes("*/")) inComment = false;
  }
  return count;
}

const paths = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"], {
  cwd: root,
  encoding: "utf8",
});
const deleted = execFileSync("git", ["ls-files", "--deleted"], { cwd: root, encoding: "utf8" }).split("\n");
/** @type {Map<string, { files: number, lines: number }>} */
const sums = new Map(rows.map(([name]) => [name, { files: 0, lines: 0 }]));
for (const path of paths.split("\n")) {
  const row =
    /\.(?:tsx?|mjs|js)$/.test(path) && !deleted.includes(path) && rows.find(([, pattern]) => pattern.test(path));
  const sum = row && sums.get(row[0]);
  if (!sum) continue;
  sum.files += 1;
  sum.lines += codeLines(readFileSync(root + path, "utf8"));
}
for (const [name, { files, lines }] of sums) {
  console.log(`${String(lines).padStart(6)} lines  ${String(files).padStart(5)} files  ${name}`);
}
