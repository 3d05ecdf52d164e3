import { type Context, UsageError } from "../command.ts";
import type { LineResult } from "../lines/line-scheme.ts";
import { loadScheme } from "../lines/schemes.ts";
import { formFields, refuseForeignOptions, type SignOptions } from "./options.ts";
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
  if (fields !== undefined && !isForm) throw new UsageError("expected --field with --as html-form, found it alone");
  const [scheme, kind] = await Promise.all([loadScheme(name), loadTarget(name)]);
  if (kind === undefined) throw new Error(`expected ${name} among the targets`);
  if (isForm && kind.form === undefined) {
    throw new UsageError(
      "expected a target that has upload forms (s3://, gs://), found another: sign a PUT, which a page can send by script",
    );
  }
  const line = { scheme: name, ...kind.fields(options), ...kind.locate(target) };
  const found = await kind.find(options, context);
  const merged = { ...found.fields, ...line };
  const whole = kind.complete?.(merged, found.fields) ?? merged;
  const asked = isForm ? (kind.form?.(whole, fields) ?? whole) : whole;
  if (found.scope !== undefined) kind.expectInScope?.(asked, found.scope);
  return scheme.signer()(asked);
}
