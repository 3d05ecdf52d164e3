import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { CorsPolicy, Dialect, HandOver, Limits } from "@daypass/gateway";
import type { DriverName } from "@daypass/gateway/drivers";
import type { ForwardAuthHost } from "@daypass/gateway/forward-auth";
import type { LogOptions, Timeouts } from "@daypass/gateway/node";
import type { RouteConfig } from "@daypass/gateway/upstream";
import { CommandError } from "../../command.ts";
import { readError, readTextFile } from "../../files.ts";
import { repeatsMember } from "../../lines/json-members.ts";
import { didYouMean } from "../../nearest-name.ts";
import { describeValue, schemaFault, settingPaths } from "./json-schema.ts";
import { absoluteState, type StateConfig } from "./state-config.ts";

/** The configuration of `serve`, see `config.schema.json`. Paths are absolute. */
export interface ServeConfig {
  readonly root?: string;
  readonly state?: StateConfig;
  readonly storage?: StorageConfig;
  readonly listen?: {
    readonly host?: string;
    readonly port?: number;
    readonly maxConnections?: number;
    readonly timeouts?: Partial<Timeouts>;
  };
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  readonly workers?: number;
  readonly publicUrl?: string;
  readonly origins?: readonly string[];
  readonly trustedProxies?: readonly string[];
  readonly redirectOrigins?: readonly string[];
  readonly region?: string;
  readonly regions?: readonly string[];
  readonly audience?: string;
  readonly urlKeySetFile?: string;
  readonly hosts?: Readonly<Record<string, readonly Dialect[]>>;
  readonly cors?: CorsPolicy;
  readonly limits?: Partial<Limits>;
  readonly log?: { readonly level?: NonNullable<LogOptions["level"]>; readonly requests?: boolean };
  readonly routes?: readonly RouteConfig[];
  readonly forwardAuth?: ForwardAuthConfig;
  readonly links?: LinksConfig;
  readonly audit?: AuditConfig;
  readonly webhooks?: { readonly allowNetworks?: readonly string[] };
  readonly admin?: { readonly listen: string; readonly origins?: readonly string[] };
  readonly metrics?: boolean;
  readonly debugFields?: boolean;
  readonly drainSeconds?: number;
}

/** Decisions for proxies, on addresses of their own. */
export interface ForwardAuthConfig {
  /** `host:port` for questions over HTTP. */
  readonly listen: string;
  /** `host:port` for Apache, which asks by FastCGI. */
  readonly fastcgi?: string;
  readonly hosts: readonly ForwardAuthHost[];
}

/** Links that the gateway remembers. */
export interface LinksConfig {
  readonly origin?: string;
  readonly sharedBy?: string;
  readonly onStale?: "refuse" | "serve";
  readonly maxRevocationAgeSeconds?: number;
  readonly handOver?: HandOver;
}

/** The record of links and their use. */
export interface AuditConfig {
  readonly keyFile?: string | undefined;
  readonly headsFile?: string | undefined;
  readonly retentionDays?: number | undefined;
}

/** The storage of the objects. */
export interface StorageConfig {
  readonly driver: DriverName;
  readonly endpoint?: string;
  readonly region?: string;
  readonly addressing?: "path" | "virtual";
  readonly bucket?: string;
  readonly buckets?: Readonly<Record<string, string>>;
  readonly profile?: string;
  readonly redirect?: boolean;
  readonly timeouts?: { readonly connectMs?: number; readonly answerMs?: number; readonly idleMs?: number };
}

/** The published schema. */
export const configSchema: unknown = JSON.parse(
  readFileSync(new URL("../../../config.schema.json", import.meta.url), "utf8"),
);

/** Reads and checks a configuration file. Throws a `CommandError` with the path of the first fault. */
export async function loadConfig(path: string): Promise<ServeConfig> {
  const text = await readTextFile(path).catch((error: unknown) => {
    throw readError("--config", path, error);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const fault = withLine((error as Error).message, text);
    throw new CommandError(`${path} is not JSON: ${fault}`);
  }
  if (repeatsMember(text, value))
    throw new CommandError(`${path} has a setting twice. Remove the first, which would be ignored`);
  const fault = schemaFault(configSchema, value);
  if (fault?.isUnknown === true) {
    const advice =
      didYouMean(fault.path, settingPaths(configSchema)) ||
      ". Remove it, or find its name in config.schema.json of @daypass/cli";
    throw new CommandError(`${fault.path} in ${path} is not a setting${advice}`);
  }
  if (fault !== undefined) {
    const place = fault.path === "" ? "the configuration" : fault.path;
    const remedy = fault.found === undefined ? "Add it" : `Set it to ${fault.expected}`;
    throw new CommandError(`${place} in ${path} is ${describeValue(fault.found)}. ${remedy}`);
  }
  return withAbsolutePaths(value as ServeConfig, dirname(resolve(path)));
}

/** Adds the line number, because Node 20 reports only a character position. */
function withLine(message: string, text: string): string {
  return message.replace(/at position (\d+)$/, (at, position) => {
    return `${at} (line ${text.slice(0, Number(position)).split("\n").length})`;
  });
}

function withAbsolutePaths(config: ServeConfig, folder: string): ServeConfig {
  const { root, state, tls, urlKeySetFile, audit } = config;
  return {
    ...config,
    ...(root === undefined ? {} : { root: resolve(folder, root) }),
    ...(state === undefined ? {} : { state: absoluteState(state, folder) }),
    ...(urlKeySetFile === undefined ? {} : { urlKeySetFile: resolve(folder, urlKeySetFile) }),
    ...(audit === undefined
      ? {}
      : {
          audit: {
            ...audit,
            ...(audit.keyFile === undefined ? {} : { keyFile: resolve(folder, audit.keyFile) }),
            ...(audit.headsFile === undefined ? {} : { headsFile: resolve(folder, audit.headsFile) }),
          },
        }),
    ...(tls === undefined
      ? {}
      : { tls: { certFile: resolve(folder, tls.certFile), keyFile: resolve(folder, tls.keyFile) } }),
  };
}
