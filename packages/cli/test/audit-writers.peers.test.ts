/** The writers of an audit that several gateways share in one PostgreSQL. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { IN_NAMESPACE, needsMounts } from "../../../tools/mounts.ts";
import { needsPostgres, type PostgresServer, postgresServer } from "../../../tools/postgres-server.ts";
import { daypass, nodeArguments, temporaryFolder } from "./command.ts";
import { children } from "./serving.ts";

const reason = needsPostgres() ?? needsMounts();

/** A gateway that was started. */
interface Gateway {
  log(): string;
  stop(): Promise<void>;
  /** Sends a signal to the process that owns the state. */
  signalOwner(signal: NodeJS.Signals): void;
  /** Kills all of its processes. */
  kill(): Promise<void>;
}

describe.skipIf(reason)(`the writers of replicas${reason ?? ""}`, () => {
  let server: PostgresServer;
  let env: Readonly<Record<string, string>>;
  beforeAll(async () => {
    server = await postgresServer({ fsync: "off" });
  });
  afterAll(() => server.remove());
  beforeEach(() => {
    server.sql("DROP SCHEMA IF EXISTS daypass CASCADE");
    const master = join(temporaryFolder(), "master");
    writeFileSync(master, randomBytes(32).toString("base64"), { mode: 0o600 });
    env = { PATH: process.env["PATH"] ?? "", DAYPASS_POSTGRES: server.url, DAYPASS_MASTER_KEY_FILE: master };
  });

  /** The folder of a machine, which each machine has at the same path. */
  function machine(from?: string): string {
    const folder = temporaryFolder();
    if (from !== undefined) {
      cpSync(from, folder, { recursive: true, filter: (path) => !path.endsWith(".sock") });
      return folder;
    }
    mkdirSync(join(folder, "root/media"), { recursive: true });
    writeFileSync(join(folder, "root/media/report.pdf"), "a report");
    mkdirSync(join(folder, "state"), { mode: 0o700 });
    return folder;
  }

  /** Starts the gateway of a machine: every machine has the same host name, and the same path. Rejects if it ends. */
  async function start(folder: string, path: string): Promise<Gateway> {
    const config = {
      root: join(folder, "root"),
      state: { folder: join(path, "state"), postgres: { variable: "DAYPASS_POSTGRES" } },
      listen: { port: 0 },
    };
    writeFileSync(join(folder, "daypass.json"), JSON.stringify(config));
    const command = [process.execPath, ...nodeArguments, "serve", "--config", join(path, "daypass.json"), "--json"];
    const script = 'mount --bind "$1" "$2"; shift 2; exec "$@"';
    const child = spawn("unshare", [...IN_NAMESPACE, script, "sh", folder, path, ...command], {
      env: { ...env, HOME: folder },
    });
    onTestFinished(() => void child.kill("SIGTERM"));
    let log = "";
    child.stderr.on("data", (chunk: Buffer) => {
      log += chunk;
    });
    const closed = once(child, "close");
    const [line] = await once(createInterface({ input: child.stdout }), "line");
    if (JSON.parse(line).error !== undefined) {
      await closed;
      throw new Error(`serve ended: ${log}`);
    }
    const { owner } = children(child.pid);
    return {
      log: () => log,
      async stop() {
        child.kill("SIGTERM");
        await closed;
      },
      signalOwner: (signal) => void process.kill(owner, signal),
      async kill() {
        child.kill("SIGKILL");
        process.kill(owner, "SIGKILL");
        await closed;
      },
    };
  }

  const run = async (folder: string, ...args: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await daypass([...args, "--state", join(folder, "state")], { env });
    return `${stdout}${stderr}`;
  };
  const create = (folder: string, ...more: readonly string[]) =>
    run(folder, "links", "create", "s3://media/report.pdf", "--json", ...more).then(JSON.parse);

  const writers = (): string => server.sql("SELECT string_agg(writer, ' ' ORDER BY writer) FROM daypass.audit_writer");
  const writerIn = (folder: string) => JSON.parse(readFileSync(join(folder, "state/writer"), "utf8"));
  const COPY = "is a copy, or was copied";

  test("are two for two replicas with the same host name and folder", async () => {
    const [one, two, path] = [machine(), machine(), temporaryFolder()];
    const first = await start(one, path);
    for (const name of ["audit.key", "audit.pub"]) cpSync(join(one, "state", name), join(two, "state", name));
    const second = await start(two, path);
    await create(one);
    await create(two);
    await second.stop();
    await create(one);
    await first.stop();
    expect(writers()).toBe([writerIn(one).id, writerIn(two).id].sort().join(" "));
    expect(await run(one, "audit", "verify")).toMatch(/^as signed/);
  }, 60_000);

  test("continue at once after a kill, and are refused to a copy of the folder, which suspends no link", async () => {
    const [one, path] = [machine(), temporaryFolder()];
    const original = await start(one, path);
    const link = await create(one, "--max-deliveries", "3");
    const copy = machine(one);
    const { number } = writerIn(copy);
    await expect.poll(() => writerIn(one).number, { timeout: 20_000 }).toBeGreaterThan(number);
    await expect(start(copy, path)).rejects.toThrow(COPY);
    await original.kill();
    const again = await start(one, path);
    await create(one);
    expect((await run(one, "links", "show", link.id, "--json").then(JSON.parse)).suspended).toBeUndefined();
    await again.stop();
    expect(writers()).toBe(writerIn(one).id);
    expect(await run(one, "audit", "verify")).toMatch(/^as signed/);
  }, 60_000);

  test("have their records signed by another replica after they died", async () => {
    const [one, two, path] = [machine(), machine(), temporaryFolder()];
    const first = await start(one, path);
    for (const name of ["audit.key", "audit.pub"]) cpSync(join(one, "state", name), join(two, "state", name));
    const second = await start(two, path);
    await create(one);
    await first.kill();
    expect(await run(two, "audit", "verify")).toMatch(/ have no head yet\n$/);
    server.sql(`UPDATE daypass.writer_lease SET until = now() WHERE writer = '${writerIn(one).id}'`);
    await second.stop();
    expect(await run(two, "audit", "verify")).toMatch(/^as signed: \d+ records under \d+ heads\n$/);
  }, 60_000);

  test("pass to a copy that starts while the original is frozen, which then stops recording", async () => {
    const [one, path] = [machine(), temporaryFolder()];
    const original = await start(one, path);
    await create(one);
    original.signalOwner("SIGSTOP");
    const copy = machine(one);
    const second = await start(copy, path);
    original.signalOwner("SIGCONT");
    await expect.poll(original.log, { timeout: 20_000 }).toContain(COPY);
    expect(await run(one, "links", "create", "s3://media/report.pdf")).toContain("STATE");
    await create(copy);
    await second.stop();
    await original.stop();
    await expect(start(one, path)).rejects.toThrow(COPY);
    for (const name of ["writer", "audit.last", "state.run"]) rmSync(join(one, "state", name));
    await (await start(one, path)).stop();
    expect(await run(copy, "audit", "verify")).toMatch(/^as signed/);
  }, 120_000);
});
