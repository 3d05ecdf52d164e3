import { isDaypassError } from "daypass";
import type { JsonObject } from "daypass/schemes";
import { CommandError, UsageError } from "../../command.ts";
import { loadScheme } from "../../lines/line-scheme.ts";
import { type FindKeys, type LineDefaults, lineCompleter } from "./complete-line.ts";
import { refuseForeignOptions } from "./options.ts";
import { loadTarget } from "./targets.ts";

/**
 * Signs one object that need not be there, before anything is listed: what is wrong with the keys, the region or the life is wrong with
 * every line, and a batch of nothing but refusals is not done.
 */
export async function expectSignable(
  object: JsonObject,
  defaults: LineDefaults & { readonly scheme: string },
  findKeys: FindKeys,
): Promise<void> {
  const { scheme, fields, options } = defaults;
  refuseForeignOptions(options, scheme);
  const target = await loadTarget(scheme);
  target?.fields(options);
  if (target !== undefined && fields[target.secret] === undefined) {
    const found = await findKeys(scheme);
    if ("missing" in found) throw new CommandError(found.missing);
  }
  try {
    const complete = await lineCompleter(defaults, findKeys).of(scheme);
    const line = await complete({ scheme, ...object });
    if (line["expiresIn"] === undefined && line["expiresAt"] === undefined)
      throw new UsageError("expected --expires-in or --expires-at with --all, found neither");
    const sign = await (await loadScheme(scheme)).signer();
    await sign(line);
  } catch (error) {
    // A key that may sign a part of the objects signs that part.
    const isPart = isDaypassError(error) && ["prefix", "bucket"].includes(String(error.details["rule"]));
    if (!isPart) throw error;
  }
}
