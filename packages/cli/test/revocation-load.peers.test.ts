/** A million revocations, in a gateway and its state as they run. */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { s3Signer } from "daypass/s3";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../../../tools/free-port.ts";
import { needsPostgres, postgresServer } from "../../../tools/postgres-server.ts";
import { openDatabase } from "../../gateway/src/sqlite/database.ts";
import { daypass, temporaryFolder } from "./command.ts";
import { type Running, serveWith, status } from "./serving.ts";

const reason = needsPostgres();
const MILLION = 1_000_000;
/** The places in the list of the URLs that are requested; 0 is revoked by none. */
const PLACES = [1, MILLION / 2, MILLION] as const;
const SOON = { timeout: 300_000, interval: 100 };

/** A gateway that is not started, with a key. */
async function machine(postgres?: string) {
  const folder = temporaryFolder();
  const [root, state] = [join(folder, "root"), join(folder, "state")];
  for (const path of [join(root, "media"), state]) mkdirSync(path, { recursive: true, mode: 0o700 });
  for (const place of [0, ...PLACES]) writeFileSync(join(root, "media", String(place)), "a report");
  const env: Record<string, string> = {};
  if (postgres === undefined) writeFileSync(join(state, "state.db"), "");
  else {
    const master = join(folder, "master");
    writeFileSync(master, randomBytes(32).toString("base64"), { mode: 0o600 });
    Object.assign(env, { DAYPASS_POSTGRES: postgres, DAYPASS_MASTER_KEY_FILE: master });
  }
  const settings = { folder: state, postgres: postgres && { variable: "DAYPASS_POSTGRES" } };
  const config = join(folder, "daypass.json");
  writeFileSync(config, JSON.stringify({ root, state: settings, listen: { port: await freePort() } }));
  const start = (): Promise<Running> => serveWith({ env }, "--config", config);
  const running = await start();
  const { stdout } = await daypass(["keys", "create", "--state", state, "--show-secret", "--json"], { env });
  const { id: accessKeyId, secretAccessKey } = JSON.parse(stdout);
  const credentials = { accessKeyId, secretAccessKey };
  const signer = s3Signer({ region: "us-east-1", endpoint: running.said.s3Endpoint, credentials });
  const urls = [0, ...PLACES].map((place) => signer.sign({ bucket: "media", key: String(place), expiresIn: 86_400 }));
  const statuses = () => Promise.all(urls.map(({ url }) => status(url)));
  await expect.poll(statuses).toEqual([200, 200, 200, 200]);
  /** Statements that revoke a million grants, including the grants of the URLs. */
  const insertMillion = (table: string, numbers: string, revision = "0"): string => {
    const known = PLACES.map((place, at) => `WHEN ${place} THEN '${urls[at + 1]?.id}'`).join(" ");
    const id = `CASE n ${known} ELSE 'grant-' || n END`;
    return `INSERT INTO ${table} (id, revision, selector, created_at)
      SELECT 'r' || n, ${revision} + n, '{"kind":"grant","id":"' || ${id} || '"}', 0 FROM ${numbers}`;
  };
  return { state, running, start, statuses, insertMillion };
}

test("starts with a million revocations in SQLite, and refuses the first request for each", async () => {
  const { state, running, start, statuses, insertMillion } = await machine();
  await running.stop();
  const db = await openDatabase(join(state, "state.db"));
  const numbers = `(WITH RECURSIVE all_of(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM all_of WHERE n < ${MILLION}) SELECT n FROM all_of)`;
  db.exec(`${insertMillion("revocation", numbers)}; UPDATE revision SET value = ${MILLION}`);
  db.close();
  await start();
  expect(await statuses()).toEqual([200, 403, 403, 403]);
}, 600_000);

test.skipIf(reason)(
  `learns of a million revocations in PostgreSQL while it runs, and starts with them${reason ?? ""}`,
  async () => {
    const server = await postgresServer();
    onTestFinished(() => server.remove());
    const { running, start, statuses, insertMillion } = await machine(server.url);
    // The first start of a replica raises the revision, so new ones follow it.
    const added = `${insertMillion("daypass.revocation", `generate_series(1, ${MILLION}) AS n`, "(SELECT value FROM daypass.revision)")};
      UPDATE daypass.revision SET value = value + ${MILLION};`;
    server.sql(`BEGIN; ${added} COMMIT`);
    await expect.poll(statuses, SOON).toEqual([200, 403, 403, 403]);
    await running.stop();
    await start();
    expect(await statuses()).toEqual([200, 403, 403, 403]);
  },
  600_000,
);
