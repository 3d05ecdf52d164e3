import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { needsPostgres, postgresServer } from "../../../tools/postgres-server.ts";
import { daypass, nodeArguments, temporaryFolder } from "./command.ts";

test.skipIf(process.getuid?.() !== 0)("keeps the owner of keys that root changes", async () => {
  const nobody = 65_534;
  const ownerOf = (path: string): readonly number[] => [statSync(path).uid, statSync(path).gid];
  const root = temporaryFolder();
  chownSync(root, nobody, nobody);
  const state = join(root, "var", "state");
  const secret = join(root, "secret");
  const keys = (...args: readonly string[]) => daypass(["keys", ...args, "--state", state]);
  const made = await keys("create", "--out", secret, "--json");
  for (const path of [dirname(state), state, join(state, "keys.json"), join(state, "master.key")])
    expect(ownerOf(path)).toEqual([nobody, nobody]);
  // The file of --out belongs to root.
  expect(ownerOf(secret)).toEqual([0, 0]);
  chownSync(state, 0, 0);
  expect((await keys("revoke", JSON.parse(made.stdout).id)).status).toBe(0);
  expect(ownerOf(join(state, "keys.json"))).toEqual([nobody, nobody]);
});

const withoutRights = ["--bounding-set=-dac_override,-dac_read_search"];
const canDrop = spawnSync("setpriv", [...withoutRights, "true"]).status === 0;

test.skipIf(process.getuid?.() !== 0 || !canDrop)("names the folder that a start may not read", () => {
  const root = temporaryFolder();
  const own = join(root, ".daypass");
  mkdirSync(own, { mode: 0o700 });
  chownSync(own, 65_534, 65_534);
  const command = [process.execPath, ...nodeArguments, "serve", root, "--port", "0"];
  const { status, stderr } = spawnSync("setpriv", [...withoutRights, ...command], { encoding: "utf8" });
  expect([status, stderr]).toEqual([1, expect.stringContaining(`read and write ${own}`)]);
});

/** Files of the disk storage: they have the modes of objects. */
const INDEX = /^(?:Probe|files-bucket|index|objects|owner\.db|uploads)/;

const NOBODY = { uid: 65_534, gid: 65_534 };

/** A served folder of a service user, and root's commands on it. */
function machine(env: Readonly<Record<string, string>> = {}) {
  const folder = temporaryFolder();
  const root = join(folder, "root");
  const state = join(root, ".daypass");
  mkdirSync(join(root, "media"), { recursive: true });
  mkdirSync(state, { mode: 0o700 });
  writeFileSync(join(root, "media/a.txt"), "a");
  for (const path of [folder, root, join(root, "media"), state]) chownSync(path, NOBODY.uid, NOBODY.gid);
  const configs = {
    sqlite: { folder: state },
    postgres: { folder: state, postgres: { variable: "DAYPASS_POSTGRES" } },
  };
  for (const [name, config] of Object.entries(configs))
    writeFileSync(join(folder, `${name}.json`), JSON.stringify({ root: "root", listen: { port: 0 }, state: config }));
  let made = 0;
  return {
    folder,
    state,
    /** Runs a command as root. Returns the resource that it prints. */
    async run(line: string, expected = 0): Promise<Readonly<Record<string, string>>> {
      const { status, stdout, stderr } = await daypass([...line.split(" "), "--json"], { env });
      expect([line, status, status === expected ? "" : stdout + stderr]).toEqual([line, expected, ""]);
      return stdout.startsWith("{") ? JSON.parse(stdout.split("\n")[0] ?? "") : {};
    },
    secret: () => `--out ${join(folder, `secret-${made++}`)}`,
    /** The entries of the state folder that the service user could not use, or others could. */
    foreign: () =>
      readdirSync(state).filter((name) => {
        const { uid, gid, mode } = statSync(join(state, name));
        return uid !== NOBODY.uid || gid !== NOBODY.gid || (!INDEX.test(name) && (mode & 0o077) !== 0);
      }),
    /** Starts the gateway as the service user. */
    async serve(engine: keyof typeof configs = "sqlite") {
      const config = join(folder, `${engine}.json`);
      const child = spawn(process.execPath, [...nodeArguments, "serve", "--config", config, "--json", "--show-url"], {
        env: { PATH: process.env["PATH"], ...env },
        cwd: folder,
        ...NOBODY,
      });
      onTestFinished(() => void child.kill("SIGTERM"));
      let log = "";
      child.stderr.on("data", (chunk) => {
        log += chunk;
      });
      const [line] = await Promise.race([once(child.stdout, "data"), once(child, "close")]);
      const { presignedUrl } = typeof line === "object" && line !== null ? JSON.parse(String(line)) : {};
      expect([presignedUrl === undefined ? log : ""]).toEqual([""]);
      return {
        get: async () => [(await fetch(presignedUrl)).status, child.exitCode],
        async stop() {
          child.kill("SIGTERM");
          expect((await once(child, "close"))[0]).toBe(0);
        },
      };
    },
  };
}
type Machine = ReturnType<typeof machine>;

