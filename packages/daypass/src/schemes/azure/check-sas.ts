import type { DaypassError } from "../../core/errors.ts";
import { hasControl, type SasValues } from "./canonical.ts";
import { hasVersion, NEWEST_VERSION, type SasKind } from "./layouts.ts";
import { arePermissions } from "./permissions.ts";
import { parseAzureTime } from "./time.ts";

const FORMS: Readonly<Record<string, RegExp>> = {
  sdd: /^(?:0|[1-9][0-9]{0,2})$/,
  spr: /^https(?:,http)?$/,
  si: /^.{1,64}$/,
  // base64 of 32 bytes: the last character has two spare bits, and they are zero.
  sig: /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/,
};

/** The first version, no older than `version`, that knows all of a SAS: parameters, kind of resource and permissions. */
export function neededVersion({ parameters, since }: SasKind, values: SasValues, version: string): string {
  const marks = [`sr=${values.sr}`, ...(values.sp ?? "")];
  for (const name of parameters) if (name !== "sr" && values[name] !== undefined) marks.push(name);
  return marks.reduce((needed, mark) => ((since[mark] ?? "") > needed ? (since[mark] as string) : needed), version);
}

/** Makes the error for a parameter that is not as it should be: a refusal of a request, or `INVALID_INPUT` at a signer. */
export type SasFault = (parameter: string, problem: string, expected: string) => DaypassError;

/** Checks the parameters of a SAS, for signers and verifiers alike: each is signed by its version, and has its form. */
export function checkSas(kind: SasKind, values: SasValues, fault: SasFault): void {
  const { parameters, since, required, order } = kind;
  const { sv = "", sr = "", sdd, sp } = values;
  if (!hasVersion(kind, sv)) throw fault("sv", "version", `${since["sv"]} to ${NEWEST_VERSION}`);
  for (const name in values) {
    const text = values[name];
    // In upper case is what was worked out, and may hold line feeds.
    if (text === undefined || name < "a") continue;
    if (!parameters.includes(name) || (name !== "sr" && (since[name] ?? "") > sv)) {
      throw fault(name, "unsigned", `nothing, as ${sv} does not sign it (${since[name] ?? "none"} does)`);
    }
    // An empty field is signed like one that is not there.
    const form = required[name] ?? FORMS[name] ?? /./;
    if (typeof text !== "string" || hasControl(text) || !form.test(text))
      throw fault(name, "form", name === "spr" ? "https or https,http" : "Azure defines it");
    if (/^sk?[te]$/.test(name) && !parseAzureTime(text)) throw fault(name, "form", "a time in UTC");
  }
  if ((sdd === undefined) === (sr === "d")) throw fault("sdd", "depth", "a depth with sr=d, and only there");
  if (sp !== undefined && !arePermissions(kind, sr, sp)) {
    throw fault("sp", "permissions", `letters that exist for the resource, each once, as ${order}`);
  }
  const needed = neededVersion(kind, values, sv);
  if (needed > sv) throw fault("sv", "version", `${needed} or later for this sr and sp`);
}
