/** PostgreSQL of Debian on loopback, for tests. Never runs as root. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { needs } from "./needs.ts";

const ROOT = "/usr/lib/postgresql";

/** The newest installed version. */
const bin = existsSync(ROOT)
  ? join(ROOT, readdirSync(ROOT).sort((a, b) => Number(b) - Number(a))[0] ?? "", "bin")
  : ROOT;

/** Why tests that need PostgreSQL are skipped; `undefined` if it is installed. */
export function needsPostgres(...others: readonly string[]): string | undefined {
  return needs("pg_lsclusters", "runuser", ...others);
}

/** A running server. */
export interface PostgresServer {
  readonly port: number;
  readonly folder: string;
  readonly url: string;
  start(): Promise<void>;
  /** `immediate` is a crash: the server recovers at its next start. */
  stop(mode?: "fast" | "immediate"): Promise<void>;
  /** Runs a program of this version, and returns its output. */
  run(name: string, args: readonly string[], input?: string): string;
  /** Runs SQL, and returns its output without headers. */
  sql(text: string): string;
  /** A standby that streams from this server: asynchronous, unless the server names it. Not started. */
  standby(): Promise<PostgresServer>;
  /** Makes a standby the primary. */
  promote(): void;
  /** Stops the server and removes its data. */
  remove(): Promise<void>;
}

/** Makes a server with one empty database, and starts it. `within` is a program that runs its arguments, such as `unshare`. */
export async function postgresServer(
  settings: Readonly<Record<string, string>> = {},
  within: readonly string[] = [],
): Promise<PostgresServer> {
  const folder = ownFolder();
  run("initdb", ["-D", folder, "-A", "trust", "-U", "daypass", "-N", "--no-instructions", "-E", "UTF8"]);
  const server = await serverIn(folder, settings, within);
  await server.start();
  return server;
}

function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "daypass-pg-"));
  if (process.getuid?.() !== 0) return folder;
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" })));
  chownSync(folder, uid ?? 0, gid ?? 0);
  return folder;
}

function command(name: string, args: readonly string[]): [string, string[]] {
  const full = [join(bin, name), ...args];
  return process.getuid?.() === 0 ? ["runuser", ["-u", "postgres", "--", ...full]] : [full[0] ?? "", full.slice(1)];
}

function run(name: string, args: readonly string[], input = ""): string {
  return execFileSync(...command(name, args), { encoding: "utf8", cwd: "/", input, stdio: ["pipe", "pipe", "pipe"] });
}

async function serverIn(
  folder: string,
  settings: Readonly<Record<string, string>>,
  within: readonly string[] = [],
): Promise<PostgresServer> {
  const port = await freePort();
  const config: Readonly<Record<string, string>> = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    shared_buffers: "32MB",
    max_connections: "100",
    // By default a start after a crash flushes each file of the folder.
    recovery_init_sync_method: "syncfs",
    ...settings,
    port: String(port),
  };
  const flags = Object.entries(config).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const url = `postgres://daypass@127.0.0.1:${port}/postgres`;
  const sql = (text: string): string => run("psql", ["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", text]).trim();
  let child: ReturnType<typeof spawn> | undefined;
  const server: PostgresServer = {
    port,
    folder,
    url,
    run,
    sql,
    async start() {
      const [first, rest] = command("postgres", ["-D", folder, ...flags]);
      const [program = first, ...args] = [...within, first, ...rest];
      child = spawn(program, args, { stdio: "ignore", cwd: "/" });
      for (;;) {
        try {
          sql("SELECT 1");
          return;
        } catch (error) {
          if (child.exitCode !== null) throw error;
          await setTimeout(20);
        }
      }
    },
    async stop(mode = "fast") {
      const ending = child;
      if (ending === undefined || ending.exitCode !== null) return;
      const ended = once(ending, "exit");
      run("pg_ctl", ["stop", "-D", folder, "-m", mode, "-W"]);
      await ended;
    },
    async standby() {
      const copy = ownFolder();
      run("pg_basebackup", ["-d", url, "-D", copy, "-R", "-X", "stream", "-c", "fast"]);
      return serverIn(copy, settings);
    },
    promote: () => void run("pg_ctl", ["promote", "-D", folder, "-w"]),
    async remove() {
      await server.stop("immediate");
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return server;
}

/** A running pgbouncer. */
export interface PgBouncer {
  readonly url: string;
  /** Sends its clients to another server, as an operator does after a failover. */
  moveTo(server: PostgresServer): void;
  stop(): Promise<void>;
}

/** pgbouncer in transaction mode in front of a server. */
export async function pgbouncer(server: PostgresServer): Promise<PgBouncer> {
  const folder = ownFolder();
  const port = await freePort();
  const file = join(folder, "pgbouncer.ini");
  const configure = (target: number): void =>
    writeFileSync(
      file,
      `[databases]\n* = host=127.0.0.1 port=${target} user=daypass\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}\n` +
        `auth_type = any\nauth_file =\nadmin_users = daypass\npool_mode = transaction\ndefault_pool_size = 10\nmax_client_conn = 500\nserver_login_retry = 0\nunix_socket_dir =\n`,
    );
  configure(server.port);
  const name = process.getuid?.() === 0 ? ["runuser", "-u", "postgres", "--"] : [];
  const [first = "", ...rest] = [...name, "/usr/sbin/pgbouncer", file];
  const child = spawn(first, rest, { stdio: "ignore", cwd: "/" });
  const address = `postgres://daypass@127.0.0.1:${port}`;
  const url = `${address}/postgres`;
  const sql = (database: string, text: string): string =>
    run("psql", ["-XAtq", "-d", `${address}/${database}`, "-c", text]);
  for (let isUp = false; !isUp; ) {
    try {
      sql("postgres", "SELECT 1");
      isUp = true;
    } catch (error) {
      if (child.exitCode !== null) throw error;
      await setTimeout(20);
    }
  }
  return {
    url,
    moveTo(target) {
      configure(target.port);
      sql("pgbouncer", "RELOAD");
    },
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
