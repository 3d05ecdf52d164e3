import { spawnSync } from "node:child_process";
import { uriSigningRegex } from "daypass/uri-signing";
import { expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";
import { randomExpression } from "../random/expressions.ts";
import { runSeed, seeded } from "../random/seeded.ts";

const missing = needs("grep");
const COUNT = 2_000;

/** Which of some lines an expression matches as a whole, by GNU grep. */
function grep(source: string, lines: readonly string[]): readonly boolean[] {
  const { stdout, status } = spawnSync("grep", ["-E", "-x", "-n", "-e", source], {
    input: lines.map((line) => `${line}\n`).join(""),
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  if (status !== 0 && status !== 1) throw new Error(`grep does not take ${source}`);
  const matched = new Set(stdout.split("\n").map((line) => Number(line.split(":", 1)[0])));
  return lines.map((_line, i) => matched.has(i + 1));
}

test.skipIf(missing)(`${COUNT} random expressions match what grep -E -x matches${missing ?? ""}`, () => {
  const random = seeded(runSeed());
  let matched = 0;
  let all = 0;
  for (let left = COUNT; left > 0; left--) {
    const { source, texts } = randomExpression(random);
    const { matches } = uriSigningRegex(source);
    const ours = texts.map(matches);
    expect([source, texts, ours]).toEqual([source, texts, grep(source, texts)]);
    matched += ours.filter(Boolean).length;
    all += texts.length;
  }
  console.log(`seed ${runSeed()}: ${COUNT} expressions, ${matched} of ${all} texts match`);
  expect(matched).toBeGreaterThan(all / 10);
  expect(matched).toBeLessThan(all);
});
