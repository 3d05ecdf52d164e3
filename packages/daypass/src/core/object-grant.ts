import type { Parameter } from "../wire/parameters.ts";
import type { Obligation } from "./contracts.ts";

const OVERRIDE = "response-";

/**
 * What the signature of an object store promises about body and answer, and cannot enforce itself: a signed Content-MD5, a
 * signed header that says to write only if nothing is there, and `response-*` parameters.
 */
export function objectObligations(
  headers: readonly Parameter[],
  parameters: readonly Parameter[],
  createOnlyHeader: string,
): readonly Obligation[] {
  const obligations: Obligation[] = [];
  for (const [name, value] of headers) {
    if (name === "content-md5" && value !== "") obligations.push({ kind: "body-checksum", header: name, value });
    if (name === createOnlyHeader && value === "true") obligations.push({ kind: "create-only" });
  }
  const overrides = parameters.filter(([name]) => name.startsWith(OVERRIDE));
  if (overrides.length > 0) {
    const answer = overrides.map(([name, value]): Parameter => [name.slice(OVERRIDE.length), value]);
    obligations.push({ kind: "response", headers: Object.fromEntries(answer) });
  }
  return obligations;
}
