import { once } from "node:events";
import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { RevocationChange } from "@daypass/gateway/state";
import { expect, test } from "vitest";
import { revocationFile } from "../src/state-owner/revocation-file.ts";
import { daypass } from "./command.ts";
import { children, exampleFiles, serve, status } from "./serving.ts";
import { LATE, preparedGateway } from "./start-without-state.ts";

test("a worker that replaces a killed one reads no request while the state is silent and the copy too old, and ends at SIGTERM", async () => {
  const { begin } = await preparedGateway({ copies: "none", workers: "2", links: { maxRevocationAgeSeconds: 1 } });
  const { child, log, seen, isAnnounced } = begin();
  await expect.poll(() => isAnnounced() && seen.link.has(200), LATE).toBe(true);
  const { owner, workers } = children(child.pid);
  const ended = once(child, "close");
  let replacement = 0;
  process.kill(owner, "SIGSTOP");
  try {
    process.kill(workers[0] ?? 0, "SIGKILL");
    await expect.poll(log, LATE).toContain("no request is read until it does");
    [replacement = 0] = children(child.pid).workers.filter((id) => !workers.includes(id));
    child.kill("SIGTERM");
    await expect.poll(() => children(child.pid).workers, LATE).not.toContain(replacement);
  } finally {
    process.kill(owner, "SIGCONT");
  }
  expect(await ended).toEqual([0, null]);
  expect(log()).not.toContain("is cut off");
  expect(log()).not.toMatch(new RegExp(`"pid":${replacement},"hostname":"[^"]*","msg":"request"`));
  expect([...seen.revoked].filter((one) => ![403, 503, "refused"].includes(one))).toEqual([]);
  expect([...seen.link].filter((one) => ![200, 503, "refused"].includes(one))).toEqual([]);
}, 180_000);

test("serves everything else when the links cannot open at a reload, opens them later, and copies the last revocation when it stops", async () => {
  const root = exampleFiles();
  const state = join(root, ".daypass");
  const { child, said, log, stop } = await serve(root, "--port", "0");
  mkdirSync(join(state, "state.db"));
  child.kill("SIGHUP");
  await expect.poll(log, LATE).toContain("the links cannot open, everything else is served");
  await expect.poll(log, LATE).toContain("configuration and keys were reloaded");
  expect(await status(said.presignedUrl)).toBe(200);
  const ready = () => Promise.all(["", "?links"].map((query) => status(`${said.url}/-/readyz${query}`)));
  expect(await ready()).toEqual([200, 503]);
  rmdirSync(join(state, "state.db"));
  const made = await daypass(["links", "create", "files/readme.txt", "--state", state, "--json"]);
  expect([made.status, made.stderr]).toEqual([0, ""]);
  expect([await status(JSON.parse(made.stdout).url), await status(said.presignedUrl)]).toEqual([200, 200]);
  expect(await ready()).toEqual([200, 200]);

  const changes: RevocationChange[] = [];
  expect((await daypass(["revoke", said.presignedUrl, "--state", state])).status).toBe(0);
  expect(await stop()).toBe(0);
  // The next start may have nothing but this copy.
  revocationFile(join(state, "revocations.log")).load({ apply: (more) => void changes.push(...more) });
  expect(changes).toHaveLength(1);
}, 180_000);
