import type { Bindings, Lifetime, ResponseOverrides } from "./contracts.ts";
import { type DaypassError, refusal } from "./errors.ts";
import { optionPairs } from "./option-pairs.ts";

/**
 * Constraints that a caller may request from any scheme, in addition to the resource. A scheme binds what it can and refuses the
 * rest with `UNSUPPORTED_CONSTRAINT`: silently dropping a constraint would grant more than was asked for.
 */
export interface Constraints extends Lifetime {
  /** First instant of validity. */
  readonly notBefore?: Date | undefined;
  /** Everything below this path instead of one resource. */
  readonly prefix?: string | undefined;
  /** Further properties of the request that the holder must keep to. */
  readonly bind?: Bindings | undefined;
  /** Headers of the response to a download. */
  readonly response?: ResponseOverrides | undefined;
}

/** What a scheme's requests may have. */
export interface RequestRules {
  /** The scheme's name in error texts. */
  readonly scheme: string;
  /** Matches the options of a request, and those within `bind` and `response` as `bind.ip`. */
  readonly known: RegExp;
  /** By option, what can bind it instead. */
  readonly instead?: Readonly<Record<string, string>>;
}

/** Refuses every option but the known ones, misspelt ones that no compiler has seen among them. */
export function checkOptions(request: Constraints, { scheme, known, instead = {} }: RequestRules): void {
  const { bind, response, notBefore, prefix } = request;
  // By name, as getters of a class are not among its entries.
  const places = { "": { notBefore, prefix, ...request }, "bind.": bind, "response.": response };
  for (const [place, options] of Object.entries(places)) {
    for (const [option, value] of optionPairs(place, options)) {
      const name = place + option;
      if (value !== undefined && !known.test(name)) {
        throw unsupportedConstraint(
          scheme,
          name,
          instead[name] ?? (VOCABULARY.test(name) ? "leave it out" : undefined),
        );
      }
    }
  }
}

/** What is spelt like these is no mistake of spelling. */
export const VOCABULARY: RegExp =
  /^(?:notBefore|prefix|response.*|bind\.(?:content(?:Type|Length)|sha256|headers|query|ip))$/;

/** `UNSUPPORTED_CONSTRAINT`: the scheme, what it cannot bind, and what can. */
export function unsupportedConstraint(
  scheme: string,
  constraint: string,
  alternative = "check its name",
): DaypassError {
  return refusal(
    "UNSUPPORTED_CONSTRAINT",
    `what ${scheme} can bind, found ${constraint}: ${alternative}, or use daypass/url`,
    { constraint },
  );
}
