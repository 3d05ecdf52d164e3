import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { freePort, listening } from "./process.ts";

const BIN = "/usr/lib/postgresql/17/bin";

/** A PostgreSQL with its default settings, and 32 connections to it. */
export interface Postgres {
  readonly url: string;
  query(text: string, values: readonly string[]): Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts one, or returns why not. */
export async function postgres(): Promise<Postgres | string> {
  if (!existsSync(`${BIN}/postgres`)) return "postgresql-17 is not installed";
  const isRoot = process.getuid?.() === 0;
  const as = (...words: readonly string[]): [string, string[]] =>
    isRoot ? ["runuser", ["-u", "postgres", "--", ...words]] : [words[0] ?? "", words.slice(1)];
  const folder = mkdtempSync(join(tmpdir(), "daypass-bench-"));
  if (isRoot)
    chownSync(folder, Number(execFileSync("id", ["-u", "postgres"])), Number(execFileSync("id", ["-g", "postgres"])));
  execFileSync(...as(`${BIN}/initdb`, "-D", folder, "-A", "trust", "-U", "daypass", "--no-instructions"), {
    stdio: "ignore",
  });
  const port = await freePort();
  const flags = ["-c", `port=${port}`, "-c", "listen_addresses=127.0.0.1", "-c", `unix_socket_directories=${folder}`];
  const child = spawn(...as(`${BIN}/postgres`, "-D", folder, ...flags), { stdio: "ignore" });
  await listening(port);
  const url = `postgres://daypass@127.0.0.1:${port}/postgres`;
  const pool = new pg.Pool({ connectionString: url, max: 32 });
  return {
    url,
    query: (text, values) => pool.query({ name: "one", text, values: [...values] }),
    async stop() {
      await pool.end();
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
