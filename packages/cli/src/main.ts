#!/usr/bin/env node
import type { Context } from "./command.ts";
import { runProgram } from "./program.ts";

// The reader of a pipe may close it early (`daypass sign --batch … | head`). That is not an error, but a full disk is.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") process.stderr.write(`daypass: standard output: ${error.message}\n`);
  process.exit(1);
});

// A batch continues if the reader of its progress closes the pipe.
process.stderr.on("error", () => undefined);

let readsInput = false;
const context: Context = {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  get stdin() {
    readsInput = true;
    return process.stdin;
  },
};
process.exitCode = await runProgram(process.argv.slice(2), context);
// A program that reads our output while it holds our input open would otherwise wait for this process to exit.
if (readsInput) process.stdin.destroy();
