import { DaypassError } from "daypass";
import type { JsonObject } from "daypass/schemes";
import { CommandError, type Context, UsageError } from "../../command.ts";
import type { CompleteLine, LineCompleter } from "../../lines/sign-line.ts";
import { overDefaults } from "./default-fields.ts";
import { refuseForeignOptions, type SignOptions } from "./options.ts";
import type { FoundFields, TargetScheme } from "./target.ts";
import { loadTarget } from "./targets.ts";

/** What all lines of a batch have in common, as data that can be sent to another thread. */
export interface LineDefaults {
  readonly scheme: string | undefined;
  /** Fields of the lines: those of `--defaults`, and those of a target. */
  readonly fields: JsonObject;
  readonly options: SignOptions;
}

/** What `daypass sign` would have found for a scheme, or why it found nothing. */
export type FoundKeys = FoundFields | { readonly missing: string };

export type FindKeys = (scheme: string) => Promise<FoundKeys>;

/** Looks for the keys of each scheme once, however many threads and lines ask. */
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

/** Completes lines with the defaults, and those without a secret with the keys at hand. */
export function lineCompleter({ scheme, fields, options }: LineDefaults, findKeys: FindKeys): LineCompleter {
  return {
    scheme,
    async of(name) {
      const target = await loadTarget(name);
      const defaults = overDefaults(fields)(optionFields(options, { scheme: String(name), target }));
      return target === undefined
        ? overDefaults(defaults)
        : completeFor(target, defaults, () => findKeys(String(name)));
    },
  };
}

// Options are checked when a scheme is met, because a batch may hold several; what is wrong is then its lines' refusal.
function optionFields(
  options: SignOptions,
  { scheme, target }: { readonly scheme: string; readonly target: TargetScheme | undefined },
): JsonObject {
  try {
    refuseForeignOptions(options, scheme);
    return target?.fields(options) ?? {};
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
  /** What completes lines without a secret, once it is known whether there are keys for them. */
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
  const message = `expected ${secret} in the line, found it neither there nor where daypass sign looks: ${missing}`;
  return () => {
    throw new DaypassError("INVALID_INPUT", message);
  };
}
