/** The files of a gateway's links in its state folder. */

import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Where links live, and where the processes of a gateway meet. */
export interface LinkFiles {
  readonly database: string;
  /** The socket of the process that owns the database. */
  readonly stateSocket: string;
  /** The socket of the admin API. */
  readonly adminSocket: string;
  /** The run of the database: a database that does not know it was restored. */
  readonly run: string;
  /** The process that serves, and what it serves. */
  readonly serving: string;
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
    return join(tmpdir(), `daypass-${process.getuid?.() ?? 0}-${id}.sock`);
  };
  return {
    database: inside("state.db"),
    stateSocket: socket("state.sock"),
    adminSocket: socket("admin.sock"),
    run: inside("state.run"),
    serving: inside("serving.json"),
  };
}

/** Whether a gateway on this folder has links. Without the database, no process for it starts. */
export function hasLinks(folder: string): boolean {
  return existsSync(linkFiles(folder).database);
}

/** Makes an empty database: the gateway fills it when it starts or reloads. */
export function createLinks(folder: string): void {
  writeFileSync(linkFiles(folder).database, "", { flag: "a", mode: 0o600 });
}

/** What a running gateway says about itself. */
export interface Serving {
  readonly pid: number;
  readonly root: string;
  /** The first origin, which links use unless the configuration names another. */
  readonly origin: string;
}

/** Records what this process serves. The result removes the record. */
export function recordServing(folder: string, serving: Serving): () => void {
  const { serving: path } = linkFiles(folder);
  writeFileSync(path, `${JSON.stringify(serving)}\n`, { mode: 0o600 });
  return () => {
    if (servingOf(folder)?.pid === serving.pid) rmSync(path, { force: true });
  };
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
