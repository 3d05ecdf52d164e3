import { type DaypassError, refusal } from "./errors.ts";
import type { Bindings, Lifetime, ResponseOverrides } from "./scheme.ts";

/**
 * What a caller may ask of any scheme beside its resource. A scheme binds what it can and refuses the rest with
 * {@link unsupportedConstraint}: dropping one in silence would grant more than was asked for.
 */
export interface Constraints extends Lifetime {
  /** First instant of validity. */
  readonly notBefore?: Date | undefined;
  /** Everything below this path instead of one resource. */
  readonly prefix?: string | undefined;
  readonly bind?: Bindings | undefined;
  /** Headers that the answer to a download carries. */
  readonly response?: ResponseOverrides | undefined;
}

const BINDINGS = /^(?:content(?:Type|Length)|sha256|headers|query|ip)$/;

/** Refuses a misspelt binding, which no compiler has seen: dropped in silence it would leave open what was to be bound. */
export function checkBindings(bind: Bindings | undefined): void {
  for (const name of Object.keys(bind ?? {}))
    if (!BINDINGS.test(name)) throw refusal("INVALID_INPUT", `bind without ${name}: no such name`);
}

/** `UNSUPPORTED_CONSTRAINT`: the scheme, what it cannot bind, and what can. */
export function unsupportedConstraint(
  scheme: string,
  constraint: string,
  alternative = "sign each by itself",
): DaypassError {
  return refusal(
    "UNSUPPORTED_CONSTRAINT",
    `what ${scheme} can bind, found ${constraint}: ${alternative}, or use daypass/url`,
    { constraint },
  );
}
