import { cases } from "../../packages/daypass/test/portable/cases.ts";

/** Runs the library's portable suite in whatever runtime this is bundled for. */
export async function run() {
  const passed = [];
  const failed = [];
  for (const { name, expected, run } of cases) {
    const found = JSON.stringify(await run());
    if (found === JSON.stringify(expected)) passed.push(name);
    else failed.push({ name, expected, found });
  }
  return { passed: passed.length, failed };
}
