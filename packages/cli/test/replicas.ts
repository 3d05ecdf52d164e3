/** Two gateways of two workers over one radosgw and one PostgreSQL, with the configuration of docs/guide/replicas.md. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { s3 } from "@daypass/gateway/s3";
import { s3Signer } from "daypass/s3";
import { onTestFinished } from "vitest";
import { freePort } from "../../../tools/free-port.ts";
import { type PostgresServer, pgbouncer, postgresServer } from "../../../tools/postgres-server.ts";
import { startRadosgw } from "../../../tools/radosgw-server.ts";
import { daypass, temporaryFolder } from "./command.ts";
import { type Running, serveWith } from "./serving.ts";

export const guide: string = readFileSync(new URL("../../../docs/guide/replicas.md", import.meta.url), "utf8");

/** How a replica reaches the database. */
export type Way = "LISTEN" | "pgbouncer and LISTEN" | "pgbouncer and polling";

/** One of the gateways. */
export interface Replica {
  running: Running;
  readonly folder: string;
  readonly state: string;
  /** Starts it again after its end. */
  restart(): Promise<void>;
  /** Runs a command on the machine of the replica, and returns what it prints as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: each command prints another resource
  json(...args: readonly string[]): Promise<any>;
}

/** What a test of replicas works with. */
export interface Replicas {
  readonly database: PostgresServer;
  readonly replicas: readonly [Replica, Replica];
  /** The body of `media/report.pdf`. */
  readonly body: string;
  /** The id of the key that both replicas know. */
  readonly keyId: string;
  /** A presigned URL of the object at a replica. */
  presigned(replica: Replica): string;
}

/** Starts everything. Ends with the test. */
export async function startReplicas(
  way: Way,
  { settings = {}, database = {} }: { settings?: object; database?: Readonly<Record<string, string>> } = {},
): Promise<Replicas> {
  const [storage, server] = await Promise.all([startRadosgw(), postgresServer(database)]);
  onTestFinished(async () => {
    await storage.stop();
    await server.remove();
  });
  const pool = way === "LISTEN" ? undefined : await pgbouncer(server);
  onTestFinished(async () => pool?.stop());
  const body = "a report\n".repeat(100);
  await putObject(storage, body);
  const env = {
    AWS_ACCESS_KEY_ID: storage.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: storage.credentials.secretAccessKey,
    DAYPASS_POSTGRES: pool?.url ?? server.url,
    DAYPASS_POSTGRES_DIRECT: server.url,
  };
  const keys = temporaryFolder();
  const { stdout } = await daypass(["keys", "create", "--state", keys, "--show-secret", "--json"]);
  const key = JSON.parse(stdout);
  const start = async (): Promise<Replica> => {
    const folder = temporaryFolder();
    const state = join(folder, "state");
    mkdirSync(state, { mode: 0o700 });
    for (const name of ["keys.json", "master.key"]) cpSync(join(keys, name), join(state, name));
    const config = documentedConfig({ endpoint: storage.endpoint, folder, way, port: await freePort() });
    writeFileSync(join(folder, "daypass.json"), JSON.stringify({ ...config, ...settings }));
    const begin = () => serveWith({ env }, folder, "--config", join(folder, "daypass.json"), "--workers", "2");
    const replica: Replica = {
      running: await begin(),
      folder,
      state,
      async restart() {
        replica.running = await begin();
      },
      async json(...args) {
        const { status, stdout, stderr } = await daypass([...args, "--state", state, "--json"], { env });
        if (status !== 0) throw new Error(`daypass ${args.join(" ")}: ${stderr}`);
        return stdout.trim() === "" ? undefined : JSON.parse(stdout);
      },
    };
    return replica;
  };
  const replicas = [await start(), await start()] as const;
  const presigned = ({ running }: Replica): string => {
    const credentials = { accessKeyId: key.id, secretAccessKey: key.secretAccessKey };
    const signer = s3Signer({ region: "us-east-1", endpoint: running.said.s3Endpoint, credentials });
    return signer.sign({ bucket: "media", key: "report.pdf", expiresIn: 3600 }).url;
  };
  return { database: server, replicas, body, keyId: key.id, presigned };
}

/** The configuration of the guide, with the places of the test. */
function documentedConfig({
  endpoint,
  folder,
  way,
  port,
}: {
  endpoint: string;
  folder: string;
  way: Way;
  port: number;
}) {
  const [, code = ""] = /```json\n([^`]*)```/.exec(guide) ?? [];
  const config = JSON.parse(code);
  const { direct, ...state } = config.state;
  return {
    ...config,
    publicUrl: undefined,
    root: undefined,
    listen: { port },
    storage: { ...config.storage, endpoint },
    state: { ...state, folder: join(folder, "state"), ...(way === "pgbouncer and polling" ? {} : { direct }) },
    trustedProxies: ["127.0.0.0/8"],
  };
}

async function putObject(
  { endpoint, credentials }: Awaited<ReturnType<typeof startRadosgw>>,
  body: string,
): Promise<void> {
  const storage = await s3({ region: "us-east-1", endpoint, credentials: () => credentials });
  await storage.createBucket?.("media");
  async function* bytes() {
    yield Buffer.from(body);
  }
  await storage.put({ bucket: "media", key: "report.pdf" }, bytes());
  await storage.close();
}

/** The processes that a gateway started, and itself. */
export function processesOf({ running: { child } }: Replica): readonly number[] {
  const own = child.pid ?? 0;
  const children = execFileSync("ps", ["-o", "pid=", "--ppid", String(own)], { encoding: "utf8" })
    .trim()
    .split(/\s+/);
  return [own, ...children.filter(Boolean).map(Number)];
}
