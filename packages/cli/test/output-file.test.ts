import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { progress } from "../src/batch/progress.ts";
import type { OutputStream } from "../src/command.ts";
import { daypassProcess, jsonLines, parseLines, temporaryFolder } from "./command.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const pinned = { scheme: "s3", region: "us-east-1", bucket: "media", key: "a", credentials, expiresIn: 900 };

test.each([
  ["results of verify", '{"ok":true,"scheme":"s3","grant":{}}\n'],
  ["another program's lines", '{"name":"x"}\n'],
  ["another program's lines with a url", '{"name":"x","url":"y"}\n'],
  ["pretty-printed JSON", '{\n  "url": "x"\n}'],
  ["a note without a line feed", "do not lose this"],
  ["an object without a line feed", '{"name":"x"}'],
  ["results with an incomplete line of another program", '{"url":"x","method":"GET"}\n{"name'],
])("refuses to resume a file with %s", async (_, text) => {
  const out = join(temporaryFolder(), "out");
  writeFileSync(out, text);
  const input = jsonLines([pinned, pinned, pinned, pinned]);
  for (const format of ["jsonl", "csv"]) {
    const run = ["sign", "--batch", "-", "--out", out, "--out-format", format, "--resume"];
    const { status, stderr } = await daypassProcess(run, { input });
    expect([status, stderr]).toEqual([1, expect.stringContaining("Choose another --out")]);
    expect(readFileSync(out, "utf8")).toBe(text);
  }
});

test("refuses to resume verifications in results of sign", async () => {
  const out = join(temporaryFolder(), "out");
  const signed = '{"url":"x","method":"GET"}\n';
  writeFileSync(out, signed);
  expect(
    (await daypassProcess(["verify", "--batch", "-", "--out", out, "--resume"], { input: "{}\n{}\n" })).status,
  ).toBe(1);
  expect(readFileSync(out, "utf8")).toBe(signed);
});

test("writes to a pipe with --resume", async () => {
  const out = join(temporaryFolder(), "pipe");
  execFileSync("mkfifo", [out]);
  const reader = spawn("timeout", ["20", "cat", out]);
  const closed = once(reader, "close");
  let read = "";
  reader.stdout.on("data", (text) => {
    read += text;
  });
  const { status } = await daypassProcess(["sign", "--batch", "-", "--out", out, "--resume"], {
    input: jsonLines([pinned]),
  });
  await closed;
  expect([status, parseLines(read).length]).toEqual([0, 1]);
});

test("keeps the progress on one line of a narrow terminal", () => {
  let shown = "";
  const stderr = { isTTY: true, columns: 20, write: (text: string) => (shown += text) } as unknown as OutputStream;
  let now = 0;
  const { update, end } = progress({ stderr, isForced: false, done: () => now / 2000, now: () => now });
  now = 1000;
  update({ lines: 123_456, refused: 7 });
  expect(shown).toBe("\r\u001b[K123,456 lines, 7 re");
  end({ lines: 123_456, refused: 7 });
  expect(shown).toMatch(/7 refused, 123,456\/s\n$/);
});

test("sets mode 0600 on an existing file", async () => {
  const out = join(temporaryFolder(), "out.jsonl");
  const input = jsonLines([pinned, pinned]);
  for (const resume of [[], ["--resume"]]) {
    writeFileSync(out, resume.length === 0 ? "what was here before" : "");
    chmodSync(out, 0o644);
    expect((await daypassProcess(["sign", "--batch", "-", "--out", out, ...resume], { input })).status).toBe(0);
    expect([statSync(out).mode & 0o777, parseLines(readFileSync(out, "utf8")).length]).toEqual([0o600, 2]);
  }
});

test("continues with a warning if the mode cannot be changed", async () => {
  const folder = temporaryFolder();
  const out = join(folder, "out.jsonl");
  // Simulates a file of another owner.
  const hook = join(folder, "no-modes.mjs");
  writeFileSync(
    hook,
    `import { open } from "node:fs/promises";
    const handle = await open(import.meta.filename);
    Object.getPrototypeOf(handle).chmod = async () => { throw Object.assign(new Error("no"), { code: process.env.CHMOD }); };
    await handle.close();`,
  );
  for (const [code, status, lines] of [
    ["EPERM", 0, 1],
    ["ENOTSUP", 0, 1],
    ["EIO", 1, 0],
  ] as const) {
    writeFileSync(out, "");
    const env = { NODE_OPTIONS: `--import ${hook}`, CHMOD: code };
    const ran = await daypassProcess(["sign", "--batch", "-", "--out", out], { input: jsonLines([pinned]), env });
    expect([code, ran.status, readFileSync(out, "utf8").split("\n").length - 1]).toEqual([code, status, lines]);
    expect(ran.stderr).toContain(status === 0 ? "warning: this user may not change the mode" : "--out ");
  }
});

test("writes to standard output with --out -", async () => {
  const cwd = temporaryFolder();
  const input = jsonLines([pinned]);
  for (const command of ["sign", "verify"]) {
    const { status, stdout } = await daypassProcess([command, "--batch", "-", "--out", "-"], { input, cwd });
    expect([status, parseLines(stdout).length]).toEqual([0, 1]);
  }
  const key = await daypassProcess(["keys", "create", "--state", cwd, "--out", "-"], { cwd });
  expect([key.status, key.stderr]).toEqual([2, expect.stringContaining("--show-secret")]);
  expect(readdirSync(cwd)).toEqual([]);
});
