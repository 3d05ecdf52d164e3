import type { DaypassError } from "../errors.ts";
import { hasControl, type SasValues } from "./canonical.ts";
import { fieldsOf, firstVersion, NEWEST_VERSION, type SasKind } from "./layouts.ts";
import { arePermissions } from "./permissions.ts";
import { parseAzureTime } from "./time.ts";

const FORMS: Readonly<Record<string, RegExp>> = {
  sr: /^(?:c|b[sv]?|d)$/,
  sdd: /^(?:0|[1-9][0-9]{0,2})$/,
  ss: /^(?=.{1,4}$)(?!.*(.).*\1)[btqf]+$/,
  srt: /^(?=.{1,3}$)(?!.*(.).*\1)[sco]+$/,
  sks: /^b$/,
  spr: /^https(?:,http)?$/,
  si: /^.{1,64}$/,
  // base64 of 32 bytes: the last character has two spare bits, and they are zero.
  sig: /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/,
};

// `sr` has always been there, and is signed since 2018-11-09; its depth is not signed, but the directory that it makes is.
const SIGNED_AS: Readonly<Record<string, string>> = { sig: "sv", sr: "sp", sdd: "sp", srh: "HEADERS", srq: "QUERY" };
// What is worked out of a request, and may hold line feeds.
const WORKED_OUT = /^(?:RESOURCE|HEADERS|QUERY)$/;

const signedAs = (name: string): string => SIGNED_AS[name] ?? name;

/** The first version that knows all of a SAS. */
export function neededVersion(kind: SasKind, values: SasValues): string {
  return [firstVersion(kind, [...values.keys()].map(signedAs)), ...newerMarks(kind, values, "")].sort().at(-1) ?? "";
}

/** Versions that are needed for the kind of resource and the permissions, where they are newer. */
function newerMarks({ since }: SasKind, values: SasValues, version: string): readonly string[] {
  const marks = [`sr=${values.get("sr")}`, ...(values.get("sp") ?? "")];
  return marks.map((mark) => since[mark] ?? "").filter((needed) => needed > version);
}

/** Makes the error for a parameter that is not as it should be: a refusal of a request, or `INVALID_INPUT` at a signer. */
export type SasFault = (parameter: string, problem: string, expected: string) => DaypassError;

/** Checks the parameters of a SAS, for signers and verifiers alike: each is signed by its version, and has its form. */
export function checkSas(kind: SasKind, values: SasValues, fault: SasFault): void {
  const value = (name: string): string => values.get(name) ?? "";
  const fields = fieldsOf(kind, value("sv"));
  if (fields === undefined) throw fault("sv", "version", `2015-04-05 to ${NEWEST_VERSION}`);
  for (const [name, text] of values) {
    if (!fields.includes(signedAs(name)) || (kind.name === "account" && /^s(?:r|dd)$/.test(name))) {
      throw fault(
        name,
        "unsigned",
        `nothing, as ${value("sv")} does not sign it (since: ${firstVersion(kind, [signedAs(name)])})`,
      );
    }
    if (WORKED_OUT.test(name)) continue;
    // An empty field is signed like one that is not there.
    const form = FORMS[name] ?? /./;
    if (typeof text !== "string" || hasControl(text) || !form.test(text)) throw fault(name, "form", String(form));
    if (/^s(?:t|e|kt|ke)$/.test(name) && !parseAzureTime(text)) throw fault(name, "form", "a time in UTC");
  }
  if (values.has("sdd") !== (value("sr") === "d")) throw fault("sdd", "depth", "a depth with sr=d, and only there");
  if (values.has("sp") && !arePermissions(kind, value("sr"), value("sp"))) {
    throw fault("sp", "permissions", `letters that exist for the resource, each once, as ${kind.order}`);
  }
  const [since] = newerMarks(kind, values, value("sv"));
  if (since !== undefined) throw fault("sv", "version", `${since} or later for this sr and sp`);
}
