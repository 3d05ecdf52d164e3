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
import { type UnreliableProxy, unreliableProxy } from "../../../tools/unreliable-proxy.ts";
import { daypass, type Finished, temporaryFolder } from "./command.ts";
import { type Running, serveWith, status } from "./serving.ts";

export const guide: string = readFileSync(new URL("../../../docs/guide/replicas.md", import.meta.url), "utf8");

/** The configuration of the guide. */
export const guideSettings = JSON.parse(/```json\n([^`]*)```/.exec(guide)?.[1] ?? "");

/** The bar for a revocation, in every replica that reaches the state. */
export const WITHIN = { timeout: 1000, interval: 20 } as const;

/** How a replica reaches the database. */
export type Way = "LISTEN" | "pgbouncer and LISTEN" | "pgbouncer and polling";

/** One of the gateways. */
export interface Replica {
  running: Running;
  readonly folder: string;
  readonly state: string;
  readonly port: number;
  /** Starts it again after its end. */
  restart(): Promise<void>;
  /** Runs a command on the machine of the replica, and returns what it prints as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: each command prints another resource
  json(...args: readonly string[]): Promise<any>;
  /** Runs a command on the machine of the replica. */
  run(...args: readonly string[]): Promise<Finished>;
}

/** What a test of replicas works with. */
export interface Replicas {
  readonly database: PostgresServer;
  /** What the address of the database leads through, unless a pool does. */
  readonly relay: UnreliableProxy;
  /** What `state.direct` leads through. */
  readonly direct: UnreliableProxy;
  /** Points the addresses of the database to another server, as an operator does after a failover. */
  moveTo(server: PostgresServer): void;
  readonly replicas: readonly [Replica, Replica];
  /** The body of `media/report.pdf`. */
  readonly body: string;
  /** The id of the key that both replicas know. */
  readonly keyId: string;
  /** A presigned URL of an object at a replica, `report.pdf` by default. */
  presigned(replica: Replica, key?: string, method?: "GET" | "PUT"): string;
}

/** Settings that a test chooses. */
export interface ReplicaSettings {
  readonly audit?: object;
  readonly suspendAfterFailover?: boolean;
  /** 0 by default, so that a replica stops at once. */
  readonly drainDelaySeconds?: number;
  readonly publicUrl?: string;
}

/** Starts everything. Ends with the test. */
export async function startReplicas(
  way: Way,
  { suspendAfterFailover, ...settings }: ReplicaSettings = {},
): Promise<Replicas> {
  const [storage, server] = await Promise.all([startRadosgw(), postgresServer()]);
  const [relay, direct] = [await unreliableProxy(server.port), await unreliableProxy(server.port)];
  onTestFinished(async () => {
    await storage.stop();
    await relay.close();
    await direct.close();
    await server.remove();
  });
  const pool = way === "LISTEN" ? undefined : await pgbouncer(server);
  onTestFinished(async () => pool?.stop());
  const body = "a report\n".repeat(100);
  await putObject(storage, body);
  const env = {
    AWS_ACCESS_KEY_ID: storage.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: storage.credentials.secretAccessKey,
    DAYPASS_POSTGRES: pool?.url ?? relay.url,
    DAYPASS_POSTGRES_DIRECT: direct.url,
  };
  const keys = temporaryFolder();
  const { stdout } = await daypass(["keys", "create", "--state", keys, "--show-secret", "--json"]);
  const key = JSON.parse(stdout);
  const start = async (from: string, files: readonly string[]): Promise<Replica> => {
    const folder = temporaryFolder();
    const state = join(folder, "state");
    mkdirSync(state, { mode: 0o700 });
    for (const name of files) cpSync(join(from, name), join(state, name));
    const port = await freePort();
    const config = documentedConfig({ endpoint: storage.endpoint, folder, way, port });
    writeFileSync(
      join(folder, "daypass.json"),
      JSON.stringify({ ...config, ...settings, state: { ...config.state, suspendAfterFailover } }),
    );
    const begin = () => serveWith({ env }, folder, "--config", join(folder, "daypass.json"), "--workers", "2");
    const replica: Replica = {
      running: await begin(),
      folder,
      state,
      port,
      async restart() {
        replica.running = await begin();
      },
      run: (...args) => daypass([...args, "--state", state], { env }),
      async json(...args) {
        const { status, stdout, stderr } = await replica.run(...args, "--json");
        if (status !== 0) throw new Error(`daypass ${args.join(" ")}: ${stderr}`);
        return stdout.trim() === "" ? undefined : JSON.parse(stdout);
      },
    };
    return replica;
  };
  const one = await start(keys, ["keys.json", "master.key"]);
  const replicas = [one, await start(one.state, sharedFiles)] as const;
  const presigned: Replicas["presigned"] = ({ running }, object = "report.pdf", method = "GET") => {
    const credentials = { accessKeyId: key.id, secretAccessKey: key.secretAccessKey };
    const signer = s3Signer({ region: "us-east-1", endpoint: running.said.s3Endpoint, credentials });
    return signer.sign({ bucket: "media", key: object, method, expiresIn: 3600 }).url;
  };
  const moveTo = (target: PostgresServer): void => {
    for (const one of [relay, direct]) one.target = target.port;
    pool?.moveTo(target);
  };
  return { database: server, relay, direct, moveTo, replicas, body, keyId: key.id, presigned };
}

/** The files that the guide copies from the first machine to the others. */
const sharedFiles = [
  ...(/Copy ([^)]*?)\s+to\s+the\s+state\s+folder/.exec(guide)?.[1] ?? "").matchAll(/`([^`]+)`/g),
].map(([, name = ""]) => name);

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
  const { direct, ...state } = guideSettings.state;
  return {
    ...guideSettings,
    publicUrl: undefined,
    drainDelaySeconds: 0,
    listen: { ...guideSettings.listen, host: undefined, port },
    storage: { ...guideSettings.storage, endpoint },
    state: { ...state, folder: join(folder, "state"), ...(way === "pgbouncer and polling" ? {} : { direct }) },
    trustedProxies: ["127.0.0.0/8"],
  };
}

/** Repeats a GET once, as clients do: a server may close an idle connection just as it is used again. */
export const again = <T>(get: () => Promise<T>): Promise<T> => get().catch(get);

/** What a program receives from a link at a replica, from an address. */
export async function open({ running }: Replica, url: string, query = "", address = "192.0.2.1") {
  const answer = await again(() =>
    fetch(`${running.said.url}${new URL(url).pathname}${query}`, { headers: { "x-forwarded-for": address } }),
  );
  return { status: answer.status, text: await answer.text(), retry: answer.headers.get("retry-after") };
}

/** The statuses of enough new connections to reach every worker of a replica. */
export const ofEachWorker = (url: string): Promise<readonly number[]> =>
  Promise.all(Array.from({ length: 8 }, () => status(url, { headers: { connection: "close" } })));

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
