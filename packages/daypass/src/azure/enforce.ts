import { type DaypassError, refusal } from "../errors.ts";
import { isInRange } from "./ip-range.ts";
import type { ParsedSas } from "./parse.ts";

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
export function enforcePermissions(parsed: ParsedSas, letters: string): void {
  const { operation, msHeaders, parameters, bound } = parsed;
  const { name: what, permissions } = operation;
  if (![...permissions].some((letter) => letters.includes(letter))) throw notGranted(what, permissions);
  for (const [found, listed, signed, prefix] of [
    [msHeaders, operation.headers, bound.headers, "x-ms-"],
    [parameters, operation.query, bound.query, ""],
  ] as const) {
    for (const name of found.keys()) {
      const full = prefix + name;
      const isSigned = signed.some(([other]) => other.toLowerCase() === full.toLowerCase());
      const letter = listed.get(name.replace(/^meta-.+/, "meta-*")) ?? (isSigned ? "" : undefined);
      if (letter === undefined || isOtherVersion(name, parsed)) {
        const [code, details] = prefix
          ? (["UNSIGNED_HEADER", { headers: [full] }] as const)
          : (["UNSIGNED_PARAMETER", { parameter: full }] as const);
        throw refusal(
          code,
          `what ${what} has and the SAS permits, found ${JSON.stringify(full)}: leave it out`,
          details,
        );
      }
      if (!letters.includes(letter)) throw notGranted(full, letter);
    }
  }
}

/** A SAS for a blob is for what it is now, unless it permits to delete versions: `sr=bs` and `bv` sign the others. */
function isOtherVersion(name: string, { values, operation }: ParsedSas): boolean {
  const resource = values.get("sr") ?? "";
  if (!/^(?:snapshot|versionid)$/.test(name) || !resource.startsWith("b") || /[xy]/.test(operation.permissions))
    return false;
  return name !== { bs: "snapshot", bv: "versionid" }[resource];
}

/** Refuses the protocols and client addresses that a SAS is not for. */
export function enforceSender({ values }: ParsedSas, origin: string, remoteAddress: string | undefined): void {
  if (values.get("spr") === "https" && !origin.startsWith("https:")) throw outOfScope("spr", "https");
  const range = values.get("sip");
  if (range === undefined || isInRange(range, remoteAddress)) return;
  throw refusal("IP_NOT_GRANTED", `a client in ${range}, found another or none`, { parameter: "sip" });
}
