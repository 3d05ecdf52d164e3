import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { daypass, temporaryFolder } from "./command.ts";
import { serve } from "./serving.ts";

const ROUNDS = 6;
const AT_ONCE = 20;

/** The processes below one: the workers and the owner of the state. */
function below(pid: number): number[] {
  const children = execFileSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" });
  return children.trim().split(/\s+/).filter(Boolean).map(Number);
}

test("no notification of an answered claim is lost when the gateway or its state is killed, and the audit verifies", async () => {
  const got = new Map<string, string[]>();
  let busy = true;
  const receiver = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    // A receiver that is slow and sometimes fails keeps notifications in the outbox at the kill.
    await sleep(20);
    if (busy && Math.random() < 0.2) return void response.writeHead(503).end();
    const { type, data } = JSON.parse(body);
    got.set(data.delivery, [...(got.get(data.delivery) ?? []), type]);
    response.end();
  }).listen(0, "127.0.0.1");
  await once(receiver, "listening");
  onTestFinished(() => void receiver.close());
  const folder = temporaryFolder();
  mkdirSync(join(folder, "files"));
  writeFileSync(join(folder, "files/a.txt"), "first");
  const config = join(folder, "config.json");
  writeFileSync(
    config,
    JSON.stringify({ root: ".", webhooks: { allowNetworks: ["127.0.0.0/8"] }, audit: { headsFile: "heads" } }),
  );
  const place = ["--state", join(folder, ".daypass")] as const;
  const target = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  let answered = 0;
  let isFirst = true;
  for (let round = 0; round < ROUNDS; round++) {
    const gateway = await serve(folder, "--port", "0", "--workers", "2", "--config", config);
    if (isFirst) await daypass(["links", "create", "files/a.txt", ...place]);
    if (isFirst) await daypass(["webhooks", "add", target, ...place]);
    isFirst = false;
    const urls: string[] = [];
    for (let at = 0; at < AT_ONCE; at++) {
      const made = await daypass(["links", "create", "files/a.txt", "--max-deliveries", "1", "--json", ...place]);
      urls.push(JSON.parse(made.stdout).url);
    }
    const serving = JSON.parse(readFileSync(join(folder, ".daypass/serving.json"), "utf8"));
    const victims = below(serving.pid);
    const claims = urls.map(async (url, at) => {
      await sleep(at * 10);
      const response = await fetch(`${url}?dl=${String(round).padStart(20, "0")}`).catch(() => undefined);
      // The head is sent after the start was committed.
      if (response?.status === 200) answered += 1;
      await response?.text().catch(() => "");
    });
    await sleep(Math.random() * 200);
    if (round % 2 === 0) for (const pid of victims) process.kill(pid, "SIGKILL");
    else for (const pid of [serving.pid, ...victims]) process.kill(pid, "SIGKILL");
    await Promise.all(claims);
    const { exitCode, signalCode } = gateway.child;
    if (exitCode === null && signalCode === null) await gateway.stop("SIGKILL");
    await sleep(500);
  }
  busy = false;
  const last = await serve(folder, "--port", "0", "--config", config);
  const started = (): number => [...got.values()].filter((types) => types.includes("delivery.started")).length;
  expect(answered).toBeGreaterThan(0);
  await expect.poll(started, { timeout: 400_000, interval: 1000 }).toBeGreaterThanOrEqual(answered);
  // In order: a delivery is never completed before it is started.
  for (const types of got.values()) expect(types[0]).toBe("delivery.started");
  await last.stop();
  const verified = await daypass(["audit", "verify", "--heads-file", join(folder, "heads"), ...place]);
  expect([verified.stdout, verified.status]).toEqual([expect.stringMatching(/^as signed/), 0]);
});
