import type { JsonObject, LineResult } from "daypass/schemes";
import { type Context, UsageError } from "../../command.ts";
import { loadScheme } from "../../lines/line-scheme.ts";
import { formFields, refuseForeignOptions, type SignOptions } from "./options.ts";
import type { TargetScheme } from "./target.ts";
import { loadTarget, schemeOfTarget } from "./targets.ts";

/** What to make of a target. */
export interface SignTargetOptions {
  readonly options: SignOptions;
  /** An upload form instead of a URL. */
  readonly isForm: boolean;
}

/** Signs one target: the line that it stands for, with the keys that are at hand. */
export async function signTarget(
  target: string,
  { options, isForm }: SignTargetOptions,
  context: Context,
): Promise<LineResult> {
  const name = schemeOfTarget(target);
  refuseForeignOptions(options, name);
  const fields = formFields(options);
  if (fields !== undefined && !isForm) throw new UsageError("expected --field with --as html-form, found it without");
  const [scheme, kind] = await Promise.all([loadScheme(name), loadTarget(name)]);
  if (kind === undefined) throw new Error(`expected ${name} among the targets`);
  if (isForm && kind.form === undefined) {
    throw new UsageError(
      "expected a target that has upload forms (s3://, gs://), found another: sign a PUT, which a page can send by script",
    );
  }
  const located = kind.locate(target);
  expectName(target, located, kind.name);
  const line = { scheme: name, ...kind.fields(options), ...located };
  const found = await kind.find(options, context);
  const merged = { ...found.fields, ...line };
  const whole = kind.complete?.(merged, found.fields) ?? merged;
  const asked = isForm ? (kind.form?.(whole, fields) ?? whole) : whole;
  if (found.scope !== undefined) kind.expectInScope?.(asked, found.scope);
  const sign = await scheme.signer();
  return sign(asked);
}

/** Refuses a target that ends where a name should stand: a variable that was empty must not make a URL for the whole bucket. */
function expectName(target: string, located: JsonObject, name: TargetScheme["name"]): void {
  if (name === undefined || name in located || !target.endsWith("/")) return;
  const whole = target.slice(0, -1);
  throw new UsageError(
    `expected ${name === "object" ? "an" : "a"} ${name} after ${target}, found none: write ${whole} to mean the whole`,
  );
}
