import { existsSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import type { LogOptions, TlsPair } from "@daypass/gateway/node";
import { CommandError } from "../../command.ts";
import { isKeyFile } from "../../state/key-store.ts";
import { STATE_FOLDER } from "../../state/state-folder.ts";
import { checkSettings } from "./check-settings.ts";
import { loadConfig, type ServeConfig } from "./config.ts";
import { keySetText } from "./public-keys.ts";
import { checkStorage, driverOf } from "./storage.ts";
import { tlsFiles } from "./tls-files.ts";

/** The command line of `serve`. What is given here goes before the configuration file. */
export interface ServeArguments {
  readonly root?: string | undefined;
  readonly config?: string | undefined;
  readonly state?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly workers?: number | undefined;
}

/** All that a process of the gateway is told. */
export interface ServeSettings extends ServeConfig {
  readonly root: string;
  readonly state: string;
  readonly host: string;
  readonly port: number;
  readonly workers: number;
  readonly region: string;
  readonly drainMs: number;
}

/** Settings with what stood in the files that they name. */
export interface ReadSettings extends ServeSettings {
  readonly files: {
    /** Of `tls`. */
    readonly tls?: TlsPair | undefined;
    /** Of `urlKeySetFile`. */
    readonly urlKeySet?: string | undefined;
  };
}

/**
 * Reads the files that settings name, once for whoever is to serve by them: a worker that replaces another must neither fail for a file that was
 * broken since, nor show a certificate that nobody was told to take.
 */
export async function withFiles(settings: ServeSettings): Promise<ReadSettings> {
  const tls = await tlsFiles(settings.tls);
  const urlKeySet = settings.urlKeySetFile === undefined ? undefined : await keySetText(settings.urlKeySetFile);
  return { ...settings, files: { tls, urlKeySet } };
}

/** Puts command line, configuration file and defaults together. Read anew for each reload. */
export async function serveSettings(args: ServeArguments): Promise<ServeSettings> {
  const config = args.config === undefined ? {} : await loadConfig(args.config);
  if (args.config !== undefined) checkStorage(config.storage, args.config);
  const root = args.root ?? config.root ?? ".";
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new CommandError(`expected a folder to serve, found none at ${root}: create it, or name another`);
  const state = args.state ?? config.state ?? join(root, STATE_FOLDER);
  if (driverOf(config.storage).servesFolder) {
    refuseServedState(root, state);
    refuseServedKeys(root);
  }
  const settings: ServeSettings = {
    ...config,
    root,
    state,
    host: args.host ?? config.listen?.host ?? "127.0.0.1",
    port: args.port ?? config.listen?.port ?? 8080,
    workers: args.workers ?? config.workers ?? 0,
    region: config.region ?? "us-east-1",
    drainMs: (config.drainSeconds ?? 10) * 1000,
  };
  if (args.config !== undefined) checkSettings(settings, args.config);
  return settings;
}

const TAKEN_AT_START = ["root", "state", "storage", "listen", "tls", "workers", "host", "port"] as const;
const LIMITS_TAKEN_AT_START = ["headerBytes", "headerCount"] as const;

/**
 * What a process that started with `first` serves by when its operator wants `wanted`. What is bound to its socket, its files
 * and its siblings stays: no request would fit the names and the scheme of a socket that is not there yet.
 */
export function reloadedSettings(first: ServeSettings, wanted: ServeSettings): ServeSettings {
  const limits = keeping(LIMITS_TAKEN_AT_START, first.limits ?? {}, wanted.limits ?? {});
  return { ...keeping(TAKEN_AT_START, first, wanted), limits };
}

/** `wanted`, with these members as they are in `first`. */
function keeping<T extends object>(names: readonly (keyof T)[], first: T, wanted: T): T {
  const kept = { ...wanted };
  for (const name of names) {
    if (Object.hasOwn(first, name)) kept[name] = first[name];
    else Reflect.deleteProperty(kept, name);
  }
  return kept;
}

/** Keys in a bucket could be fetched by whoever holds one of them. A folder whose name starts with a dot is no bucket. */
function refuseServedState(root: string, state: string): void {
  const path = relative(realPath(root), realPath(state));
  const [first = ""] = path.split(sep);
  if (first === ".." || isAbsolute(path) || first.startsWith(".")) return;
  throw new CommandError(
    `expected a state folder that is not served, found ${state} inside ${root}: keep it outside, or as ${STATE_FOLDER} in it`,
  );
}

/**
 * Before a folder is served for the first time `keys create --state` has put keys right into it, where they would be objects. Later
 * whoever may upload could put such a file there, and must not keep the gateway from starting.
 */
function refuseServedKeys(root: string): void {
  const state = join(root, STATE_FOLDER);
  if (existsSync(state) || !isKeyFile(join(root, "keys.json"))) return;
  throw new CommandError(
    `expected a folder to serve without Daypass keys in it, found ${join(root, "keys.json")}: move it, and master.key beside it, into ${state}`,
  );
}

/** Where a path leads, also one that is still to be made. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = resolve(path, "..");
    return parent === resolve(path) ? parent : join(realPath(parent), relative(parent, resolve(path)));
  }
}

/** The level of the log, except for the lines of requests. */
export function logLevel({ log }: ServeSettings): NonNullable<LogOptions["level"]> {
  return log?.level ?? "info";
}
