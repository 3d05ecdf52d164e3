import { CommandError, type Context, UsageError } from "./command.ts";
import { readText } from "./state/files.ts";

const MAX_BYTES = 1024 * 1024;

/** The text of a file that an option names, or of standard input for `-`. */
export async function inputText(option: string, path: string, { stdin }: Pick<Context, "stdin">): Promise<string> {
  if (path !== "-") {
    const text = await readText(path);
    if (text === undefined) throw new CommandError(`expected ${option} to name a file, found none at ${path}`);
    return text;
  }
  let text = "";
  stdin.setEncoding("utf8");
  for await (const chunk of stdin) {
    text += chunk;
    if (text.length > MAX_BYTES) throw new CommandError(`expected ${option} on standard input as at most 1 MB`);
  }
  return text;
}

/** Standard input can be read once. */
export function refuseTwoInputs(options: Readonly<Record<string, string | undefined>>): void {
  const names = Object.entries(options).flatMap(([name, path]) => (path === "-" ? [name] : []));
  if (names.length > 1) throw new UsageError(`expected one of ${names.join(" and ")} on standard input, found both`);
}
