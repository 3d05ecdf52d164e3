import { CommandError } from "../command.ts";
import { inHome } from "../home-folder.ts";
import { NamedFileError, unreadable } from "../input-text.ts";
import { readTextFile } from "../text-file.ts";
import { type IniSection, parseIni } from "./ini.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The settings of one profile, merged from both shared files; `credentials` wins as in AWS's own tools. */
export interface Profile {
  readonly name: string;
  get(setting: string): string | undefined;
  /** A setting of the S3 service: `s3 =` below the profile, or the `services` section that the profile names. */
  getS3(setting: string): string | undefined;
}

/** Loads the profile that `--profile`, `AWS_PROFILE` or nothing (`default`) names. */
export async function loadProfile(env: Environment, asked: string | undefined): Promise<Profile> {
  // A variable that is set to nothing is not set, as everywhere with AWS's tools.
  const name = asked ?? (env["AWS_PROFILE"] || env["AWS_DEFAULT_PROFILE"] || "default");
  const [config, credentials] = await Promise.all([
    readIni("AWS_CONFIG_FILE", env, "config"),
    readIni("AWS_SHARED_CREDENTIALS_FILE", env, "credentials"),
  ]);
  const sections = [
    credentials.get(name),
    config.get(`profile ${name}`),
    // Only the default profile may do without the word in the config file.
    name === "default" ? config.get("default") : undefined,
  ].filter((section) => section !== undefined);
  if (sections.length === 0 && name !== "default") {
    throw new CommandError(
      `expected the profile ${JSON.stringify(name)} in the shared AWS files, found none: check --profile or AWS_PROFILE`,
    );
  }
  const get = (setting: string): string | undefined => first(sections, (section) => section.settings.get(setting));
  const services = config.get(`services ${get("services")}`);
  return {
    name,
    get,
    getS3: (setting) =>
      services?.nested.get("s3")?.get(setting) ?? first(sections, (section) => section.nested.get("s3")?.get(setting)),
  };
}

function first(sections: readonly IniSection[], read: (section: IniSection) => string | undefined): string | undefined {
  for (const section of sections) {
    const value = read(section);
    if (value !== undefined) return value;
  }
  return undefined;
}

async function readIni(name: string, env: Environment, usual: string): Promise<ReadonlyMap<string, IniSection>> {
  const path = env[name] || `~/.aws/${usual}`;
  const expanded = path.startsWith("~/") ? inHome(env, path.slice(2)) : path;
  if (expanded === undefined) return new Map();
  try {
    return parseIni(await readTextFile(expanded));
  } catch (error) {
    // No such file, or no home at all: there is nothing to read.
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return new Map();
    const problem = unreadable(`${name} to name a file`, expanded, error);
    throw !env[name] ? problem : new NamedFileError(problem.message);
  }
}
