import { refusal } from "../errors.ts";
import { malformed } from "../parameters.ts";
import { hasControl, type SasValues } from "./canonical.ts";
import { fieldsOf, NEWEST_VERSION, type SasKind, sinceVersion } from "./layouts.ts";
import { arePermissions } from "./permissions.ts";
import { parseAzureTime, TIME_FORMS } from "./time.ts";

const FORMS: Readonly<Record<string, RegExp>> = {
  st: TIME_FORMS,
  se: TIME_FORMS,
  skt: TIME_FORMS,
  ske: TIME_FORMS,
  sr: /^(?:c|b[sv]?|d)$/,
  sdd: /^(?:0|[1-9][0-9]{0,2})$/,
  ss: /^[btqf]{1,4}$/,
  srt: /^[sco]{1,3}$/,
  sks: /^b$/,
  spr: /^https(?:,http)?$/,
  si: /^.{1,64}$/,
  // base64 of 32 bytes: the last character has two spare bits, and they are zero.
  sig: /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/,
};

// `sr` has always been there, and is signed since 2018-11-09; its depth is not signed, but the directory that it makes is.
const SIGNED_AS: Readonly<Record<string, string>> = { sig: "sv", sr: "sp", sdd: "sp", srh: "HEADERS", srq: "QUERY" };

/** Checks the parameters of a SAS: all that are needed, none that its version does not sign, each in its form. */
export function checkSas(kind: SasKind, values: SasValues): void {
  const { required, name: kindName } = kind;
  const fields = fieldsOf(kind, values.get("sv") ?? "");
  if (fields === undefined) throw malformed("sv", "version", `a version up to ${NEWEST_VERSION}`);
  // A stored access policy tells what the URL leaves out.
  for (const name of `sig ${required} ${values.has("si") ? "" : "sp se"}`.trim().split(" ")) {
    if (!values.has(name)) throw malformed(name, "missing", "a parameter with a value");
  }
  for (const [name, value] of values) {
    const form = FORMS[name];
    if (!fields.includes(SIGNED_AS[name] ?? name) || (/^s(?:r|dd)$/.test(name) && kindName === "account")) {
      const since = sinceVersion(kind, SIGNED_AS[name] ?? name);
      throw refusal("UNSIGNED_PARAMETER", `what a ${kindName} SAS of this sv signs, found ${name} (since ${since})`, {
        parameter: name,
      });
    }
    // An empty field is signed like one that is not there.
    if (value === "" || hasControl(value)) throw malformed(name, "form", "a value without control characters");
    if (form && !(form.test(value) && (form !== TIME_FORMS || parseAzureTime(value)))) {
      throw malformed(name, "form", String(form));
    }
  }
  const resource = values.get("sr") ?? "";
  const letters = values.get("sp") ?? "";
  if (values.has("sdd") !== (resource === "d")) throw malformed("sdd", "depth", "a depth with sr=d, and only there");
  if (values.has("sp") && !arePermissions(kind, resource, letters)) {
    throw malformed("sp", "permissions", "letters that exist for the resource, each once and in Azure's order");
  }
  for (const what of [`sr=${resource}`, ...letters]) {
    const since = sinceVersion(kind, what);
    if ((values.get("sv") ?? "") < since) throw malformed("sv", "version", `${since} or later for ${what}`);
  }
}
