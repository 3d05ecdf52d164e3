import { DaypassError } from "daypass";
import type { JsonObject } from "daypass/schemes";
import { CommandError, type Context, UsageError } from "../../command.ts";
import type { CompleteLine, LineCompleter } from "../../lines/sign-line.ts";
import { overDefaults } from "./default-fields.ts";
import { lineFields, type SignOptions } from "./options.ts";
import { loadTarget, refuseForeignOptions } from "./targets/index.ts";
import type { FoundFields, TargetScheme } from "./targets/target-scheme.ts";

/** The defaults of all lines of a batch, as data for worker threads. */
export interface LineDefaults {
  readonly scheme: string | undefined;
  /** Line fields of `--defaults` and of the target. */
  readonly fields: JsonObject;
  readonly options: SignOptions;
}

/** The fields that `daypass sign` would find for a scheme, or the reason why it finds no fields. */
export type FoundKeys = FoundFields | { readonly missing: string };

/** Finds the keys of a scheme. */
export type FindKeys = (scheme: string) => Promise<FoundKeys>;

/** Finds the keys of each scheme once for all threads and lines. */
export function keyFinder(options: SignOptions, context: Context): FindKeys {
  const found = new Map<string, Promise<FoundKeys>>();
  const find = async (scheme: string): Promise<FoundKeys> => {
    const target = await loadTarget(scheme);
    try {
      return (await target?.find(options, context)) ?? { fields: {} };
    } catch (error) {
      if (error instanceof CommandError) return { missing: error.message };
      throw error;
    }
  };
  return (scheme) => {
    const known = found.get(scheme) ?? find(scheme);
    found.set(scheme, known);
    return known;
  };
}

/** Completes lines with the defaults, and lines without a secret with the available keys. */
export function lineCompleter({ scheme, fields, options }: LineDefaults, findKeys: FindKeys): LineCompleter {
  return {
    scheme,
    async of(name) {
      const target = await loadTarget(name);
      const defaults = overDefaults(fields)(await optionFields(options, { scheme: String(name), target }));
      return target === undefined
        ? overDefaults(defaults)
        : completeFor(target, defaults, () => findKeys(String(name)));
    },
  };
}

// A batch may have several schemes, so options are checked per scheme, and errors refuse the lines of that scheme.
async function optionFields(
  options: SignOptions,
  { scheme, target }: { readonly scheme: string; readonly target: TargetScheme | undefined },
): Promise<JsonObject> {
  try {
    await refuseForeignOptions(options, scheme);
    return target === undefined ? {} : lineFields(options, target.options);
  } catch (error) {
    throw error instanceof UsageError ? new DaypassError("INVALID_INPUT", error.message) : error;
  }
}

function completeFor(
  { secret, complete = (line) => line, expectInScope }: TargetScheme,
  defaults: JsonObject,
  findKeys: () => Promise<FoundKeys>,
): CompleteLine {
  if (defaults[secret] !== undefined) return overDefaults(defaults);
  const overCommon = overDefaults(defaults);
  /** Completes lines without a secret. `undefined` until the keys have been searched. */
  let overFound: CompleteLine | undefined;
  return (line) => {
    if (line[secret] !== undefined) return overCommon(line);
    if (overFound !== undefined) return overFound(line);
    return findKeys().then((keys) => {
      overFound = "missing" in keys ? refuseAll(secret, keys.missing) : foundFor(keys);
      return overFound(line);
    });
  };

  function foundFor({ fields, scope }: FoundFields): CompleteLine {
    const over = overDefaults({ ...fields, ...defaults });
    if (scope === undefined) return (line) => complete(over(line), fields);
    return (line) => {
      const whole = complete(over(line), fields);
      expectInScope?.(whole, scope);
      return whole;
    };
  }
}

function refuseAll(secret: string, missing: string): CompleteLine {
  const message = `the line has no ${secret}, and ${missing}`;
  return () => {
    throw new DaypassError("INVALID_INPUT", message);
  };
}
