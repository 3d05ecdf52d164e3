import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { needs } from "../../../../tools/needs.ts";
import { metricsText } from "../../src/pipeline/metrics.ts";

const path = fileURLToPath(new URL("../../../../examples/monitoring/daypass.rules.yml", import.meta.url));
const reason = needs("promtool");

describe.skipIf(reason)(`the example alerts${reason ?? ""}`, () => {
  it("are rules of Prometheus", () => {
    expect(execFileSync("promtool", ["check", "rules", path], { encoding: "utf8" })).toMatch(
      /SUCCESS: \d+ rules found/,
    );
  });

  it("name metrics that a gateway has", () => {
    const known = metricsText({});
    const names = readFileSync(path, "utf8").match(/daypass_\w+/g) ?? [];
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect(known).toContain(`# TYPE ${name.replace(/_bucket$/, "")} `);
  });
});
