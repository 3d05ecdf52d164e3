import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { s3Signer } from "daypass/s3";
import { expect, onTestFinished, test } from "vitest";
import { nodeArguments, temporaryFolder } from "./command.ts";
import { exampleFiles } from "./serving.ts";

const MANY = 500;

/** A gateway whose log pipe is full. */
async function unread(args: readonly string[], env = {}) {
  const pipe = join(temporaryFolder(), "log");
  execFileSync("mkfifo", [pipe]);
  const log = openSync(pipe, constants.O_RDWR);
  onTestFinished(() => closeSync(log));
  const child = spawn(process.execPath, [...nodeArguments, "serve", ...args, "--port", "0", "--json"], {
    stdio: ["ignore", "pipe", log],
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  if (child.stdout === null) throw new Error("expected a pipe");
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const said = JSON.parse(line);
  const socket = connect(Number(new URL(said.url).port), "127.0.0.1");
  // More lines than the pipe of 64 KB takes.
  socket.write("GET /a HTTP/1.1\r\nhost: a\r\n\r\n".repeat(MANY));
  // A chunk may end inside the marker.
  let answers = "";
  for await (const chunk of socket.setEncoding("latin1")) {
    answers += chunk;
    if (answers.split("HTTP/1.1 ").length > MANY) break;
  }
  return { child, said };
}

// `daypass serve 2>&1 | less`: the pipe blocks its writer.
test("stops after SIGTERM with a full log pipe", async () => {
  const { child } = await unread([exampleFiles()]);
  child.kill("SIGTERM");
  expect((await once(child, "exit"))[0]).toBe(0);
});

test("stops if a cut request ends while the log pipe is full", async () => {
  const copies: ServerResponse[] = [];
  const upstream = createServer((request, response) => {
    if (request.method !== "PUT") response.writeHead(200, { etag: '"e"', "content-length": 1 }).end();
    else if (response.writeHead(200).write(" ")) copies.push(response);
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  onTestFinished(() => void upstream.close());
  const config = join(temporaryFolder(), "config.json");
  const endpoint = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const storage = { driver: "s3", endpoint, bucket: "media" };
  writeFileSync(config, JSON.stringify({ root: ".", state: "state", storage, drainSeconds: 0 }));
  const env = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" };
  const { child, said } = await unread(["--config", config, "--workers", "0", "--show-secret"], env);
  const signer = s3Signer({ endpoint: said.url, region: "us-east-1", credentials: said });
  const headers = { "x-amz-copy-source": "/media/a" };
  const { url } = signer.sign({ method: "PUT", bucket: "media", key: "b", headers, expiresIn: 60 });
  fetch(url, { method: "PUT", headers }).catch(() => undefined);
  await expect.poll(() => copies.length).toBe(1);
  child.kill("SIGTERM");
  // The gateway gives up the copy after one second, and waits two more seconds for the log.
  setTimeout(() => copies[0]?.destroy(), 1500);
  expect((await once(child, "exit"))[0]).toBe(0);
});