const link = ({ run, state }: Machine) => run(`links create media/a.txt --state ${state}`);
const key = ({ run, state, secret }: Machine) => run(`keys create --state ${state} ${secret()}`);

/** Commands of root that can create a file. */
const commands: Readonly<Record<string, (one: Machine) => Promise<unknown>>> = {
  "keys create": key,
  "keys rotate": async (one) => one.run(`keys rotate ${(await key(one))["id"]} --state ${one.state} ${one.secret()}`),
  "keys revoke": async (one) => {
    // Another one, for the URL of the start.
    await key(one);
    await one.run(`keys revoke ${(await key(one))["id"]} --state ${one.state}`);
  },
  "links create": link,
  "links list": ({ run, state }) => run(`links list --state ${state}`),
  "links revoke": async (one) => one.run(`links revoke ${(await link(one))["id"]} --state ${one.state}`),
  "links backup": async (one) => {
    await link(one);
    await one.run(`links backup ${join(one.folder, "copy.db")} --state ${one.state}`);
    expect(statSync(join(one.folder, "copy.db")).mode & 0o077).toBe(0);
  },
  "tokens create": ({ run, state }) => run(`tokens create --label shop --scope links:read --state ${state}`),
  "webhooks add": ({ run, state }) => run(`webhooks add https://hooks.example.com/ --state ${state}`),
  "revoke --prefix": ({ run, state }) => run(`revoke --prefix media/secret/ --state ${state}`),
  "audit export": async (one) => {
    await link(one);
    await one.run(`audit export --state ${one.state}`);
  },
  "audit verify": async (one) => {
    await link(one);
    await one.run(`audit verify --state ${one.state}`);
  },
  "audit accept-restore": async (one) => {
    await link(one);
    // Nothing was restored.
    await one.run(`audit accept-restore --state ${one.state}`, 1);
  },
};

describe.skipIf(process.getuid?.() !== 0)("a command of root on the folder of a service user", () => {
  test.each(Object.entries(commands))("leaves a whole folder before the first start: %s", async (_, command) => {
    const one = machine();
    await command(one);
    expect(one.foreign()).toEqual([]);
    const gateway = await one.serve();
    expect([await gateway.get(), one.foreign()]).toEqual([[200, null], []]);
    await gateway.stop();
  });

  test("leaves a whole folder while the gateway serves, and after it", async () => {
    const one = machine();
    let gateway = await one.serve();
    for (const [name, command] of Object.entries(commands)) {
      await command(one);
      expect([name, await gateway.get(), one.foreign()]).toEqual([name, [200, null], []]);
      rmSync(join(one.folder, "copy.db"), { force: true });
    }
    await gateway.stop();
    await link(one);
    expect(one.foreign()).toEqual([]);
    gateway = await one.serve();
    expect(await gateway.get()).toEqual([200, null]);
    await gateway.stop();
  });

  const reason = needsPostgres();
  test.skipIf(reason)(`leaves a whole folder by a move into PostgreSQL${reason ?? ""}`, async () => {
    const server = await postgresServer({ fsync: "off" });
    onTestFinished(() => server.remove());
    const one = machine({ DAYPASS_POSTGRES: server.url });
    await (await one.serve()).stop();
    await link(one);
    await one.run(`state move --config ${join(one.folder, "postgres.json")}`);
    expect(one.foreign()).toEqual([]);
    for (const name of ["keys create", "keys revoke", "links create"]) {
      await commands[name]?.(one);
      expect([name, one.foreign()]).toEqual([name, []]);
    }
    const gateway = await one.serve("postgres");
    for (const name of ["keys rotate", "links create", "tokens create"]) {
      await commands[name]?.(one);
      expect([name, await gateway.get(), one.foreign()]).toEqual([name, [200, null], []]);
    }
    await gateway.stop();
  });
});
