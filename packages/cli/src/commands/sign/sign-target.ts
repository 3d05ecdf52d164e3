import type { JsonObject, LineResult } from "daypass/schemes";
import { type Context, UsageError } from "../../command.ts";
import { expectHostName } from "../../credentials/virtual-endpoint.ts";
import { loadScheme } from "../../lines/line-scheme.ts";
import { formFields, lineFields, type SignOptions } from "./options.ts";
import { loadTarget, refuseForeignOptions, schemeOfTarget } from "./targets/index.ts";
import type { TargetScheme } from "./targets/target-scheme.ts";

/** The options of {@link signTarget}. */
export interface SignTargetOptions {
  readonly options: SignOptions;
  /** Whether to sign an upload form instead of a URL. */
  readonly isForm: boolean;
}

/** Signs one target: converts it to a line, and adds the available keys. */
export async function signTarget(
  target: string,
  { options, isForm }: SignTargetOptions,
  context: Context,
): Promise<LineResult> {
  const name = schemeOfTarget(target);
  await refuseForeignOptions(options, name);
  const fields = formFields(options);
  if (fields !== undefined && !isForm) throw new UsageError("--field needs --as html-form");
  const [scheme, kind] = await Promise.all([loadScheme(name), loadTarget(name)]);
  if (kind === undefined) throw new Error(`the scheme ${name} has no target`);
  if (isForm && kind.form === undefined) {
    throw new UsageError(
      `${target} has no upload forms; s3:// and gs:// have. Sign a PUT, which a page can send by script`,
    );
  }
  const located = kind.locate(target);
  expectName(target, located, kind.name);
  const line = { scheme: name, ...lineFields(options, kind.options), ...located };
  const found = await kind.find(options, context);
  const merged: JsonObject = { ...found.fields, ...line };
  const complete = kind.complete?.(merged, found.fields) ?? merged;
  expectHostName(complete["endpoint"], complete["addressing"]);
  const wanted = isForm ? (kind.form?.(complete, fields) ?? complete) : complete;
  if (found.scope !== undefined) kind.expectInScope?.(wanted, found.scope);
  return scheme.signer()(wanted);
}

/** Refuses a target that ends with a slash, because an empty variable must not sign a URL for the whole bucket. */
function expectName(target: string, located: JsonObject, name: TargetScheme["name"]): void {
  if (name === undefined || name in located || !target.endsWith("/")) return;
  const whole = target.slice(0, -1);
  throw new UsageError(`${target} has no ${name} after the slash. Add it, or write ${whole} to mean the whole`);
}
