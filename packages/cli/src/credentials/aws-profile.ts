import { CommandError, type Context } from "../command.ts";
import { inHome, NamedFileError, readError, readTextFile } from "../files.ts";

/** The settings of one profile, merged from both shared files. `credentials` takes precedence, as in AWS's tools. */
export interface Profile {
  readonly name: string;
  get(setting: string): string | undefined;
  /** A setting of the S3 service: `s3 =` below the profile, or in the `services` section that the profile names. */
  getS3(setting: string): string | undefined;
}

/** Loads the profile of `--profile`, of `AWS_PROFILE`, or `default`. */
export async function loadProfile(env: Context["env"], asked: string | undefined): Promise<Profile> {
  // AWS's tools ignore an empty variable.
  const name = asked ?? (env["AWS_PROFILE"] || env["AWS_DEFAULT_PROFILE"] || "default");
  const [config, credentials] = await Promise.all([
    readIni("AWS_CONFIG_FILE", env, "config"),
    readIni("AWS_SHARED_CREDENTIALS_FILE", env, "credentials"),
  ]);
  const sections = [
    credentials.get(name),
    config.get(`profile ${name}`),
    // Only the default profile may omit the word in the config file.
    name === "default" ? config.get("default") : undefined,
  ].filter((section) => section !== undefined);
  if (sections.length === 0 && name !== "default") {
    throw new CommandError(
      `the shared AWS files have no profile ${JSON.stringify(name)}. Check --profile or AWS_PROFILE`,
    );
  }
  const first = (read: (section: IniSection) => string | undefined): string | undefined =>
    sections.map(read).find((value) => value !== undefined);
  const get = (setting: string): string | undefined => first(({ settings }) => settings.get(setting));
  const services = config.get(`services ${get("services")}`);
  return {
    name,
    get,
    getS3: (setting) =>
      services?.nested.get("s3")?.get(setting) ?? first(({ nested }) => nested.get("s3")?.get(setting)),
  };
}

async function readIni(name: string, env: Context["env"], usual: string): Promise<ReadonlyMap<string, IniSection>> {
  const path = env[name] || `~/.aws/${usual}`;
  const expanded = path.startsWith("~/") ? inHome(env, path.slice(2)) : path;
  if (expanded === undefined) return new Map();
  try {
    return parseIni(await readTextFile(expanded));
  } catch (error) {
    // The file, or the home folder, does not exist.
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return new Map();
    const problem = readError(name, expanded, error);
    throw !env[name] ? problem : new NamedFileError(problem.message);
  }
}

/** A section of an AWS file: its settings, and the nested settings below a setting without a value. */
interface IniSection {
  readonly settings: Map<string, string>;
  /** `s3` → `endpoint_url` → value. */
  readonly nested: Map<string, Map<string, string>>;
}

/**
 * Parses `~/.aws/config` and `~/.aws/credentials`: sections, `name = value`, comments on their own line or after white space, and indented
 * settings below another setting.
 *
 * Source: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
 */
function parseIni(text: string): ReadonlyMap<string, IniSection> {
  const sections = new Map<string, IniSection>();
  let section: IniSection | undefined;
  let parent: Map<string, string> | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(?:[#;].*)?$/.test(line)) continue;
    const heading = /^\[\s*([^\]]+?)\s*\]/.exec(line)?.[1];
    if (heading !== undefined) {
      // The AWS command line quotes a profile name that contains a space.
      const name = heading.replace(/\s+/g, " ").replace(/^(profile|services) (["'])(.*)\2$/, "$1 $3");
      section = sections.get(name) ?? { settings: new Map(), nested: new Map() };
      sections.set(name, section);
      parent = undefined;
      continue;
    }
    const [, indent = "", name, value = ""] = /^(\s*)([^=\s]+)\s*=\s*(.*?)(?:\s+[#;].*)?\s*$/.exec(line) ?? [];
    if (section === undefined || name === undefined) continue;
    if (indent !== "" && parent !== undefined) {
      parent.set(name, value);
    } else if (value === "") {
      parent = new Map();
      section.nested.set(name, parent);
    } else {
      parent = undefined;
      section.settings.set(name, value);
    }
  }
  return sections;
}
