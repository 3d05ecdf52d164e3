import { anyOf, DaypassError, type Grant, isDaypassError, type Verifier } from "daypass";
import type { ExplainKey } from "daypass/explain";
import { isObject, type JsonObject, missing } from "daypass/schemes";
import { type LineContext, loadScheme } from "./line-scheme.ts";

/** Makes one verifier from the `schemes` of a line. */
export async function schemeVerifiers(entries: unknown, context: LineContext): Promise<Verifier> {
  if (!Array.isArray(entries) || entries.length === 0)
    throw missing("schemes", 'give at least one, such as {"scheme":"s3","credentials":{…}}');
  // Grouped by dialect, so that two entries for one dialect are two sets of keys and not an ambiguity.
  const dialects = new Map<string, Verifier[]>();
  for (const entry of entries) {
    if (!isObject(entry)) throw new DaypassError("INVALID_INPUT", "schemes is not a list of objects. Correct it");
    const scheme = await loadScheme(entry["scheme"]);
    for (const [dialect, verifier] of await scheme.verifiers(entry, context)) {
      const list = dialects.get(dialect);
      if (list === undefined) dialects.set(dialect, [verifier]);
      else list.push(verifier);
    }
  }
  return anyOf(...[...dialects.values()].map(firstOf));
}

/** The keys of the entries of `schemes`, for `explain`. */
export async function explainKeys(entries: readonly JsonObject[]): Promise<readonly ExplainKey[]> {
  const keys = entries.map(async (entry) => (await loadScheme(entry["scheme"])).explainKeys(entry));
  return (await Promise.all(keys)).flat();
}

/** Tries several sets of keys for one dialect. Reports the refusal that came closest to a grant. */
function firstOf(verifiers: readonly Verifier[]): Verifier<Grant> {
  const [only, ...others] = verifiers;
  if (only === undefined || others.length === 0) return only as Verifier;
  return {
    detects: only.detects,
    async verify(request, proof) {
      let refusal: unknown;
      for (const verifier of verifiers) {
        try {
          return await verifier.verify(request, proof);
        } catch (error) {
          if (refusal === undefined || isElsewhere(refusal)) refusal = error;
        }
      }
      throw refusal;
    },
  };
}

/** Whether a refusal says only that the request belongs to another entry. */
function isElsewhere(error: unknown): boolean {
  return isDaypassError(error) && (error.code === "UNKNOWN_KEY" || error.code === "WRONG_ORIGIN");
}
