import type { WireTarget } from "../core/contracts.ts";
import { type DaypassError, type ErrorDetails, refusal } from "../core/errors.ts";
import { formDecode } from "./raw-target.ts";

/** A decoded query parameter. @inline */
export type Parameter = readonly [name: string, value: string];

/** A query, with its scheme's own parameters separated from the rest. */
export interface SortedParameters<R extends string, O extends string> {
  /** Decoded. */
  readonly own: Readonly<Record<R, string>> & Readonly<Partial<Record<O, string>>>;
  /** All others, decoded, in wire order. */
  readonly others: readonly Parameter[];
}

/**
 * A `MALFORMED` refusal that names the parameter and, for programs, what is wrong with it: a server that speaks S3's own
 * error codes chooses its text by `details.problem`.
 */
export function malformed(parameter: string, problem: string, expected: string, details?: ErrorDetails): DaypassError {
  const fault = /missing|duplicate/.test(problem) ? problem : "malformed";
  return refusal("MALFORMED", `${parameter} is ${fault}: send ${expected}`, { parameter, problem, ...details });
}

/**
 * Separates a scheme's own parameters from the others. Each may occur once, and each required parameter must occur
 * with a value: servers differ in which of two they read.
 */
export function sortParameters<R extends string, O extends string = never>(
  { tokens }: WireTarget,
  required: readonly R[],
  optional: readonly O[] = [],
): SortedParameters<R, O> {
  const names: ReadonlySet<string> = new Set([...required, ...optional]);
  const own = new Map<string, string>();
  const others: Parameter[] = [];
  for (const token of tokens) {
    const name = formDecode(token.name);
    const value = formDecode(token.value ?? "");
    if (!names.has(name)) others.push([name, value]);
    else if (own.has(name)) throw malformed(name, "duplicate", "one parameter");
    else own.set(name, value);
  }
  for (const name of required) if (!own.get(name)) throw malformed(name, "missing", "a parameter with a value");
  return { own: Object.fromEntries(own) as SortedParameters<R, O>["own"], others };
}

/** Refuses a repeated name: if a parameter is signed by its name, the holder could choose which value acts. */
export function checkOnce(parameters: readonly Parameter[]): void {
  const seen = new Set<string>();
  for (const [name] of parameters) {
    if (seen.has(name)) throw malformed(name, "duplicate", "one parameter");
    seen.add(name);
  }
}
