/** The files of a gateway's links in its state folder. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createStateFile, replaceStateFile } from "./files.ts";

/** Where links live, and where the processes of a gateway meet. */
export interface LinkFiles {
  readonly database: string;
  /** Where the address of PostgreSQL is found, if links are stored there. Not the address, which is secret. */
  readonly postgres: string;
  /** The revocations that the state had when it last answered. */
  readonly revocations: string;
  /** The keys as PostgreSQL last had them, sealed. */
  readonly keysCopy: string;
  /** The socket of the gateway, whose process owns the folder. */
  readonly gatewaySocket: string;
  /** The socket of the process that owns the database. */
  readonly stateSocket: string;
  /** The socket of the admin API. */
  readonly adminSocket: string;
  /** The run of the database: a database that does not know it was restored. */
  readonly run: string;
  /** The process that serves, and what it serves. */
  readonly serving: string;
  /** The name under which this folder's gateway records decisions, if PostgreSQL has the links. */
  readonly writer: string;
  /** The key that signs the audit, unless the configuration names another. */
  readonly auditKey: string;
  /** Its public part, to be copied to where the audit is verified. */
  readonly auditPublicKey: string;
  /** The key of the MACs of commits, unless PostgreSQL has the links. */
  readonly auditMacKey: string;
  /** The last commit of this folder's writer. */
  readonly auditLast: string;
  /** The last head of every writer: the database must still have them. */
  readonly auditKept: string;
  /** All heads that this folder's writer signed, unless the configuration names another file. */
  readonly auditHeads: string;
}

/** Linux allows 107 bytes for the path of a socket. */
const MAX_SOCKET_PATH = 100;

/** The files below a state folder. */
export function linkFiles(folder: string): LinkFiles {
  const inside = (name: string): string => join(resolve(folder), name);
  const socket = (name: string): string => {
    const path = inside(name);
    if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path;
    const id = createHash("sha256").update(path).digest("hex").slice(0, 24);
    // The same for every user, because root administers the gateways of others.
    return join(tmpdir(), `daypass-${id}.sock`);
  };
  return {
    database: inside("state.db"),
    postgres: inside("state.postgres.json"),
    revocations: inside("revocations.log"),
    keysCopy: inside("keys.copy"),
    gatewaySocket: socket("gateway.sock"),
    stateSocket: socket("state.sock"),
    adminSocket: socket("admin.sock"),
    run: inside("state.run"),
    serving: inside("serving.json"),
    writer: inside("writer"),
    auditKey: inside("audit.key"),
    auditPublicKey: inside("audit.pub"),
    auditMacKey: inside("audit.mac"),
    auditLast: inside("audit.last"),
    auditKept: inside("audit.kept.ndjson"),
    auditHeads: inside("audit.heads.ndjson"),
  };
}

/** Whether a gateway on this folder has links. Without the database, no process for it starts. */
export function hasLinks(folder: string): boolean {
  const { database, postgres } = linkFiles(folder);
  return existsSync(database) || existsSync(postgres);
}

/** Makes an empty database: the gateway fills it when it starts or reloads. */
export async function createLinks(folder: string): Promise<void> {
  if (!hasLinks(folder)) await createStateFile(linkFiles(folder).database, "");
}

/** What a running gateway says about itself. */
export interface Serving {
  readonly pid: number;
  readonly root: string;
  /** Whether objects are files below the root. */
  readonly servesFolder: boolean;
  /** The first origin, which links use unless the configuration names another. */
  readonly origin: string;
  /** The origin of links. */
  readonly linksOrigin: string;
  /** All of them, some perhaps with `*`. */
  readonly origins: readonly string[];
  /** Whether URLs for a subject are accepted: only routes can accept them. */
  readonly subjects: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Records what this process serves, also for commands that do not know its state folder. The result says that nothing serves it any more. */
export function recordServing(folder: string, serving: Serving, env: Environment): () => void {
  const { serving: path } = linkFiles(folder);
  replaceStateFile(path, `${JSON.stringify(serving)}\n`);
  const shared = sharedFolder(env);
  const id = createHash("sha256").update(resolve(folder)).digest("hex").slice(0, 24);
  try {
    if (shared !== undefined) {
      mkdirSync(shared, { recursive: true, mode: 0o700 });
      writeFileSync(join(shared, `${id}.json`), JSON.stringify(resolve(folder)), { mode: 0o600 });
    }
  } catch {
    // A service may have no home that it can write to. Its commands then need --state.
  }
  return () => {
    if (servingOf(folder)?.pid !== serving.pid) return;
    // Commands read the root and the origin of a gateway that has stopped.
    replaceStateFile(path, `${JSON.stringify({ ...serving, pid: undefined })}\n`);
    if (shared !== undefined) rmSync(join(shared, `${id}.json`), { force: true });
  };
}

/** Where the gateways of this user record their state folders. Below the home, because other users can write to a common folder. */
function sharedFolder({ HOME, XDG_STATE_HOME }: Environment): string | undefined {
  if (!HOME) return undefined;
  return join(
    XDG_STATE_HOME?.startsWith("/") === true ? XDG_STATE_HOME : join(HOME, ".local/state"),
    "daypass/serving",
  );
}

/** The state folders of the gateways that this user runs. */
export function runningStates(env: Environment): readonly string[] {
  const shared = sharedFolder(env);
  try {
    const folders = readdirSync(shared ?? "").map((name) => JSON.parse(readFileSync(join(shared ?? "", name), "utf8")));
    return folders.filter((folder) => servingOf(folder) !== undefined);
  } catch {
    return [];
  }
}

/** The state folder of the running gateway of this user that serves an origin. */
export function stateOfOrigin(origin: string, env: Environment): string | undefined {
  return runningStates(env).find((folder) => servingOf(folder)?.origins.some((one) => covers(one, origin)) === true);
}

function covers(origin: string, asked: string): boolean {
  const [start = "", end = ""] = origin.split("*");
  return origin.includes("*") ? asked.startsWith(start) && asked.endsWith(end) : origin === asked;
}

/** What the last gateway on a state folder served. */
export function lastServed(folder: string): Omit<Serving, "pid"> | undefined {
  try {
    return JSON.parse(readFileSync(linkFiles(folder).serving, "utf8")) as Serving;
  } catch {
    return undefined;
  }
}

/** The gateway that runs on a state folder. */
export function servingOf(folder: string): Serving | undefined {
  try {
    const serving = JSON.parse(readFileSync(linkFiles(folder).serving, "utf8")) as Serving;
    process.kill(serving.pid, 0);
    return serving;
  } catch {
    return undefined;
  }
}
