import {
  type FieldKind,
  type Fields,
  fields,
  nested,
  number,
  text,
  textListMap,
  textMap,
  textOrList,
} from "./fields.ts";

const RANGE = nested(fields({ min: number, max: number }));
const LENGTH: FieldKind = {
  expected: "a number or {min, max}",
  accepts: (value) => typeof value === "number" || RANGE.accepts(value),
};

/** The fields of `bind`, in every scheme. Which of them a scheme can bind is the signer's to say. */
export const BIND: Fields = fields({
  contentType: text,
  contentLength: LENGTH,
  sha256: text,
  headers: textMap,
  query: textListMap,
  ip: textOrList,
});

/** The fields of `form`, which makes an upload form of a line. `object` are those by which the scheme names an object. */
export function uploadForm(object: Readonly<Record<string, FieldKind>>): FieldKind {
  return nested(
    fields({
      ...object,
      contentLength: LENGTH,
      fields: textMap,
      conditions: { expected: "a list of conditions", accepts: Array.isArray },
    }),
  );
}
