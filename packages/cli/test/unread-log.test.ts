import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { nodeArguments, temporaryFolder } from "./command.ts";
import { exampleFiles } from "./serving.ts";

const MANY = 500;

// `daypass serve 2>&1 | less`: the pipe of a shell makes its writer wait, and nothing ends a write that waits.
test("stops when it is asked to, although nobody reads its log", async () => {
  const pipe = join(temporaryFolder(), "log");
  execFileSync("mkfifo", [pipe]);
  const log = openSync(pipe, constants.O_RDWR);
  onTestFinished(() => closeSync(log));
  const child = spawn(process.execPath, [...nodeArguments, "serve", exampleFiles(), "--port", "0", "--json"], {
    stdio: ["ignore", "pipe", log],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  if (child.stdout === null) throw new Error("expected a pipe");
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const socket = connect(Number(new URL(JSON.parse(line).url).port), "127.0.0.1");
  // More lines than the pipe of 64 KB takes.
  socket.write("GET /a HTTP/1.1\r\nhost: a\r\n\r\n".repeat(MANY));
  let answers = 0;
  for await (const chunk of socket.setEncoding("latin1")) {
    answers += chunk.split("HTTP/1.1 ").length - 1;
    if (answers >= MANY) break;
  }
  child.kill("SIGTERM");
  expect((await once(child, "exit"))[0]).toBe(0);
});
