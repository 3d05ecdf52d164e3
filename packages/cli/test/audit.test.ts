import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { daypass, temporaryFolder } from "./command.ts";
import { serve } from "./serving.ts";

/** A folder with one object, and its state. */
function shared(): { folder: string; state: string } {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "files"));
  writeFileSync(join(folder, "files/a.txt"), "first");
  return { folder, state: join(folder, ".daypass") };
}

async function run(args: readonly string[], status = 0): Promise<string> {
  const finished = await daypass(args);
  expect([finished.status, finished.stderr]).toEqual([status, ""]);
  return finished.stdout;
}

test("audit verifies, exports and proves the use of a link, served or not", async () => {
  const { folder, state } = shared();
  const place = ["--state", state] as const;
  const config = join(folder, "config.json");
  writeFileSync(config, JSON.stringify({ root: ".", audit: { headsFile: "heads.ndjson" } }));
  const gateway = await serve(folder, "--port", "0", "--config", config);
  const link = JSON.parse(await run(["links", "create", "files/a.txt", "--max-deliveries", "1", "--json", ...place]));
  expect(await (await fetch(`${link.url}?dl=0123456789abcdef`)).text()).toBe("first");
  expect((await fetch(`${link.url}?dl=fedcba9876543210`)).status).toBe(410);
  await expect.poll(() => run(["audit", "tail", "--link", link.id, ...place])).toContain("delivery.completed");
  expect(await run(["audit", "verify", ...place])).toMatch(
    /^as signed: \d+ records under \d+ heads, \d+ records have no head yet\n$/,
  );
  await gateway.stop();
  expect(await run(["audit", "verify", ...place, "--heads-file", join(folder, "heads.ndjson")])).toMatch(/^as signed/);

  const records = (await run(["audit", "tail", "--json", ...place]))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const started = records.find(({ record }) => JSON.parse(record).action === "delivery.started");
  expect(JSON.parse(started.record)).toMatchObject({ link: link.id, result: "ok", bytes: 5, target: "files/a.txt" });
  const receipt = join(folder, "receipt.json");
  writeFileSync(receipt, await run(["audit", "export", "--receipt", String(started.sequence), ...place]));
  const key = ["--key", join(state, "audit.pub")] as const;
  expect(await run(["audit", "verify", "--receipt", receipt, ...key])).toContain(started.record);
  writeFileSync(receipt, readFileSync(receipt, "utf8").replace("a.txt", "b.txt"));
  expect(await run(["audit", "verify", "--receipt", receipt, ...key], 1)).toContain("does not hold");

  const lines = await run(["audit", "export", ...place]);
  expect(lines).not.toContain("0123456789abcdef");
  const file = join(folder, "export.ndjson");
  writeFileSync(file, lines.replace("delivery.completed", "delivery.completee"));
  const report = JSON.parse(await run(["audit", "verify", file, "--json", ...key], 1));
  expect(report.faults).toEqual([expect.objectContaining({ kind: "changed", writer: "main" })]);
  expect(await run(["audit", "export", "--heads", ...place])).not.toContain('"record"');
});

test.each([
  [["audit"], 2, "the action is missing. Pass "],
  [["audit", "tail", "x"], 2, "takes no argument"],
  [["audit", "verify", "--key", "/nowhere"], 1, "cannot be read"],
])("refuses daypass %j", async (args, status, text) => {
  const finished = await daypass(args as string[]);
  expect([finished.status, finished.stderr]).toEqual([status, expect.stringContaining(text)]);
});
