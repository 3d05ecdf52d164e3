/** `daypass state move`: links, audit and keys of a SQLite folder in PostgreSQL. */
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { postgresState } from "@daypass/gateway/state";
import { s3Signer } from "daypass/s3";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../../tools/free-port.ts";
import { needsPostgres, type PostgresServer, postgresServer } from "../../../tools/postgres-server.ts";
import { daypass, start, temporaryFolder } from "./command.ts";
import { type Running, serveWith, status } from "./serving.ts";

const reason = needsPostgres();
const SOON = { timeout: 20_000, interval: 50 };

describe.skipIf(reason)(`the move of a state into PostgreSQL${reason ?? ""}`, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer({ fsync: "off" });
  });
  afterAll(() => server.remove());
  beforeEach(() => {
    server.sql("DROP SCHEMA IF EXISTS daypass CASCADE");
  });

  /** A folder with an object, and a configuration for each engine. */
  async function machine() {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "root/media/secret"), { recursive: true });
    for (const key of ["report.pdf", "secret/a"]) writeFileSync(join(folder, "root/media", key), "a report");
    const state = join(folder, "state");
    const config = { root: "root", listen: { port: await freePort() }, webhooks: { allowNetworks: ["127.0.0.0/8"] } };
    const write = (name: string, value: object): string => {
      writeFileSync(join(folder, name), JSON.stringify({ ...config, ...value }));
      return join(folder, name);
    };
    const sqlite = write("sqlite.json", { state: { folder: state } });
    const postgres = write("postgres.json", { state: { folder: state, postgres: { variable: "DAYPASS_POSTGRES" } } });
    const env = { DAYPASS_POSTGRES: server.url };
    const run = (...args: readonly string[]) => daypass(args, { env });
    return {
      state,
      env,
      postgres,
      run,
      serve: (engine: "sqlite" | "postgres", ...args: readonly string[]): Promise<Running> =>
        serveWith({ env }, "--config", engine === "sqlite" ? sqlite : postgres, ...args),
      move: () => run("state", "move", "--config", postgres),
      // biome-ignore lint/suspicious/noExplicitAny: each command prints another resource
      async json(...args: readonly string[]): Promise<any> {
        const { status: code, stdout, stderr } = await run(...args, "--state", state, "--json");
        expect([code, stderr, code === 0 ? "" : stdout]).toEqual([0, "", ""]);
        const lines = stdout
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line));
        return lines.length > 1 ? lines : lines[0];
      },
      files: () =>
        readdirSync(state)
          .filter((name) => !/\.(?:lock|sock)$/.test(name))
          .sort(),
    };
  }
  type Machine = Awaited<ReturnType<typeof machine>>;

  interface Key {
    readonly id: string;
    readonly secretAccessKey: string;
  }

  const get = ({ said }: Running, { id, secretAccessKey }: Key, key = "report.pdf"): Promise<number> => {
    const credentials = { accessKeyId: id, secretAccessKey };
    const signer = s3Signer({ region: "us-east-1", endpoint: said.s3Endpoint, credentials });
    return status(signer.sign({ bucket: "media", key, expiresIn: 600 }).url);
  };
  const open = ({ said }: Running, { url }: { readonly url: string }, dl: string): Promise<number> =>
    status(`${said.url}${new URL(url).pathname}?dl=${dl.repeat(32)}`);

  /** A SQLite state with some of everything, whose notifications wait for a receiver. */
  async function filled(one: Machine) {
    const gateway = await one.serve("sqlite");
    const key: Key = await one.json("keys", "create", "--show-secret");
    await expect.poll(() => get(gateway, key), SOON).toBe(200);
    const receiver = await freePort();
    await one.json("webhooks", "add", `http://127.0.0.1:${receiver}/`);
    const create = (...args: readonly string[]) => one.json("links", "create", "media/report.pdf", ...args);
    const [counted, revoked, forTwo] = [
      await create("--max-deliveries", "3", "--slug", "counted", "--public"),
      await create(),
      await create("--to", "Ann", "--to", "Ben"),
    ];
    expect([await open(gateway, counted, "a"), await open(gateway, counted, "b")]).toEqual([200, 200]);
    await one.json("links", "revoke", revoked.id);
    await one.json("revoke", "--prefix", "media/secret/");
    const lifted = await one.json("revoke", "--key", key.id);
    await one.json("revocations", "lift", lifted.id);
    await one.run("tokens", "create", "--label", "shop", "--scope", "links:read", "--state", one.state);
    await gateway.stop();
    return { key, receiver, counted, revoked, forTwo };
  }

  test("keeps counts, revocations, heads, notifications and keys, also after a move that was killed", async () => {
    const one = await machine();
    const { key, receiver, counted, revoked, forTwo } = await filled(one);
    const before = await one.json("links", "show", counted.id);
    const listed = ["links list", "revocations list", "tokens list", "webhooks list"].map((line) => line.split(" "));
    const resources = async () => {
      const found: unknown[] = [];
      for (const line of listed) found.push(await one.json(...line));
      return found;
    };
    const lists = await resources();
    const records = (await one.json("audit", "export")).filter((line: { record?: string }) => line.record).length;

    // The copy of the records hangs, and its process is killed.
    const empty = await postgresState({ url: server.url });
    await empty.listWebhooks();
    await empty.close();
    server.sql(`CREATE FUNCTION daypass.hang() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';
      CREATE TRIGGER hang BEFORE INSERT ON daypass.audit_record EXECUTE FUNCTION daypass.hang()`);
    const names = one.files();
    const child = start(["state", "move", "--config", one.postgres], { env: one.env });
    const hanging = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'INSERT INTO daypass.audit_record%'";
    await expect.poll(() => server.sql(hanging), SOON).not.toBe("");
    child.kill("SIGKILL");
    await once(child, "close");
    server.sql(`SELECT pg_terminate_backend(pid) FROM (${hanging}) h; DROP FUNCTION daypass.hang CASCADE`);
    expect(server.sql("SELECT (SELECT count(*) FROM daypass.link) + (SELECT count(*) FROM daypass.secret)")).toBe("0");
    expect(one.files()).toEqual(names);
    expect(await one.json("links", "show", counted.id)).toEqual(before);

    // Half a minute later, the lock of the killed process is void.
    utimesSync(join(one.state, "keys.json.lock"), 0, 0);
    const { status: code, stdout, stderr } = await one.move();
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("state.run.moved, state.db.moved, keys.json.moved, audit.mac.moved");
    const gateway = await one.serve("postgres", "--workers", "2");
    expect(await resources()).toEqual(lists);
    expect(await one.json("links", "show", counted.id)).toEqual(before);
    expect([await get(gateway, key), await get(gateway, key, "secret/a")]).toEqual([200, 403]);
    expect(await open(gateway, revoked, "c")).toBe(410);
    // A holder of a delivery continues it, and the third delivery is the last.
    expect([
      await open(gateway, counted, "a"),
      await open(gateway, counted, "c"),
      await open(gateway, counted, "d"),
    ]).toEqual([200, 200, 410]);
    for (const recipient of forTwo.recipients) expect(await open(gateway, recipient, "e")).toBe(200);
    await one.json("links", "create", "media/report.pdf");

    const events: string[] = [];
    const arrived = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      events.push(JSON.parse(body).type);
      response.end();
    }).listen(receiver, "127.0.0.1");
    onTestFinished(() => void arrived.close());
    for (const { id } of await one.json("webhooks", "list").then((found) => [found].flat()))
      await one.run("webhooks", "resend", id, "--state", one.state);
    await expect.poll(() => events.filter((type) => type === "delivery.completed").length, SOON).toBeGreaterThan(2);

    await gateway.stop();
    const verified = await one.json("audit", "verify", "--heads-file", join(one.state, "audit.heads.ndjson"));
    expect(verified).toMatchObject({ faults: [], unsealed: 0 });
    expect(verified.sealed).toBeGreaterThan(records);
    expect(server.sql("SELECT until < now() FROM daypass.writer_lease WHERE writer = 'main'")).toBe("t");
    server.sql("UPDATE daypass.audit_record SET mac = NULL WHERE writer = 'main' AND mac IS NOT NULL");
    expect((await one.run("audit", "verify", "--state", one.state)).stdout).toContain("NOT as signed");
  }, 120_000);

  test("is refused while a gateway serves, into a schema with rows, twice, and without links; suspends what was restored", async () => {
    const one = await machine();
    const refused = async (message: string): Promise<void> => {
      const { status: code, stderr } = await one.move();
      expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    };
    await refused("has no links");
    const { counted } = await filled(one);
    const gateway = await one.serve("sqlite");
    await refused("another gateway serves");
    await gateway.stop();
    const other = await machine();
    await (await other.serve("postgres")).stop();
    const [names, db] = [one.files(), readFileSync(join(one.state, "keys.json"), "utf8")];
    await refused("the schema daypass of the database has rows");
    expect(one.files()).toEqual(names);
    expect(readFileSync(join(one.state, "keys.json"), "utf8")).toBe(db);
    server.sql("DROP SCHEMA daypass CASCADE");
    // The run of another database: this one was restored from a backup.
    writeFileSync(join(one.state, "state.run"), "0".repeat(22));
    expect(await one.move()).toMatchObject({ status: 0, stderr: "" });
    expect(await one.json("links", "show", counted.id)).toMatchObject({ status: "suspended" });
    expect(existsSync(join(one.state, "state.db"))).toBe(false);
    await refused("in PostgreSQL already");
  }, 120_000);
});
