import type { FormFields } from "../../forms/policy.ts";
import type { SplitUrl } from "../explainer.ts";
import type { FormToExplain } from "../explanation.ts";
import { splitUrl } from "../split-url.ts";

/** A form, split the way a server splits it. */
export interface FormView {
  readonly url: SplitUrl;
  /** In their order, up to the file. */
  readonly fields: FormFields;
  /** Lower-case names of fields after the file: "any field after it is ignored". */
  readonly behindFile: readonly string[];
  /** By lower-case name; the first value of a repeated field. */
  readonly values: ReadonlyMap<string, string>;
  readonly repeated: readonly string[];
}

/** The lower-case names of all fields, including those after the file. */
export function namesOf({ values, behindFile }: FormView): readonly string[] {
  return [...values.keys(), ...behindFile];
}

export function formView({ url, fields }: FormToExplain): FormView {
  // UTF-8 cannot encode half of a surrogate pair.
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
