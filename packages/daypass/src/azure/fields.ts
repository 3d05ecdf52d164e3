import type { DaypassError } from "../errors.ts";
import { hasControl, type SasValues } from "./canonical.ts";
import { fieldsOf, hasVersion, NEWEST_VERSION, type SasKind } from "./layouts.ts";
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

// Of these no line is signed, but what is worked out with them, or (of `sig`) nothing at all.
const SIGNED_AS: Readonly<Record<string, string>> = {
  sig: "sv",
  sr: "RESOURCE",
  sdd: "RESOURCE",
  srh: "HEADERS",
  srq: "QUERY",
};
// What is worked out of a request, and may hold line feeds.
const WORKED_OUT = /^(?:RESOURCE|HEADERS|QUERY)$/;

const signedAs = (name: string): string => SIGNED_AS[name] ?? name;

/** The first version, no older than `version`, that knows all of a SAS: parameters, kind of resource and permissions. */
export function neededVersion({ since }: SasKind, values: SasValues, version: string): string {
  const marks = [...[...values.keys()].map(signedAs), `sr=${values.get("sr")}`, ...(values.get("sp") ?? "")];
  return marks.reduce((needed, mark) => ((since[mark] ?? "") > needed ? (since[mark] as string) : needed), version);
}

/** Makes the error for a parameter that is not as it should be: a refusal of a request, or `INVALID_INPUT` at a signer. */
export type SasFault = (parameter: string, problem: string, expected: string) => DaypassError;

/** Checks the parameters of a SAS, for signers and verifiers alike: each is signed by its version, and has its form. */
export function checkSas(kind: SasKind, values: SasValues, fault: SasFault): void {
  const value = (name: string): string => values.get(name) ?? "";
  const { since, order } = kind;
  const sv = value("sv");
  const fields = fieldsOf(kind, sv);
  if (!hasVersion(kind, sv)) throw fault("sv", "version", `${since["sv"]} to ${NEWEST_VERSION}`);
  for (const [name, text] of values) {
    const field = signedAs(name);
    if (!fields.includes(field)) {
      throw fault(name, "unsigned", `nothing, as ${sv} does not sign it (since: ${since[field]})`);
    }
    if (WORKED_OUT.test(name)) continue;
    // An empty field is signed like one that is not there.
    const form = FORMS[name] ?? /./;
    if (typeof text !== "string" || hasControl(text) || !form.test(text)) throw fault(name, "form", String(form));
    if (/^s(?:t|e|kt|ke)$/.test(name) && !parseAzureTime(text)) throw fault(name, "form", "a time in UTC");
  }
  if (values.has("sdd") !== (value("sr") === "d")) throw fault("sdd", "depth", "a depth with sr=d, and only there");
  if (values.has("sp") && !arePermissions(kind, value("sr"), value("sp"))) {
    throw fault("sp", "permissions", `letters that exist for the resource, each once, as ${order}`);
  }
  const needed = neededVersion(kind, values, sv);
  if (needed > sv) throw fault("sv", "version", `${needed} or later for this sr and sp`);
}
