import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { bundledFixture } from "../storage/bundled-fixture.ts";

it("reports workers that cannot start or crash, restarts them with a growing delay, and drains without them", async () => {
  const program = await bundledFixture("../../node/fixtures/failing-workers.ts");
  // Returns only without a worker and without a restart timer.
  const text = execFileSync(process.execPath, [program], { encoding: "utf8", timeout: 15_000 });
  expect(text.trimEnd().split("\n")).toEqual([
    ...["missing starts", "missing exits null null 100", "missing never serves", "missing is over"],
    ...["dying starts", "dying exits 7 null 100", "dying never serves"],
    ...["dying starts", "dying exits 7 null 200", "dying is over"],
    ...["deaf starts", "deaf serves", "deaf is over"],
    ...["leaving starts", "leaving serves", "leaving is over"],
  ]);
});
