/** Gateways that share their keys in one PostgreSQL. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newAuditKey, publicKeys } from "@daypass/gateway/audit";
import { connectState } from "@daypass/gateway/state";
import { s3Signer } from "daypass/s3";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { needsPostgres, type PostgresServer, postgresServer } from "../../../tools/postgres-server.ts";
import { migrations } from "../../gateway/src/state/postgres/migrations.ts";
import { daypass, temporaryFolder } from "./command.ts";
import { WITHIN } from "./replicas.ts";
import { type Running, serveWith, status } from "./serving.ts";

const reason = needsPostgres();

interface Key {
  readonly id: string;
  readonly secretAccessKey: string;
}

describe.skipIf(reason)(`replicas that share keys${reason ?? ""}`, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer({ fsync: "off" });
  });
  afterAll(() => server.remove());
  beforeEach(() => {
    server.sql("DROP SCHEMA IF EXISTS daypass CASCADE");
  });

  const masterKeyFile = (): string => {
    const path = join(temporaryFolder(), "master");
    writeFileSync(path, randomBytes(32).toString("base64"), { mode: 0o600 });
    writeFileSync(`${path}.audit`, newAuditKey().privateKey, { mode: 0o600 });
    return path;
  };

  /** A machine that is not started. Each has the key that signs the audit beside the master key, unless it makes its own. */
  function machine(masterFile: string, audit: object = { keyFile: `${masterFile}.audit` }) {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "root/media"), { recursive: true });
    writeFileSync(join(folder, "root/media/report.pdf"), "a report");
    const state = join(folder, "state");
    const config = {
      root: join(folder, "root"),
      state: { folder: state, postgres: { variable: "DAYPASS_POSTGRES" } },
      listen: { port: 0 },
      audit,
    };
    writeFileSync(join(folder, "daypass.json"), JSON.stringify(config));
    const env = { DAYPASS_POSTGRES: server.url, DAYPASS_MASTER_KEY_FILE: masterFile };
    const run = async (...args: readonly string[]) => {
      const { status: exit, stdout, stderr } = await daypass(["keys", ...args, "--state", state, "--json"], { env });
      if (exit !== 0) throw new Error(stderr);
      return JSON.parse(stdout);
    };
    const start = (...args: readonly string[]): Promise<Running> =>
      serveWith({ env }, "--config", join(folder, "daypass.json"), ...args);
    const command = async (...args: readonly string[]): Promise<string> => {
      const { stdout, stderr } = await daypass([...args, "--state", state], { env });
      return `${stdout}${stderr}`;
    };
    return { state, run, start, command };
  }

  const get = ({ said }: Running, { id, secretAccessKey }: Key): Promise<number> => {
    const credentials = { accessKeyId: id, secretAccessKey };
    const signer = s3Signer({ region: "us-east-1", endpoint: said.s3Endpoint, credentials });
    return status(signer.sign({ bucket: "media", key: "report.pdf", expiresIn: 600 }).url);
  };

  test("create, rotate and revoke a key on one of three: the others know within a second", async () => {
    const master = masterKeyFile();
    const machines = [machine(master), machine(master), machine(master)] as const;
    const running: Running[] = [];
    for (const [at, one] of machines.entries()) running.push(await one.start(...(at === 1 ? ["--workers", "2"] : [])));
    const [one, two, three] = machines;
    const everywhere = (key: Key) => Promise.all(running.map((gateway) => get(gateway, key)));

    const key: Key = await one.run("create", "--show-secret");
    await expect.poll(() => everywhere(key), WITHIN).toEqual([200, 200, 200]);
    const successor: Key = await two.run("rotate", key.id, "--overlap", "0s", "--show-secret");
    await expect.poll(() => everywhere(successor), WITHIN).toEqual([200, 200, 200]);
    await expect.poll(() => everywhere(key), WITHIN).toEqual([403, 403, 403]);
    await three.run("revoke", successor.id);
    await expect.poll(() => everywhere(successor), WITHIN).toEqual([403, 403, 403]);

    expect(existsSync(join(one.state, "keys.json"))).toBe(false);
    const stored = server.sql("SELECT * FROM daypass.key");
    expect(stored).not.toContain("revokedAt");
    expect(stored).not.toContain(key.secretAccessKey);
  }, 60_000);

  test("start on an empty machine, and print the first key", async () => {
    const { said } = await machine(masterKeyFile()).start();
    expect(said.accessKeyId).toMatch(/^DP/);
  }, 60_000);

  test("refuses to start with another master key", async () => {
    await (await machine(masterKeyFile()).start()).stop();
    const { line } = await machine(masterKeyFile()).start();
    expect(JSON.parse(line).error.message).toContain("the master key does not decrypt the keys");
  }, 60_000);

  test("refuses to start with another audit key, until a replica announced it", async () => {
    const master = masterKeyFile();
    const [one, two] = [machine(master), machine(master, {})];
    const first = await one.start();
    const refused = async (): Promise<void> => {
      const { line } = await two.start();
      expect(JSON.parse(line).error.message).toContain("other replicas sign the audit with another key");
    };
    await refused();
    const own = join(two.state, "audit.pub");
    const pem = readFileSync(own, "utf8");
    const [id] = publicKeys(pem).keys();
    server.sql(`INSERT INTO daypass.secret VALUES ('audit key ${id}', convert_to('${pem}', 'UTF8'))`);
    await refused();
    expect(await one.command("audit", "rotate", "--key", own)).toContain(`announced: ${id}`);
    const second = await two.start();
    await two.command("links", "create", "s3://media/report.pdf");
    await second.stop();
    await first.stop();
    const { length } = pem.match(/-BEGIN/g) ?? [];
    expect([length, readFileSync(join(one.state, "audit.pub"), "utf8").match(/-BEGIN/g)?.length]).toEqual([1, 2]);
    for (const { command } of [one, two]) expect(await command("audit", "verify")).toMatch(/^as signed/);
    expect(await one.command("audit", "tail")).toMatch(RegExp(`audit.rotated .*${id}`));
  }, 60_000);

  test("seals the secret of the state, also one of an earlier release, and refuses a clear one afterwards", async () => {
    const one = machine(masterKeyFile());
    const secrets = "daypass.secret WHERE name NOT LIKE 'run %'";
    const sizes = (): readonly string[] =>
      server.sql(`SELECT DISTINCT octet_length(value) > 32 FROM ${secrets}`).split(/\s+/);
    const known = () => server.sql(`UPDATE daypass.secret SET value = sha256('known') WHERE name NOT LIKE 'run %'`);
    await (await one.start()).stop();
    expect(sizes().filter(Boolean)).toEqual(["t"]);

    known();
    server.sql("CREATE TABLE public.known AS SELECT * FROM daypass.secret; DROP SCHEMA daypass CASCADE");
    // The schema of the release before the secrets were sealed.
    server.sql(`CREATE SCHEMA daypass; CREATE TABLE daypass.migration (version int PRIMARY KEY);
      ${migrations.slice(0, 3).join(";")}; INSERT INTO daypass.migration SELECT generate_series(1, 3);
      INSERT INTO daypass.secret SELECT * FROM public.known; DROP TABLE public.known`);
    await (await one.start()).stop();
    expect(sizes().filter(Boolean)).toEqual(["t"]);

    known();
    await one.start();
    const state = connectState({ path: join(one.state, "state.sock") });
    onTestFinished(() => state.close());
    await expect(state.secret("links")).rejects.toThrow("does not decrypt the secret");
  }, 60_000);

  test("takes the keys of keys.json into a database that has none, once", async () => {
    const one = machine(masterKeyFile());
    const key: Key = await one.run("create", "--show-secret");
    expect(existsSync(join(one.state, "keys.json"))).toBe(true);
    const gateway = await one.start();
    expect(await get(gateway, key)).toBe(200);
    expect([existsSync(join(one.state, "keys.json")), existsSync(join(one.state, "keys.json.moved"))]).toEqual([
      false,
      true,
    ]);
    expect(server.sql("SELECT id, version FROM daypass.key").trim()).toBe(`${key.id}|1`);
  }, 60_000);

  test("refuses an older row of a key, reports it, and stores the newer one with the next change", async () => {
    const master = masterKeyFile();
    const one = machine(master);
    const gateway = await one.start();
    const key: Key = await one.run("create", "--show-secret");
    await expect.poll(() => get(gateway, key), WITHIN).toBe(200);
    server.sql(`CREATE TABLE public.older AS SELECT * FROM daypass.key WHERE id = '${key.id}'`);
    await one.run("revoke", key.id);
    await expect.poll(() => get(gateway, key), WITHIN).toBe(403);
    server.sql(`UPDATE daypass.key SET version = o.version, sealed = o.sealed FROM public.older o WHERE key.id = o.id`);
    await expect.poll(() => gateway.log(), WITHIN).toContain("the database has an older version of a key");
    expect(await get(gateway, key)).toBe(403);
    await gateway.stop();
    const again = await one.start();
    expect(await get(again, key)).toBe(403);

    // A version that was not sealed with the row opens nothing.
    server.sql(`UPDATE daypass.key SET version = 9 WHERE id = '${key.id}'`);
    await expect.poll(() => again.log(), WITHIN).toContain("the master key did not seal");
    expect(await get(again, key)).toBe(403);
    server.sql(`UPDATE daypass.key SET version = 1 WHERE id = '${key.id}'; DROP TABLE public.older`);
    await one.run("create", "--show-secret");
    expect(server.sql(`SELECT version FROM daypass.key WHERE id = '${key.id}'`).trim()).toBe("3");
    expect(await get(await machine(master).start(), key)).toBe(403);
  }, 60_000);

  test("serve by the sealed copy when the database is away at the start, and without the copy once it is back", async () => {
    const one = machine(masterKeyFile());
    const first = await one.start();
    const key: Key = await one.run("create", "--show-secret");
    await expect.poll(() => get(first, key), WITHIN).toBe(200);
    expect(readFileSync(join(one.state, "keys.copy"), "utf8")).not.toContain("secret");
    await first.stop();
    await server.stop("immediate");
    const second = await one.start();
    expect(await get(second, key)).toBe(200);
    await second.stop();
    rmSync(join(one.state, "keys.copy"));
    const third = one.start();
    await server.start();
    expect(await get(await third, key)).toBe(200);
  }, 120_000);
});
