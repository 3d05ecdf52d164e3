import type { FormFields } from "../../forms/policy.ts";
import type { SplitUrl } from "../explainer.ts";
import type { FormToExplain } from "../explanation.ts";
import { splitUrl } from "../split-url.ts";

/** A form, taken apart as a server takes it apart. */
export interface FormView {
  readonly url: SplitUrl;
  /** In their order, up to the file. */
  readonly fields: FormFields;
  /** Lower-case names of fields behind the file: "any field after it is ignored". */
  readonly behindFile: readonly string[];
  /** By lower-case name; of a field that repeats, the first one. */
  readonly values: ReadonlyMap<string, string>;
  readonly repeated: readonly string[];
}

/** The names of all fields, those behind the file included, in lower case. */
export function namesOf({ values, behindFile }: FormView): readonly string[] {
  return [...values.keys(), ...behindFile];
}

export function formView({ url, fields }: FormToExplain): FormView {
  // Half of a surrogate pair has no bytes in UTF-8: no form can carry it.
  const all = (isList(fields) ? fields : Object.entries(fields)).map(
    ([name, value]) => [name, value.replace(/\p{Surrogate}/gu, "\ufffd")] as const,
  );
  const names = all.map(([name]) => name.toLowerCase());
  const file = names.indexOf("file");
  const before = file < 0 ? all : all.slice(0, file);
  const values = new Map<string, string>();
  for (const [name, value] of before) if (!values.has(name.toLowerCase())) values.set(name.toLowerCase(), value);
  const read = names.slice(0, before.length);
  return {
    url: splitUrl(url),
    fields: before,
    behindFile: file < 0 ? [] : names.slice(file + 1),
    values,
    repeated: [...new Set(read.filter((name, i) => read.indexOf(name) !== i))],
  };
}

function isList(fields: FormToExplain["fields"]): fields is FormFields {
  return Array.isArray(fields);
}
