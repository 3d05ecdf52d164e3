/** Reads the configuration file of `serve`. */
import { dirname, resolve } from "node:path";
import { CommandError } from "../../command.ts";
import { readError, readTextFile } from "../../files.ts";
import { repeatsMember } from "../../lines/json-members.ts";
import { didYouMean } from "../../nearest-name.ts";
import {
  type ConfigFault,
  configFaults,
  describeValue,
  type Report,
  settingPaths,
  throwFault,
} from "./config-fault.ts";
import { configSchema, type ServeConfig } from "./config-schema.ts";
import { absoluteState } from "./state-config.ts";

/** Reads and checks a configuration file. Reports violations of the schema, but throws the last one: no configuration is left to return. */
export async function loadConfig(path: string, report: Report = throwFault): Promise<ServeConfig> {
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
  const faults = configFaults(value).map((fault) => faultText(fault, path));
  const last = faults.pop();
  faults.forEach(report);
  if (last !== undefined) throw new CommandError(last);
  return withAbsolutePaths(configSchema.parse(value), dirname(resolve(path)));
}

function faultText({ path, found, expected, isUnknown }: ConfigFault, file: string): string {
  if (isUnknown) {
    const advice =
      didYouMean(path, settingPaths()) || ". Remove it, or find its name in config.schema.json of @daypass/cli";
    return `${path} in ${file} is not a setting${advice}`;
  }
  const place = path === "" ? "the configuration" : path;
  const remedy = found === undefined ? "Add it" : `Set it to ${expected}`;
  return `${place} in ${file} is ${describeValue(found)}. ${remedy}`;
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
