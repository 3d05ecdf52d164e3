/** A section of an AWS profile file: its settings, and the nested ones below a setting without a value. */
export interface IniSection {
  readonly settings: ReadonlyMap<string, string>;
  /** `s3` → `endpoint_url` → value. */
  readonly nested: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

interface OpenSection extends IniSection {
  readonly settings: Map<string, string>;
  readonly nested: Map<string, Map<string, string>>;
}

/**
 * Reads the format of `~/.aws/config` and `~/.aws/credentials`: sections, `name = value`, comments on lines of their own
 * and after white space, and indented settings that belong to the one above.
 *
 * Source: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
 */
export function parseIni(text: string): ReadonlyMap<string, IniSection> {
  const sections = new Map<string, OpenSection>();
  let section: OpenSection | undefined;
  let parent: Map<string, string> | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(?:[#;].*)?$/.test(line)) continue;
    const heading = /^\[\s*([^\]]+?)\s*\]/.exec(line)?.[1];
    if (heading !== undefined) {
      // The AWS command line quotes a profile's name with a space, as for a shell, and reads it so.
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
