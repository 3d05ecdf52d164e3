import { type Fields, fields, nested, number, text, textListMap, textMap, textOrList } from "./fields.ts";

const LENGTH: Fields = fields({ min: number, max: number });
const RANGE = nested(LENGTH);

/** The fields of `bind`, in every scheme. Which of them a scheme can bind is the signer's to say. */
export const BIND: Fields = fields({
  contentType: text,
  contentLength: {
    expected: "a number or {min, max}",
    accepts: (value) => typeof value === "number" || RANGE.accepts(value),
  },
  sha256: text,
  headers: textMap,
  query: textListMap,
  ip: textOrList,
});
