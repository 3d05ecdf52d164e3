import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { nodeCommand, shellWord, temporaryFolder } from "./command.ts";

test.skipIf(!existsSync("/usr/bin/script")).each([
  [80, true],
  [30, false],
])("share draws a code on a terminal of %i columns only if it fits, and Ctrl-C ends it", async (columns, isDrawn) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "a.txt"), "text");
  const share = `${nodeCommand} share ${shellWord(join(folder, "a.txt"))} --port 0 --origin https://files.example.com`;
  const terminal = spawn("/usr/bin/script", ["-qec", `stty cols ${columns}; exec ${share}`, "/dev/null"], {
    env: { PATH: process.env["PATH"], HOME: folder },
  });
  onTestFinished(() => void terminal.kill("SIGKILL"));
  let output = "";
  terminal.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await expect.poll(() => output, { timeout: 15_000 }).toContain("Ctrl-C ends the link");
  expect(output).toMatch(/^https:\/\/files\.example\.com\/l\//m);
  expect(output.includes("▀")).toBe(isDrawn);
  terminal.stdin.write("\u0003");
  expect(await once(terminal, "close")).toEqual([0, null]);
});
