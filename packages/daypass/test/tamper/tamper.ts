import type { Grant, Verifier, WireRequest } from "../../src/core/contracts.ts";
import { isDaypassError } from "../../src/core/errors.ts";
import type { Judge } from "./judges/judge.ts";
import { isUnchanged, mutate } from "./mutate.ts";
import { type Random, seeded, tamperSeed } from "./seeded.ts";

export interface TamperOptions {
  readonly name: string;
  readonly bases: readonly WireRequest[];
  /** Tampered requests to be made; re-spelled ones come on top. */
  readonly count: number;
  readonly verifier: Verifier;
  readonly judge: Judge;
  /** What must be the same in the grants of two spellings of one request. */
  readonly facts: (grant: Grant) => unknown;
}

export interface TamperReport {
  readonly tampered: number;
  readonly respelled: number;
  /** Re-spelled requests that were accepted, each with the grant of the original. */
  readonly accepted: number;
  /** Tampered requests that were accepted, and re-spelled ones with another grant. */
  readonly wrong: readonly string[];
  /** Whatever was thrown that is no DaypassError. */
  readonly thrown: readonly string[];
  readonly codes: Readonly<Record<string, number>>;
}

/** Makes mutants of valid requests until enough of them are tampered with, and judges what the verifier says to each. */
export async function tamper({ bases, count, verifier, judge, facts }: TamperOptions): Promise<TamperReport> {
  const random: Random = seeded(tamperSeed);
  const originals = await Promise.all(
    bases.map(async (request) => ({
      request,
      judged: judge(request),
      facts: text(facts(await verifier.verify(request, PROOF))),
    })),
  );
  const codes: Record<string, number> = {};
  const wrong: string[] = [];
  const thrown: string[] = [];
  let tampered = 0;
  let respelled = 0;
  let accepted = 0;
  // A million stack traces would take longer than all the signatures.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  while (tampered < count) {
    const original = random.pick(originals);
    const { request, mutation } = mutate(original.request, random, bases);
    if (isUnchanged(request, original.request)) continue;
    // Splicing can turn one valid URL into another valid one; that is then the original.
    const judged = judge(request);
    const same = judged === original.judged ? original : originals.find((other) => other.judged === judged);
    if (same === undefined) tampered += 1;
    else respelled += 1;
    try {
      const grant = await verifier.verify(request, PROOF);
      accepted += 1;
      if (same === undefined) wrong.push(`accepted after "${mutation}": ${describe(request, original.request)}`);
      else if (text(facts(grant)) !== same.facts) {
        wrong.push(`another grant after "${mutation}": ${describe(request, same.request)}`);
      }
    } catch (error) {
      if (!isDaypassError(error)) thrown.push(`${String(error)}: ${describe(request, original.request)}`);
      else codes[error.code] = (codes[error.code] ?? 0) + 1;
    }
  }
  Error.stackTraceLimit = stackTraceLimit;
  return { tampered, respelled, accepted, wrong, thrown, codes };
}

const PROOF = { subject: "cus_42" };

/** As JSON whose members have an order. */
function text(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member) && !(member instanceof Date)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

function describe(mutant: WireRequest, original: WireRequest): string {
  return `\n    ${JSON.stringify(mutant)}\n    ${JSON.stringify(original)}`;
}
