import type { Context } from "../command.ts";
import type { LineResult } from "../lines/line-scheme.ts";
import { loadScheme } from "../lines/schemes.ts";
import { refuseForeignOptions, type SignOptions } from "./options.ts";
import { loadTarget, schemeOfTarget } from "./targets.ts";

/** Signs one target: the line that it stands for, with the keys that are at hand. */
export async function signTarget(target: string, options: SignOptions, context: Context): Promise<LineResult> {
  const name = schemeOfTarget(target);
  refuseForeignOptions(options, name);
  const [scheme, kind] = await Promise.all([loadScheme(name), loadTarget(name)]);
  if (kind === undefined) throw new Error(`expected ${name} among the targets`);
  const line = { scheme: name, ...kind.fields(options), ...kind.locate(target) };
  const found = await kind.find(options, context);
  const whole = { ...found, ...line };
  return scheme.signer()(kind.complete?.(whole) ?? whole);
}
