import { type DaypassError, refusal } from "../../core/errors.ts";
import type { SasValues } from "./canonical.ts";
import { isInRange } from "./ip-range.ts";
import type { ParsedSas } from "./parse.ts";

/** The parameter with snapshot or version, by the `sr` that signs it. */
export const TIMES: Readonly<Record<string, string>> = { bs: "snapshot", bv: "versionid" };

/** What the SAS does not permit. */
export function notGranted(what: string, needed: string): DaypassError {
  return refusal("METHOD_NOT_GRANTED", `a SAS that permits ${what} (${needed}), found one that does not`, { needed });
}

/** A SAS that is for other services, kinds of resources, protocols or scopes; `parameter` says which. */
export function outOfScope(parameter: string, expected: string): DaypassError {
  return refusal("WRONG_SCOPE", `a request within ${parameter} (${expected}), found another`, { parameter });
}

/**
 * Refuses an operation without its permission, and every `x-ms-*` header and parameter that is neither signed nor in the
 * operation's list: nothing else binds them.
 */
export function enforcePermissions(parsed: ParsedSas): void {
  const { facts, operation, msHeaders, parameters, bound } = parsed;
  const { name: what, permissions } = operation;
  const letters = facts.permissions;
  if (![...permissions].some((letter) => letters.includes(letter))) throw notGranted(what, permissions);
  for (const [code, prefix, found, listed, signed] of [
    ["UNSIGNED_HEADER", "x-ms-", msHeaders, operation.headers, bound.headers],
    ["UNSIGNED_PARAMETER", "", parameters, operation.query, bound.query],
  ] as const) {
    for (const name of found.keys()) {
      const full = prefix + name;
      const letter = listed.get(name.replace(/^meta-.+/, "meta-*")) ?? (signed.has(full) ? "" : undefined);
      if (letter === undefined || isOtherVersion(name, parsed)) {
        throw refusal(
          code,
          `what ${what} may have, found ${JSON.stringify(full)}: leave it out`,
          prefix ? { headers: [full] } : { parameter: full },
        );
      }
      if (!letters.includes(letter)) throw notGranted(full, letter);
    }
  }
}

/** A SAS for a blob is for what it is now, unless it permits to delete versions: `sr=bs` and `bv` sign the others. */
function isOtherVersion(name: string, { values: { sr = "" }, operation }: ParsedSas): boolean {
  const isTime = /^(?:snapshot|versionid)$/.test(name);
  return isTime && name !== TIMES[sr] && sr.startsWith("b") && !/[xy]/.test(operation.permissions);
}

/** Refuses the protocols and client addresses that a SAS is not for. */
export function enforceSender({ spr, sip }: SasValues, origin: string, remoteAddress: string | undefined): void {
  if (spr === "https" && !origin.startsWith("https:")) throw outOfScope("spr", spr);
  if (sip === undefined || isInRange(sip, remoteAddress)) return;
  throw refusal("IP_NOT_GRANTED", `a client in ${sip}, found another or none`, { parameter: "sip" });
}
