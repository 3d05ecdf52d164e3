import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { freePort } from "../../tools/free-port.ts";
import { needs } from "../../tools/needs.ts";
import { countsEachUseOnce } from "./one-time.ts";

const postgresql = "/usr/lib/postgresql";
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Starts a server in a separate folder. PostgreSQL refuses to run as root, so it runs as its own user there. */
async function start(command: readonly string[], asPostgres = false): Promise<void> {
  const [file = "", ...args] = asPostgres ? asUser(command) : command;
  const child = spawn(file, args, { stdio: "ignore" });
  closing.push(async () => {
    const ended = once(child, "exit");
    child.kill();
    await ended;
  });
}

function asUser(command: readonly string[]): readonly string[] {
  return process.getuid?.() === 0
    ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", ...command]
    : command;
}

function folder(): string {
  const path = mkdtempSync("/tmp/daypass-uses-");
  chmodSync(path, 0o777);
  closing.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function listening(port: number): Promise<void> {
  await expect
    .poll(async () => {
      const socket = connect(port, "127.0.0.1");
      const isOpen = await new Promise((resolve) =>
        socket.once("connect", () => resolve(true)).once("error", () => resolve(false)),
      );
      socket.destroy();
      return isOpen;
    })
    .toBe(true);
}

const noValkey = needs("valkey-server");
it.skipIf(noValkey)(`counts each use once in Valkey${noValkey ?? ""}`, async () => {
  const [port, dir] = [await freePort(), folder()];
  await start(["valkey-server", "--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--appendonly", "yes"]);
  await listening(port);
  process.env["VALKEY_URL"] = `redis://127.0.0.1:${port}`;
  const { uses, valkey } = await import("../routes/one-time-valkey.js");
  closing.push(() => valkey.disconnect());
  await countsEachUseOnce(uses);
});

const noPostgres = needs("pg_ctlcluster");
it.skipIf(noPostgres)(`counts each use once in PostgreSQL${noPostgres ?? ""}`, async () => {
  const bin = `${postgresql}/${readdirSync(postgresql).sort().at(-1)}/bin`;
  const [port, dir] = [await freePort(), folder()];
  const data = join(dir, "data");
  const [file = "", ...args] = asUser([`${bin}/initdb`, "-D", data, "-U", "app", "-A", "trust", "--no-sync"]);
  execFileSync(file, args, { stdio: "ignore", cwd: "/" });
  await start([`${bin}/postgres`, "-D", data, "-p", String(port), "-k", dir, "-h", "127.0.0.1"], true);
  await listening(port);
  process.env["DATABASE_URL"] = `postgres://app@127.0.0.1:${port}/postgres`;
  const { pool, uses } = await import("../routes/one-time-postgresql.js");
  closing.push(() => pool.end());
  await countsEachUseOnce(uses);
});
