import { existsSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import type { LogOptions, TlsPair } from "@daypass/gateway/node";
import { isKeyFile } from "../../state-folder/key-store.ts";
import { STATE_FOLDER } from "../../state-folder/state-folder.ts";
import { checkSettings } from "./check-settings.ts";
import { loadConfig } from "./config.ts";
import { type Report, throwFault } from "./config-fault.ts";
import type { ServeConfig } from "./config-schema.ts";
import { keySetText, tlsFiles } from "./configured-files.ts";
import { type DatabaseSettings, stateOf } from "./state-config.ts";
import { checkStorage, driverOf } from "./storage.ts";

/** The command line of `serve`. Takes precedence over the configuration file. */
export interface ServeArguments {
  readonly root?: string | undefined;
  readonly config?: string | undefined;
  readonly state?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly workers?: number | undefined;
}

/** The settings of a gateway process. */
export interface ServeSettings extends Omit<ServeConfig, "state"> {
  readonly root: string;
  /** The folder of keys and sockets. */
  readonly state: string;
  /** The PostgreSQL that replicas share, if links are stored there. */
  readonly database?: DatabaseSettings | undefined;
  readonly host: string;
  readonly port: number;
  readonly workers: number;
  readonly region: string;
  /** How long the gateway answers requests after its readiness probe fails, when it stops. */
  readonly drainDelayMs: number;
  /** How long running requests may take afterwards. */
  readonly drainMs: number;
}

/** Settings with the content of the files that they name. */
export interface LoadedSettings extends ServeSettings {
  readonly files: {
    /** The files of `tls`. */
    readonly tls?: TlsPair | undefined;
    /** The content of `urlKeySetFile`. */
    readonly urlKeySet?: string | undefined;
  };
}

/**
 * Reads the files that settings name. The primary does this once for all workers, so that a replacement worker neither fails because of a
 * broken file nor uses a certificate that was not reloaded.
 */
export async function withFiles(settings: ServeSettings): Promise<LoadedSettings> {
  const tls = await tlsFiles(settings.tls);
  const urlKeySet = settings.urlKeySetFile === undefined ? undefined : await keySetText(settings.urlKeySetFile);
  return { ...settings, files: { tls, urlKeySet } };
}

/** Merges command line, configuration file and defaults. */
export async function serveSettings(args: ServeArguments, report: Report = throwFault): Promise<ServeSettings> {
  const config = args.config === undefined ? {} : await loadConfig(args.config, report);
  if (args.config !== undefined) checkStorage(config.storage, args.config, report);
  const root = args.root ?? config.root ?? ".";
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true)
    report(`the folder to serve, ${root}, does not exist or is a file. Create it, or name another`);
  const { folder, database } = stateOf(config.state, report);
  const state = args.state ?? folder ?? join(root, STATE_FOLDER);
  if (driverOf(config.storage).servesFolder) {
    refuseServedState(root, state, report);
    refuseServedKeys(root, report);
  }
  const settings: ServeSettings = {
    ...config,
    root,
    state,
    database,
    host: args.host ?? config.listen?.host ?? "127.0.0.1",
    port: args.port ?? config.listen?.port ?? 8080,
    workers: args.workers ?? config.workers ?? 0,
    region: config.region ?? "us-east-1",
    drainDelayMs: (config.drainDelaySeconds ?? 0) * 1000,
    drainMs: (config.drainSeconds ?? 10) * 1000,
  };
  if (args.config !== undefined) checkSettings(settings, args.config, report);
  return settings;
}

const FIXED_AT_START = ["root", "state", "database", "storage", "listen", "tls", "workers", "host", "port"] as const;
const LIMITS_FIXED_AT_START = ["headerBytes", "headerCount"] as const;

/**
 * The settings after a reload. Settings of the socket, the storage and the workers stay as they were at the start, because they need a
 * restart.
 */
export function reloadedSettings(first: ServeSettings, wanted: ServeSettings): ServeSettings {
  const limits = keeping(LIMITS_FIXED_AT_START, first.limits ?? {}, wanted.limits ?? {});
  return { ...keeping(FIXED_AT_START, first, wanted), limits };
}

/** `wanted` with these members of `first`. */
function keeping<T extends object>(names: readonly (keyof T)[], first: T, wanted: T): T {
  const kept = { ...wanted };
  for (const name of names) {
    if (Object.hasOwn(first, name)) kept[name] = first[name];
    else Reflect.deleteProperty(kept, name);
  }
  return kept;
}

/** Refuses a state folder inside a bucket, where a URL could download it. Folders with a leading dot are not buckets. */
function refuseServedState(root: string, state: string, report: Report): void {
  const path = relative(realPath(root), realPath(state));
  const [first = ""] = path.split(sep);
  if (first === ".." || isAbsolute(path) || first.startsWith(".")) return;
  report(
    `the state folder ${state} is inside ${root}, which would serve its keys. Move it outside, or to ${join(root, STATE_FOLDER)}`,
  );
}

/**
 * Refuses keys that `keys create --state` put directly into the folder before the first start, because they would be served. Later starts do not
 * check this, because an uploaded file must not prevent a start.
 */
function refuseServedKeys(root: string, report: Report): void {
  const state = join(root, STATE_FOLDER);
  if (existsSync(state) || !isKeyFile(join(root, "keys.json"))) return;
  report(
    `${join(root, "keys.json")} has Daypass keys, and the folder would serve them. Move it, and master.key beside it, into ${state}`,
  );
}

/** The real path, also of a path that does not exist yet. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = resolve(path, "..");
    return parent === resolve(path) ? parent : join(realPath(parent), relative(parent, resolve(path)));
  }
}

/** The log level of everything except request lines. */
export function logLevel({ log }: ServeSettings): NonNullable<LogOptions["level"]> {
  return log?.level ?? "info";
}
