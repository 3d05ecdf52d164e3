/** A second gateway on a state folder: it must refuse at once, and the first one must not notice. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { freePort } from "../../../tools/free-port.ts";
import { daypass, daypassProcess, type RunOptions } from "./command.ts";
import { serveWith, status } from "./serving.ts";

interface Second extends Pick<RunOptions, "env"> {
  readonly state: string;
  /** The arguments of `serve` that name the folder or the configuration. */
  readonly args: readonly string[];
  /** An object, as a target of links. */
  readonly key: string;
  /** Processes of the first gateway. */
  readonly workers: string;
}

export async function refusesSecond({ state, args, key, workers, env = {} }: Second): Promise<void> {
  const port = String(await freePort());
  const first = await serveWith({ env }, ...args, "--port", port, "--workers", workers);
  const run = (...line: readonly string[]) => daypass([...line, "--state", state, "--json"], { env });
  const made = await run("links", "create", key);
  expect([made.status, made.stderr]).toEqual([0, ""]);
  const link: string = JSON.parse(made.stdout).url;
  const signed = await run("sign", `${first.said.url}/${key}`, "--expires-in", "1h");
  const s3 = await run("sign", `s3://${key}`, "--endpoint", first.said.s3Endpoint, "--expires-in", "1h");
  const urls = [s3, signed].map(({ stdout }): string => JSON.parse(stdout).url).concat(link);
  const statuses = () => Promise.all(urls.map((url) => status(url, { headers: { connection: "close" } })));
  expect(await statuses()).toEqual([200, 200, 200]);

  const files = ["gateway.sock", "state.sock", "admin.sock", "serving.json", "keys.json", "state.run"];
  const seen = () => {
    const names = readdirSync(state).filter((name) => files.includes(name));
    return names.map((name) => {
      const { ino, mtimeMs } = statSync(join(state, name));
      return [name, ino, mtimeMs];
    });
  };
  const before = seen();
  const others: number[] = [];
  let isOver = false;
  const watch = (async () => {
    while (!isOver) others.push(...(await statuses()).filter((code) => code !== 200));
  })();
  for (const [at, more] of [
    [port, []],
    ["0", []],
    [port, ["--workers", "2"]],
    ["0", ["--workers", "2"]],
  ] as const) {
    const { status: code, stderr } = await daypassProcess(["serve", ...args, "--port", at, ...more], { env });
    const name = `process ${first.child.pid} on `;
    expect([at, more, code, stderr]).toEqual([at, more, 1, expect.stringContaining(name)]);
    expect(stderr).toContain(`port ${port}`);
    expect((await run("links", "list")).status).toBe(0);
  }
  isOver = true;
  await watch;
  expect([others, seen()]).toEqual([[], before]);
  expect((await run("links", "revoke", JSON.parse(made.stdout).id)).status).toBe(0);
  expect(await statuses()).toEqual([200, 200, 410]);
  expect(readFileSync(join(state, "serving.json"), "utf8")).toContain(`"pid":${first.child.pid}`);
  expect(await first.stop()).toBe(0);
}
